"""The figures of an analysis: links between things, and states over time and against each other."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from stsfm.datasets.panel import Panel
from stsfm.files import write
from stsfm.models.analyser import Analysis
from stsfm.plots import layout, links, style
from stsfm.plots.states import portrait as way
from stsfm.plots.states.course import ROWS, stacked
from stsfm.plots.story import clock

DRAWN = 4_000  # states of a path: more of them fill its plane


def draw(found: Analysis, panel: Panel, headline: str, folder: Path) -> None:
    """Write each figure that there is something for as PNG and SVG, and captions.json."""
    captions = {}
    with rc_context(style.STYLE):
        for figure in (links.graph, links.convergence, portrait, coordinates):
            if (made := figure(found, panel)) is not None:
                path = style.save(made[0], folder, figure.__name__)
                captions[path.name] = f"{made[1]} {headline}."
    write(folder / "captions.json", json.dumps(captions, indent=2, ensure_ascii=False) + "\n")


def coordinates(found: Analysis, panel: Panel) -> tuple[Figure, str] | None:
    """The first coordinates of the states over time; None without states."""
    if (z := found.states) is None:
        return None
    rows, shown = _Rows(panel), min(z.shape[1], ROWS)
    names = [f"z{k + 1}" for k in range(shown)]
    made, _ = stacked(rows, rows.clock[found.first : found.first + len(z)], z.T[:shown], names)
    of = f"The first {shown} of {z.shape[1]} coordinates" if z.shape[1] > shown else "The states"
    return made, f"{of} over the rows of the data."


def portrait(found: Analysis, panel: Panel) -> tuple[Figure, str] | None:
    """State against state: one against itself a row later, of more the first against the next two.

    None without states.
    """
    if found.states is None:
        return None
    z = found.states[-DRAWN:]
    pairs = way.pairs_of(z)
    made, grid = layout.figure(style.PAGE if len(pairs) > 1 else style.COLUMN, 2.9, 1, len(pairs))
    for ax, pair in zip(grid[0], pairs, strict=True):
        way.path(ax, z, pair, color=style.MODEL, lw=0.5)
        way.label(ax, pair, "z")
    layout.arrange(made, grid, top=0.1, gap=0.3)
    cut = f" The last {DRAWN:,} of {len(found.states):,}." if len(z) < len(found.states) else ""
    return made, f"The path of the states, a line from row to row.{cut}"


@dataclass(frozen=True)
class _Rows:
    """The rows of a panel as an axis has them."""

    panel: Panel

    @property
    def dated(self) -> bool:
        return bool(self.panel.about.step) and self.panel.mask.any((1, 2)).sum() > 1

    @cached_property
    def clock(self) -> np.ndarray:
        return clock(self.panel.time, self.panel.mask.any((1, 2)), dated=self.dated)
