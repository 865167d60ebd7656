"""One style for every figure: sizes of a paper, colours for every eye, no chart junk.

Okabe & Ito, Color universal design (2008), https://jfly.uni-koeln.de/color/.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from matplotlib import rcParamsDefault
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from stsfm.files import write
from stsfm.plots import dates

COLUMN, PAGE = 3.4, 7.0  # inches: a column and a page of a paper
PAD = 0.08  # inches between neighbours
DPI = 200
MOST = 1_500  # points of a line; more than a page can show

INK, SOFT, FAINT = "#1a1a1a", "#6b6b6b", "#b5b5b5"
BLUE, ORANGE, GREEN, PINK, VERMILLION, SKY = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9",
)  # fmt: skip
MODEL = BLUE  # the model of the run, everywhere
OTHERS: tuple[tuple[str, Any], ...] = (  # its rivals: colour and dashes
    (VERMILLION, "--"), (GREEN, "-."), (PINK, ":"), (ORANGE, (0, (6, 1.5))),
    (SOFT, (0, (3, 1, 1, 1, 1, 1))), (SKY, (0, (1, 1.5))), (INK, (0, (8, 2, 2, 2))),
)  # fmt: skip
SPLITS = {"train": "#ededed", "val": "#fbe8c2", "test": "#d3e9f7"}  # the shade of each
SPLIT_NAMES = {"train": "train", "val": "validation", "test": "test"}
CURVES = {"train": (SOFT, "--"), "val": (ORANGE, "-")}  # of losses
BANDS = ("#d3e4f1", "#9cc3df")  # wide, narrow: tints of the model's colour
GREYS = ("#3d3d3d", "#7a7a7a", "#a3a3a3", "#5a5a5a", "#8f8f8f")  # of nodes side by side
SHADE = "#dadada"  # the range of what is not the point

STYLE: Any = {  # over matplotlib's own defaults, whatever the reader's matplotlibrc says
    **{key: value for key, value in rcParamsDefault.items() if not key.startswith("backend")},
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same everywhere
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "axes.titlepad": 5,
    "axes.labelsize": 8,
    "axes.labelpad": 3,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.xmargin": 0.02,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "text.color": INK,
    "lines.linewidth": 1.2,
    "lines.solid_capstyle": "butt",
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.handlelength": 1.8,
    "legend.columnspacing": 1.4,
    "legend.borderaxespad": 0,
    "legend.borderpad": 0,
    "text.parse_math": False,  # a name of the data may hold a $
    "svg.fonttype": "path",
    "svg.hashsalt": "stsfm",
}


class Numbers(ScalarFormatter):
    """Plain numbers, and 5×10⁶ where they are very large or small; never an offset."""

    def __init__(self) -> None:
        super().__init__(useOffset=False, useMathText=False)  # mathtext is slow to parse
        self.set_scientific(False)

    def __call__(self, x: float, pos: int | None = None) -> str:
        low, high = self.axis.get_view_interval()  # type: ignore[union-attr]
        largest = max(abs(low), abs(high))
        return super().__call__(x, pos) if 1e-3 <= largest < 1e5 else number(x)


def number(x: float) -> str:
    """Three significant digits as a paper prints them: 0.0123, 15.3, 1,240, 5.1×10⁶."""
    if not math.isfinite(x) or x == 0:
        return "0" if x == 0 else "–"
    power = math.floor(math.log10(abs(x)))
    if -4 < power < 6:
        text = f"{round(x, 2 - power):,.{max(0, 2 - power)}f}"
        return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")
    raised = str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    factor = f"{x / 10**power:.3g}×"
    return f"{'' if factor == '1×' else factor}10{raised}".replace("-", "−")


def short(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def trace(ax: Axes, x: np.ndarray, y: np.ndarray, **line: Any) -> None:
    """A line with its gaps; a value between two gaps, which no line would show, is a dot."""
    x, y = thin(x, y)
    alone = np.isfinite(y)
    left, right = np.append(False, alone[:-1]), np.append(alone[1:], False)
    alone = alone & ~left & ~right
    ax.plot(x, y, **line)
    if alone.any() and "marker" not in line:
        dot = {k: v for k, v in line.items() if k in ("color", "alpha", "zorder")}
        ax.plot(x[alone], y[alone], ls="", marker="o", ms=1.3, mew=0, **dot)


def thin(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most `MOST` points with the same look: the least and the greatest of every bin."""
    size = -(-2 * len(x) // MOST)
    if size <= 2:
        return x, y
    cut = np.append(y, np.full(-len(y) % size, np.nan)).reshape(-1, size)
    ends = np.stack([np.fmin.reduce(cut, 1), np.fmax.reduce(cut, 1)], 1)
    return np.repeat(x[::size], 2), ends.ravel()


def sample(count: int) -> np.ndarray:
    """At most half of `MOST` indices, evenly: where the range over many nodes is drawn."""
    return np.unique(np.linspace(0, count - 1, MOST // 2).round().astype(int))


def quantiles(x: np.ndarray, at: Sequence[float]) -> np.ndarray:
    """(time, node) → (quantile, time) over the observed nodes, by nearest rank; NaN without any."""
    ordered = np.sort(x, 1)  # NaN last
    count = np.isfinite(x).sum(1)
    ranks = (np.array(at)[:, None] * (count - 1).clip(0)).round().astype(int)
    return np.take_along_axis(ordered, ranks.T, 1).T


class Dated(Protocol):
    """What has a clock: days since 1970, a number more than rows, where it is dated."""

    @property
    def dated(self) -> bool: ...
    @property
    def clock(self) -> np.ndarray: ...


def date_axis(ax: Axes, story: Dated, start: float, stop: float, most: int) -> None:
    """Ticks of an x axis over a stretch of the clock of a story or a contest."""
    ax.set_xlim(start, stop)
    if not story.dated:
        ax.set_xlabel("row")
        ax.xaxis.set_major_locator(MaxNLocator(most, integer=True, steps=[1, 2, 5, 10]))
        return
    places, labels = dates.ticks(start, stop, most, least=float(np.median(np.diff(story.clock))))
    if any("\n" in label for label in labels):  # one line stands higher than the first of two
        labels = [label if "\n" in label else f"{label}\n " for label in labels]
    ax.set_xticks(places, labels)


def log_axis(ax: Axes, which: Literal["x", "y"] = "y") -> None:
    """A logarithmic axis whose ticks are plain numbers, three or more of them."""
    axis = ax.xaxis if which == "x" else ax.yaxis
    ax.set(**{f"{which}scale": "log"})
    low, high = axis.get_view_interval()
    every = (1, 2, 5) if high / low < (30 if which == "x" else 1e3) else (1,)  # as labels fit
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    step = max(1, len(powers) // 6)
    places = [k * 10.0**power for power in powers[::step] for k in every]
    places = [place for place in places if low <= place <= high]
    axis.set_ticks(places, labels=[number(place) for place in places])
    ax.minorticks_off()


def step_ticks(last: int, season: int, most: int = 5) -> list[int]:
    """Steps to label: the first, and multiples of a round number, of the season where it fits."""
    if last <= most + 2:
        return list(range(1, last + 1))
    rounds = [1, 2, 3, 4, 5, 6, 10, 12, 20, 24, 30, 48, 50, 60, 100, 120, 150, 200, 250, 500]
    if season > 1 and last >= 3 * season:
        rounds = [season * k for k in (1, 2, 3, 4, 5, 7, 10, 14, 20, 28, 50, 100)]
    fitting = [k for k in rounds if last / k <= most] or [max(1, -(-last // most))]
    ending = [k for k in fitting if last % k == 0 and last // k > 2]  # at best the last is labelled
    every = ending[0] if ending else fitting[0]
    return sorted({1 if every > 2 else every, *range(every, last + 1, every)})


def save(made: Figure, folder: Path, name: str) -> Path:
    """PNG and SVG, whole or not at all, and the same bytes for the same figure."""
    metadata: Mapping[str, Mapping[str, None]] = {"png": {"Software": None}, "svg": {"Date": None}}
    for kind, fields in metadata.items():
        drawn = io.BytesIO()
        made.savefig(drawn, format=kind, dpi=DPI, metadata=fields)
        write(folder / f"{name}.{kind}", drawn.getvalue())
    return folder / f"{name}.png"
