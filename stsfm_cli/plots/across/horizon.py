"""Error by step of the horizon, every model of a comparison in one figure."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stsfm.plots import layout, style
from stsfm.plots.across import scale
from stsfm.plots.across.contest import Contest, Entry
from stsfm.plots.across.naming import shorten


def horizon(contest: Contest) -> tuple[Figure, str] | None:
    """A line per model over the steps, a band over seeds; None for one step or one model.

    What it would show of one step are the pooled errors, which the table and `seeds` show.
    """
    scored = [entry for entry in contest.entries if np.isfinite(entry.by_step).any()]
    if len(scored) < 2 or contest.horizon < 2:
        return None
    made, grid = layout.figure(style.COLUMN, 2.6)
    ax: Axes = grid[0, 0]
    stars = [entry for entry in scored if entry.star]
    banded = [entry for entry in stars if len(entry.by_step) > 1]
    steps = np.arange(1, contest.horizon + 1)
    for entry in scored:
        color, dashes, _, star = entry.look
        mean = entry.by_step.mean(0)
        style.trace(ax, steps, mean, color=color, ls=dashes, lw=1.4 if star else 0.6,
                    zorder=3 if star else 1, label=entry.label)  # fmt: skip
    for entry in banded:
        mean, sd = entry.by_step.mean(0), entry.by_step.std(0, ddof=1)
        ax.fill_between(steps, mean - sd, mean + sd, color=entry.look.color, alpha=0.18, lw=0,
                        label=entry.label)  # fmt: skip
    log = scale.errors(ax, np.stack([e.by_step.mean(0) for e in scored]), "y", zero=True)
    ax.set_xticks(style.step_ticks(contest.horizon, contest.season))
    ax.set_xlabel(contest.ahead)
    ax.set_ylabel(contest.in_units("MAE"))
    names = shorten(entry.label for entry in stars)
    ends = [_end(ax, entry, names[entry.label]) for entry in stars]
    layout.arrange(made, grid, right=layout.ends_width(made, ends), top=0.1)
    layout.name_ends(ax, ends)
    return made, _caption(contest, banded, log)


def _end(ax: Axes, entry: Entry, name: str) -> layout.End:
    mean = entry.by_step.mean(0)
    at = np.flatnonzero(np.isfinite(mean))[-1]
    height = float(np.clip(mean[at], *ax.get_ylim()))
    return layout.End(name, float(at + 1), height, entry.look.color)


def _caption(contest: Contest, banded: list[Entry], log: bool) -> str:
    nodes = " and nodes" * contest.many
    text = f"Mean absolute error by step of the horizon, over all test windows{nodes}."
    if banded:
        text += " Lines: means over seeds; bands: ± 1 standard deviation between seeds"
        text += ", which says nothing of the error of sampling origins."
    else:
        text += " No bands: no model shown in colour has several seeds."
    return f"{text}{scale.said(log)}{contest.rest}{contest.failed} {contest.where}"
