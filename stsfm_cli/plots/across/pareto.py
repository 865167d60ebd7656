"""What one term of a loss costs another: their values at the epochs that were kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stsfm.plots import layout, style
from stsfm.plots.across import composites, scale
from stsfm.plots.across.contest import Contest, Entry
from stsfm.plots.across.cost import front, stairs
from stsfm.plots.across.naming import BESIDE, Dot, name_dots
from stsfm.tables.ablation import TASK

PANELS = 2
FEWEST = 3  # losses without which there is no front to speak of


def pareto(contest: Contest) -> tuple[Figure, str] | None:
    """The task against each other term, a dot per loss; None where too few have both."""
    others = dict.fromkeys(t for entry in contest.composites for t in entry.terms if t != TASK)
    panels = {term: both for term in others if len(both := _both(contest, term)) >= FEWEST}
    if not panels:
        return None
    names = list(panels)[:PANELS]
    width = style.COLUMN if len(names) == 1 else style.PAGE
    made, grid = layout.figure(width, 2.7, 1, len(names))
    held, looks = [], composites.colors(composites.shown(contest))
    for ax, term in zip(grid[0], names, strict=True):
        held.append(_panel(ax, panels[term], term, looks))
    layout.arrange(made, grid, right=BESIDE + layout.PAD, top=0.12, gap=0.12 + BESIDE)
    for ax, term, line in zip(grid[0], names, held, strict=True):
        name_dots(ax, _dots(contest, panels[term], term, looks), np.zeros((0, 2)), line)
    left = list(panels)[PANELS:]
    return made, _caption(contest, left)


def _both(contest: Contest, term: str) -> list[Entry]:
    """The losses shown that have the task and a term, and a number for each."""
    found = [e for e in composites.shown(contest) if {TASK, term} <= e.terms.keys()]
    return [e for e in found if np.isfinite(_means([e], TASK) + _means([e], term)).all()]


def _means(entries: Sequence[Entry], term: str) -> np.ndarray:
    """(entry,) a term at the epoch that was kept, the mean over seeds."""
    return np.array([np.mean(_each(entry, term)) for entry in entries])


def _each(entry: Entry, term: str) -> np.ndarray:
    """(seed,) a term, before its weight, at the epoch that was kept."""
    pairs = zip(entry.terms[term], entry.kept, strict=True)
    found = [curve[curve[:, 0] == kept, 1] for curve, kept in pairs]
    return np.array([values[0] if len(values) else np.nan for values in found])


def _panel(ax: Axes, entries: list[Entry], term: str, looks: Mapping[str, str]) -> np.ndarray:
    """Dots and front; returns the corners of its line."""
    x, y = _means(entries, TASK), _means(entries, term)
    each = [(_each(entry, TASK), _each(entry, term)) for entry in entries]
    scale.errors(ax, np.concatenate([x, *(a for a, _ in each)]), "x")
    scale.errors(ax, np.concatenate([y, *(b for _, b in each)]), "y")
    line = stairs(x, y, front(list(x), list(y)), ax.get_xlim()[1])
    ax.plot(*line.T, color=style.FAINT, lw=1.0, zorder=0)
    for k, entry in enumerate(entries):
        (a, b), color = each[k], looks[entry.label]
        if len(a) > 1:
            ax.plot(a, b, ls="", marker="o", ms=2, mew=0, color=color, alpha=0.5)
        ax.plot(x[k], y[k], ls="", marker="o", ms=5, color=color, zorder=4, mec="white", mew=0.5,
                label=entry.label)  # fmt: skip
    ax.set_xlabel("task")
    ax.set_ylabel(style.short(term, 24))
    return line


def _dots(contest: Contest, entries: list[Entry], term: str, looks: Mapping[str, str]) -> list[Dot]:
    places = zip(entries, _means(entries, TASK), _means(entries, term), strict=True)
    return [Dot(composites.name(e, contest), x, y, looks[e.label]) for e, x, y in places]


def _caption(contest: Contest, left: Sequence[str]) -> str:
    text = (
        "The task against other terms of composite losses: each before its weight, on the training "
        "windows at the epoch whose weights were kept; large dots are means over seeds, small ones "
        "single seeds. Stair: the Pareto front of the means, where no other loss is lower in both. "
        "A loss without the term is not shown. Neither validation nor test chooses a place on it."
    )
    if left:
        text += f" Not shown: {', '.join(left)}."
    return f"{text}{composites.rest(contest)} {contest.where}"
