"""Does what was forecast with a probability come true as often? PIT histogram and reliability.

The PIT of an observation is the level of the forecast at which it lay, here known to within two
neighbouring levels: bins of 5 %. Where quantiles coincide, it is spread over the bins between them.
Dawid, JRSS A 147 (1984); Czado, Gneiting & Held, Biometrics 65 (2009): not randomised.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from stsfm.datasets.split import independent
from stsfm.datasets.transform import LEVELS
from stsfm.plots import layout, style
from stsfm.plots.story import Story
from stsfm.words import count

FEWEST = 10  # independent origins for a band
EDGES = np.array([0, *LEVELS, 1])


def calibration(story: Story) -> tuple[Figure, str] | None:
    """PIT histogram and reliability; None without quantiles at all LEVELS or without a truth."""
    if (shares := pit(story)) is None:
        return None
    free = independent(story.drawn, story.horizon)
    made, grid = layout.figure(style.PAGE, 2.6, 1, 2)
    _histogram(grid[0, 0], shares, free)
    _reliability(grid[0, 1], shares, free)
    layout.arrange(made, grid, titles=0.28, gap=0.3, top=0.02, right=0.22)
    return made, _caption(story, free)


def pit(story: Story) -> np.ndarray | None:
    """Shares (level + 1,) of the observed cells between neighbouring LEVELS."""
    levels = [round(float(level), 6) for level in story.levels]
    if not set(LEVELS) <= set(levels):
        return None
    total = np.zeros(len(LEVELS) + 2)
    pick = [levels.index(level) for level in LEVELS]
    for step in range(story.horizon):  # step by step: all truths at once may not fit in memory
        y = story.series[story.drawn + step]
        seen = np.isfinite(y)
        quantiles = story.quantiles[:, step, :, 0, :][seen][:, pick]  # type: ignore[index]
        truth = y[seen][:, None]
        slack = 1e-9 * abs(truth)  # a log and back may move a quantile by as much
        below = (quantiles < truth - slack).sum(-1)
        upto = (quantiles <= truth + slack).sum(-1)
        weight = 1 / (upto - below + 1)  # of each of the bins below … upto
        np.add.at(total, below, weight)
        np.add.at(total, upto + 1, -weight)
    shares = total.cumsum()[:-1]
    return shares / shares.sum() if shares.sum() else None


def _histogram(ax: Axes, shares: np.ndarray, free: int) -> None:
    wide = np.diff(EDGES)
    ax.bar(EDGES[:-1], shares, wide, align="edge", color=style.BANDS[1], ec="white", lw=0.5)
    low, high = _band(wide[:1], free)
    if free >= FEWEST:
        ax.axhspan(low[0], high[0], color=style.SHADE, lw=0, alpha=0.5, zorder=2, label="95 %")
    ax.axhline(wide[0], color=style.INK, lw=0.8, ls="--", label="calibrated")
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.08 * max(shares.max(), high[0] if free >= FEWEST else 2 * wide[0]))
    ax.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    _percent(ax, "probability integral transform", "share of observations")
    ax.set_title("(a) PIT")
    _key(ax)


def _reliability(ax: Axes, shares: np.ndarray, free: int) -> None:
    levels, observed = np.array(LEVELS), shares.cumsum()[:-1]
    if free >= FEWEST:
        low, high = _band(EDGES, free)
        ax.fill_between(EDGES, low, high, color=style.SHADE, lw=0, alpha=0.6, label="95 %")
    ax.plot([0, 1], [0, 1], color=style.INK, lw=0.8, ls="--", label="calibrated")
    ax.plot(levels, observed, color=style.MODEL, lw=1.1, marker="o", ms=2.6, clip_on=False)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    _percent(ax, "level of the quantile", "share observed below")
    ax.set_title("(b) Reliability")
    _key(ax)


def _band(share: np.ndarray, free: int) -> tuple[np.ndarray, np.ndarray]:
    """Where 95 % of the shares lie that come from as many draws as there are free origins."""
    wide = 1.96 * np.sqrt(share * (1 - share) / free)
    return (share - wide).clip(0), (share + wide).clip(max=1)


def _percent(ax: Axes, x: str, y: str) -> None:
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1])
    ax.set_xlabel(x)
    ax.set_ylabel(y)


def _key(ax: Axes) -> None:
    ax.legend(
        loc="lower right", bbox_to_anchor=(1, 1.03), ncols=2, handlelength=1.2, columnspacing=1
    )


def _caption(story: Story, free: int) -> str:
    kind = f"{story.intervals} " if story.intervals else ""
    text = (
        f"Calibration of the {kind}quantiles of {story.model}, all steps"
        f"{' and nodes' * story.many}{story.of_all} pooled. (a) Where the observations lay in "
        "their forecasts, in bins between neighbouring levels: a ∪ tells of intervals that are "
        "too narrow, a ∩ of too wide ones, a slope of a bias. (b) The share of the observations "
        "below each quantile."
    )
    if free >= FEWEST:
        text += (
            f" Band: 95 % of what {free} independent draws would show, as many as there are "
            "origins with futures that do not overlap: steps of one future are no independent "
            f"draws{', nor are nodes' * story.many}."
        )
    else:
        text += (
            f" No band is drawn: {count(free, 'independent origin')} cannot tell a "
            "calibrated forecast from others."
        )
    return f"{text} {story.where}"
