"""Where on the map a model gains on the control: the difference of their errors, node by node."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stsfm.plots import layout, style
from stsfm.plots.across.contest import Contest, Entry
from stsfm.plots.across.naming import shorten
from stsfm.plots.space import canvas
from stsfm.plots.space.errors import FEWEST
from stsfm.significance.moran import moran
from stsfm.words import number, p_value


def where(contest: Contest) -> tuple[Figure, str] | None:
    """Gains of the model that validation prefers; None without a control, or without any space."""
    place, rivals = contest.place, _rivals(contest)
    if place is None or place.nodes < FEWEST or rivals is None:
        return None
    best, control = rivals
    gain = control.by_node - best.by_node
    if not np.isfinite(gain).any() or not np.nanmax(abs(gain)) > 0:
        return None
    sheet, scale = canvas.Sheet(place), canvas.signs(gain)
    made, grid = layout.figure(style.COLUMN, 0.75 + 2.1 * sheet.shape)
    ax: Axes = grid[0, 0]
    drawn = sheet.draw(ax, gain, scale)
    layout.arrange(made, grid, titles=0.26, right=0.7)
    names = shorten([best.label, control.label])
    ax.set_title(f"Gain of {names[best.label]} on {names[control.label]}")
    canvas.bar(ax, drawn, scale, contest.in_units("MAE saved"))
    return made, _caption(contest, best, control, gain, sheet)


def _rivals(contest: Contest) -> tuple[Entry, Entry] | None:
    """The model that validation prefers beside the control, and the control."""
    scored = [entry for entry in contest.entries if entry.by_node.size]
    control = next((entry for entry in scored if entry.label == contest.control), None)
    others = [entry for entry in scored if entry is not control]
    if control is None or not others:
        return None
    return min(others, key=lambda entry: entry.preference), control


def _caption(
    contest: Contest, best: Entry, control: Entry, gain: np.ndarray, sheet: canvas.Sheet
) -> str:
    assert contest.place is not None
    seen = np.isfinite(gain)
    parts = [
        f"Test MAE of {control.label} minus that of {best.label}, which validation prefers of all "
        f"others, at every node: red where {best.label} is better, at {(gain > 0).sum():,} of "
        f"{seen.sum():,} nodes.",
        _clustered(contest, gain),
        sheet.said,
        canvas.thinned(contest.place),
        "Colours end at the 98 % quantile." if seen.sum() >= canvas.MANY else "",
        contest.where,
    ]
    return " ".join(filter(None, parts))


def _clustered(contest: Contest, gain: np.ndarray) -> str:
    """Do neighbours gain alike? "" where that can't be tested."""
    near = contest.place and contest.place.neighbours
    if not near:
        return ""
    seen = np.isfinite(gain)
    found = moran(np.where(seen, gain, 0)[None], seen[None], near.edges, near.weights)
    if found.i is None or found.p is None:
        return ""
    return f"Moran's I of the gain: {number(found.i, 2)} ({p_value(found.p)}; {near.said})."
