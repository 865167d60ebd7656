"""When a model gains on a control and when it loses: the difference of losses, summed up.

As Goyal & Welch (2008, Fig. 1) show it for predictions of the equity premium.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stsfm.datasets.split import independent
from stsfm.plots import layout, style
from stsfm.plots.across.contest import Contest
from stsfm.plots.across.naming import shorten

FEWEST = 5  # origins, of fewer of which a line says nothing


def gains(contest: Contest) -> tuple[Figure, str] | None:
    """A line per model over test origins; None without a control, or with too few origins."""
    losses = {entry.label: entry.lost for entry in contest.entries if entry.lost.size}
    control = losses.pop(contest.control, None)
    others = [entry for entry in contest.entries if entry.label in losses]
    if control is None or not others or len(contest.origins) < FEWEST:
        return None
    places = _places(contest)
    made, grid = layout.figure(style.COLUMN, 2.6)
    ax: Axes = grid[0, 0]
    sums = {e.label: np.nancumsum(control - e.lost) for e in others}
    for entry in others:
        color, dashes, _, star = entry.look
        x, y = style.thin(places, sums[entry.label])
        ax.plot(x, y, color=color, ls=dashes, lw=1.3 if star else 0.6, zorder=3 if star else 1,
                label=entry.label)  # fmt: skip
    zero = next(entry for entry in contest.entries if entry.label == contest.control)
    ax.axhline(0, color=zero.look.color if zero.star else style.INK, lw=1.0, zorder=2)
    stars = [entry for entry in others if entry.star]
    _limit(ax, np.concatenate([sums[e.label] for e in stars or others]))
    slack = 0.02 * (places[-1] - places[0])
    style.date_axis(ax, contest, places[0] - slack, places[-1] + slack, most=3)
    control_name = shorten([contest.control], 14)[contest.control]
    ax.set_ylabel(f"gain on {control_name}, summed\n({contest.metric} × origins)")
    names = shorten(entry.label for entry in [*stars, zero])
    ends = [
        layout.End(names[e.label], places[-1], _held(ax, sums[e.label][-1]), e.look.color)
        for e in stars
    ]
    ends.append(layout.End(names[zero.label], places[-1], 0.0, zero.look.color, bold=True))
    layout.arrange(made, grid, right=layout.ends_width(made, ends), top=0.1)
    layout.name_ends(ax, ends)
    return made, _caption(contest)


def _places(contest: Contest) -> np.ndarray:
    """Where on the calendar each origin is."""
    return contest.clock[contest.origins - contest.origins[0]]


def _limit(ax: Axes, sums: np.ndarray) -> None:
    """Room for the models in colour; one that is lost by a mile runs out of the figure."""
    gains, losses = max(0.0, sums.max()), min(0.0, sums.min())
    reach = gains - losses or 1.0
    ax.set_ylim(losses - 0.06 * reach, gains + 0.06 * reach)


def _held(ax: Axes, y: float) -> float:
    return float(np.clip(y, *ax.get_ylim()))


def _caption(contest: Contest) -> str:
    text = (
        f"{contest.metric} of {contest.control} minus that of each model, summed over test origins "
        f"in the order of time: a line that rises gains on {contest.control}, one that falls "
        "loses. At its end a line is the difference of the pooled errors times the origins."
    )
    if independent(contest.origins, contest.horizon) < len(contest.origins):
        text += " Futures overlap, so that one row counts in several origins."
    return f"{text}{contest.rest}{contest.failed} {contest.where}"
