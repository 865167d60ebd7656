"""Seed strips: every seed a dot, so that nobody takes luck for skill."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stsfm.plots import layout, style
from stsfm.plots.across import scale
from stsfm.plots.across.contest import Contest, Entry
from stsfm.plots.across.naming import shorten


def seeds(contest: Contest) -> tuple[Figure, str] | None:
    """A line per model with its seeds on it; None where no model has two."""
    scored = [entry for entry in contest.entries if np.isfinite(entry.error)]
    if len(scored) < 2 or not any(len(entry.test) > 1 for entry in scored):
        return None
    scored = scored[::-1]  # the best on top
    tall = 0.17 if len(scored) > 12 else 0.2
    made, grid = layout.figure(style.COLUMN, 0.6 + tall * len(scored))
    ax: Axes = grid[0, 0]
    for place, entry in enumerate(scored):
        _strip(ax, place, entry)
    names = shorten(entry.label for entry in scored)
    ax.set_yticks(range(len(scored)), [names[entry.label] for entry in scored])
    for label, entry in zip(ax.get_yticklabels(), scored, strict=True):
        label.set_color(entry.look.color if entry.star else style.SOFT)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(-0.6, len(scored) - 0.4)
    every = np.concatenate([entry.test for entry in scored])
    log = scale.errors(ax, every, "x")
    ax.set_xlabel(f"test {contest.error_label}")
    layout.arrange(made, grid, right=0.15)
    text = (
        f"Test {contest.metric} of every seed (dots) and their mean (bar); a tick alone is a "
        "model that draws no random numbers. Models in the order of their means."
    )
    return made, f"{text}{scale.said(log)}{contest.failed} {contest.where}"


def _strip(ax: Axes, place: int, entry: Entry) -> None:
    color = entry.look.color if entry.star else style.SOFT
    ax.axhline(place, color="#ececec", lw=0.6, zorder=0)
    if entry.deterministic:
        ax.plot(entry.test[:1], [place], ls="", marker="|", ms=7, mew=1.6, color=color)
        return
    if len(entry.test) > 1:
        ends = [place - 0.32, place + 0.32]
        ax.plot([entry.error] * 2, ends, color=color, lw=1.8, solid_capstyle="butt", zorder=3)
    ax.plot(entry.test, [place] * len(entry.test), ls="", marker="o", ms=4, mew=0.5, mec="white",
            color=color, alpha=0.75, zorder=4)  # fmt: skip
