"""Performance profiles over series: how often a model is within a factor of the best.

    ρ(τ) = share of series whose error is at most τ times that of the best model there

Dolan & Moré (2002), "Benchmarking optimization software with performance profiles". No outlier and
no large series dominates it, as they dominate a mean.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stsfm.plots import layout, style
from stsfm.plots.across.contest import Contest
from stsfm.plots.across.naming import shorten
from stsfm.words import count

FEWEST = 5  # series
FURTHEST = 10.0  # times the best: beyond it all are bad


def ratios(errors: np.ndarray) -> np.ndarray:
    """(model, series) errors → to the best of each series; 0 / 0 is 1, and NaN is never best.

    A model without an error on a series never comes near: its ratio is infinite.
    """
    best = np.nanmin(errors, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where(errors == best, 1.0, errors / best)
    return np.where(np.isnan(errors), np.inf, found)


def profile(contest: Contest) -> tuple[Figure, str] | None:
    """A stair per model; None for fewer than two models or five series."""
    scored = [entry for entry in contest.entries if entry.by_node.size]
    errors = np.array([entry.by_node for entry in scored])
    if len(scored) < 2:
        return None
    errors = errors[:, np.isfinite(errors).any(0)]
    if (series := errors.shape[1]) < FEWEST:
        return None
    found = ratios(errors)
    finite = found[np.isfinite(found)]
    most = min(FURTHEST, max(1.1, 1.03 * float(finite.max())))
    made, grid = layout.figure(style.COLUMN, 2.6)
    ax: Axes = grid[0, 0]
    heights: dict[str, float] = {}
    for entry, ratio in zip(scored, found, strict=True):
        color, dashes, _, star = entry.look
        x = np.sort(ratio[ratio <= most])
        shares = np.arange(1, len(x) + 1) / series
        ax.step([1, *x, most], [0, *shares, heights.setdefault(entry.label, len(x) / series)],
                where="post", color=color, ls=dashes, lw=1.3 if star else 0.6,
                zorder=3 if star else 1, label=entry.label)  # fmt: skip
    ax.set_xlim(1, most)
    ax.set_ylim(0, 1.03)
    ax.set_xlabel("error / error of the best model there")
    ax.set_ylabel("share of series")
    stars = [entry for entry in scored if entry.star]
    names = shorten(entry.label for entry in stars)
    ends = [layout.End(names[e.label], most, heights[e.label], e.look.color) for e in stars]
    ends.reverse()  # of those that end together the best stands on top
    layout.arrange(made, grid, right=layout.ends_width(made, ends), top=0.25)
    layout.name_ends(ax, ends)
    return made, _caption(contest, series, float(finite.max()) > FURTHEST)


def _caption(contest: Contest, series: int, cut: bool) -> str:
    text = (
        f"Performance profiles (Dolan & Moré 2002) over {series:,} serie"
        "s: the share of them on which the test MAE of a model is at most so many times that of "
        "the best model there. Where a line begins is how often its model is the best."
    )
    silent = len(contest.nodes) - series
    if silent:
        text += f" {count(silent, 'node')} with nothing observed left out."
    if cut:
        text += f" Cut at {FURTHEST:g} times."
    return f"{text}{contest.rest}{contest.failed} {contest.where}"
