"""How each term of a composite loss fell, and where its weight went: a panel per term."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from stsfm.plots import layout, style
from stsfm.plots.across import composites
from stsfm.plots.across.contest import Contest, Entry
from stsfm.plots.loss import LOG_FROM
from stsfm.tables.ablation import TASK

PANELS = 4  # terms side by side


def terms(contest: Contest) -> tuple[Figure, str] | None:
    """Unweighted training losses by epoch, weights below where any moves; None without any."""
    entries = composites.shown(contest)
    others = list(dict.fromkeys(t for entry in entries for t in entry.terms if t != TASK))
    names = [*others[: PANELS - 1], TASK]  # which all have, so that it is where all are named
    if len(names) < 2:
        return None
    courses = [course for entry in entries for each in entry.terms.values() for course in each]
    rows = 1 + any(map(_moves, courses))
    made, grid = layout.figure(style.PAGE, 0.6 + 1.5 * rows, rows, len(names))
    looks = composites.colors(entries)
    for row, name in np.ndindex(rows, len(names)):
        ax = grid[row, name]
        for entry in entries:
            _lines(ax, entry, names[name], 1 + row, looks[entry.label])
        _scale(ax)
        ax.xaxis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 2, 5, 10]))
    for ax, name in zip(grid[0], names, strict=True):
        ax.set_title(style.short(name, 24))
    for ax in grid[-1]:
        ax.set_xlabel("epoch")
    for ax, label in zip(grid[:, 0], ("unweighted loss", "weight"), strict=False):
        ax.set_ylabel(label)
    ends = [_end(entry, looks[entry.label], contest) for entry in entries]
    right = layout.ends_width(made, ends)
    layout.arrange(made, grid, titles=[0.22, *[0.06] * (rows - 1)], right=right)
    layout.name_ends(grid[0, -1], ends)
    return made, _caption(contest, others[PANELS - 1 :], rows > 1)


def _moves(curve: np.ndarray) -> bool:
    weights = curve[np.isfinite(curve[:, 2]), 2]
    return bool(weights.size and np.ptp(weights) > 1e-6 * abs(weights).max())


def _lines(ax: Axes, entry: Entry, name: str, column: int, color: str) -> None:
    """A thin line for every seed, and a dot at the epoch that was kept."""
    for curve, kept in zip(entry.terms.get(name, ()), entry.kept, strict=False):
        if not np.isfinite(curve[:, column]).any():
            continue
        ax.plot(curve[:, 0], curve[:, column], color=color, lw=0.8, label=entry.label)
        at = curve[curve[:, 0] == kept]
        ax.plot(at[:, 0], at[:, column], ls="", marker="o", ms=3, color=color, mec="white",
                mew=0.4, zorder=4)  # fmt: skip


def _scale(ax: Axes) -> None:
    """Logarithmic where the values fall far."""
    if not ax.lines:
        return
    values = np.concatenate([np.asarray(line.get_ydata(), float) for line in ax.lines])
    values = values[np.isfinite(values)]
    if values.size and values.min() > 0 and values.max() > LOG_FROM * values.min():
        style.log_axis(ax)


def _end(entry: Entry, color: str, contest: Contest) -> layout.End:
    """The name of a loss at the last epoch of its longest training."""
    epoch, value, _ = max(entry.terms[TASK], key=len)[-1]
    return layout.End(composites.name(entry, contest), float(epoch), float(value), color)


def _caption(contest: Contest, left: Sequence[str], weights: bool) -> str:
    text = (
        "The terms of composite losses on the training windows by epoch, each before its weight"
        f"{', and below the weights' * weights}; a line for every seed. Dots: the epochs whose "
        "weights were kept, the best of the task on validation."
    )
    if left:
        text += f" Not shown: {', '.join(left)}."
    return f"{text}{composites.rest(contest)} {contest.where}"
