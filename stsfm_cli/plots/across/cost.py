"""Accuracy against cost: what a smaller error is paid with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stsfm.plots import layout, style
from stsfm.plots.across import scale
from stsfm.plots.across.contest import Contest, Entry
from stsfm.plots.across.naming import BESIDE, Dot, name_dots, shorten


def front(seconds: Sequence[float], errors: Sequence[float]) -> list[int]:
    """Indices of the Pareto front, the cheapest first: nothing is both cheaper and better."""
    best, kept = np.inf, []
    for k in np.lexsort((errors, seconds)):
        if errors[k] < best:
            best = errors[k]
            kept.append(int(k))
    return kept


def cost(contest: Contest) -> tuple[Figure, str] | None:
    """A dot per model, the Pareto front a stair; None unless three models have both numbers."""
    shown = [e for e in contest.entries if np.isfinite(e.error) and np.isfinite(e.seconds)]
    if len(shown) < 3:
        return None
    least = min((e.seconds for e in shown if e.seconds > 0), default=1.0)
    seconds = np.array([max(entry.seconds, least) for entry in shown])
    errors = np.array([entry.error for entry in shown])
    made, grid = layout.figure(style.COLUMN, 2.7)
    ax: Axes = grid[0, 0]
    stair = front(list(seconds), list(errors))
    ax.set_xlim(seconds.min() / 2, seconds.max() * 2)
    style.log_axis(ax, "x")
    log = scale.errors(ax, errors, "y")
    line = stairs(seconds, errors, stair, ax.get_xlim()[1])
    ax.plot(*line.T, color=style.FAINT, lw=1.0, zorder=0, label="front")
    for entry, x, y in zip(shown, seconds, errors, strict=True):
        color, _, marker, star = entry.look
        ax.plot([x], [y], ls="", marker=marker, color=color, ms=5 if star else 3.5, mew=1.1,
                mfc=color if entry.net else "white", zorder=4 if star else 2,
                label=entry.label)  # fmt: skip
    ax.set_xlabel("seconds to fit and predict")
    ax.set_ylabel(f"test {contest.error_label}")
    layout.arrange(made, grid, right=BESIDE + layout.PAD, top=0.12)
    named, others = _named(shown, seconds, errors, stair)
    name_dots(ax, named, others, line)
    return made, _caption(contest, shown, stair, log)


def stairs(x: np.ndarray, y: np.ndarray, stair: list[int], end: float) -> np.ndarray:
    """(corner, 2) of the line along a front, on to the right end of the axes."""
    turns = np.append(x[stair], end).repeat(2)[1:-1]
    return np.stack([turns, y[stair].repeat(2)], 1)


def _named(
    shown: list[Entry], x: np.ndarray, y: np.ndarray, stair: list[int]
) -> tuple[list[Dot], np.ndarray]:
    """Dots to be named, those with a colour and those on the front, and the dots that are not."""
    names = shorten(entry.label for entry in shown)
    told = [k for k, entry in enumerate(shown) if entry.star or k in stair]
    dots = [
        Dot(names[e.label], x[k], y[k], e.look.color if e.star else style.SOFT)
        for k, e in ((k, shown[k]) for k in told)
    ]
    rest = [k for k in range(len(shown)) if k not in told]
    return dots, np.stack([x[rest], y[rest]], 1)


def _caption(contest: Contest, shown: list[Entry], stair: list[int], log: bool) -> str:
    ahead = ", ".join(shown[k].label for k in stair)
    text = (
        f"Test {contest.metric} against the seconds that a model takes to fit and to predict, on "
        "the machines that made the runs (means over seeds). Filled: nets; open: others. Stair: "
        f"the Pareto front ({ahead}): nothing is both cheaper and better. The axis of seconds is "
        f"logarithmic.{scale.said(log)}"
    )
    return f"{text}{contest.rest}{contest.failed} {contest.where}"
