"""How a net learned: the loss of every epoch, and the epoch whose weights were kept."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from stsfm.plots import layout, style
from stsfm.plots.story import Story

LOG_FROM = 10.0  # times that the largest loss is the smallest


def loss(story: Story) -> tuple[Figure, str] | None:
    """Training and validation loss by epoch; None for a model that has no epochs."""
    rows = last_stage([row for row in story.history if "epoch" in row])
    curves = {key: _curve(rows, key) for key in ("train", "val")}
    curves = {key: curve for key, curve in curves.items() if len(curve)}
    if not curves:
        return None
    made, grid = layout.figure(style.COLUMN, 2.2)
    ax: Axes = grid[0, 0]
    for key, curve in curves.items():
        dots: dict[str, Any] = {"marker": "o", "ms": 3} if len(curve) < 3 else {}
        color, dashes = style.CURVES[key]
        ax.plot(*curve.T, color=color, ls=dashes, lw=1.3, **dots)
    seen = np.concatenate([curve[:, 1] for curve in curves.values()])
    if seen.min() > 0 and seen.max() > LOG_FROM * seen.min():
        style.log_axis(ax)
    best = curves["val"][np.argmin(curves["val"][:, 1])] if "val" in curves else None
    if best is not None:
        _mark(ax, best, first=curves["val"][0, 0], last=curves["val"][-1, 0])
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
    if len(rows) == 1:
        ax.set_xticks([rows[0]["epoch"]])
    ax.set_xlabel("epoch")
    ax.set_ylabel("loss")
    ends = [
        layout.End(style.SPLIT_NAMES[key], float(x), float(y), style.CURVES[key][0])
        for key, (x, y) in ((key, curve[-1]) for key, curve in curves.items())
    ]
    layout.arrange(made, grid, right=layout.ends_width(made, ends), top=0.3)
    layout.name_ends(ax, ends)
    stage = f" ({rows[0]['stage']})" if "stage" in rows[0] else ""
    text = f"Loss of {story.model}{stage} over {len(rows)} epochs."
    if best is not None:
        text += f" Dot: the best on validation, epoch {best[0]:g}, whose weights are kept."
    return made, f"{text} {story.where}"


def last_stage(rows: list) -> list:
    """The epochs of the training that ended last, where parts of a model are trained in turn."""
    return [row for row in rows if row.get("stage") == rows[-1].get("stage")]


def _curve(rows: list, key: str) -> np.ndarray:
    """(epoch, 2): epoch and loss, of the epochs that have one; validation may skip some."""
    pairs = [(row["epoch"], row[key]) for row in rows if row.get(key) is not None]
    pairs = [pair for pair in pairs if np.isfinite(pair[1])]
    return np.array(pairs, float).reshape(-1, 2)


def _mark(ax: Axes, best: np.ndarray, first: float, last: float) -> None:
    epoch, value = best
    color = style.CURVES["val"][0]
    ax.axvline(epoch, color=style.FAINT, lw=0.8, zorder=0)
    ax.plot([epoch], [value], marker="o", ms=5, color=color, mec="white", mew=0.8, zorder=4)
    share = (epoch - first) / max(last - first, 1)
    side = "left" if share < 0.3 else "right" if share > 0.7 else "center"
    text = f"best: epoch {epoch:g}, {style.number(value)}"
    over: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
    ax.annotate(text, (epoch, 1), (0, 3), ha=side, **over)
