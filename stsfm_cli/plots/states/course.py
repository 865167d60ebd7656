"""States, and the components that a series is a sum of, over time."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from stsfm.plots import layout, style
from stsfm.plots.story import Story

ROWS = 6  # panels below each other that a page has room for


def coordinates(story: Story) -> tuple[Figure, str] | None:
    """The first states over time; None without states."""
    if (z := story.states.get("z")) is None or len(z) < 2:
        return None
    names = [f"state {k + 1}" for k in range(min(z.shape[1], ROWS))]
    made = _stacked(story, z.T[:ROWS], names, story.first_state)
    of = f"The first {ROWS} of {z.shape[1]} states" if z.shape[1] > ROWS else "The states"
    return made, f"{of} of {story.model} over the rows of the data. {story.where}"


def components(story: Story) -> tuple[Figure, str] | None:
    """The first components of the series over time; None where it was not taken apart."""
    if (parts := story.states.get("components")) is None or not len(parts):
        return None
    names = [f"component {k + 1}" for k in range(min(len(parts), ROWS))]
    made = _stacked(story, parts[:ROWS], names, len(story.time) - parts.shape[1])
    of = f"The first {ROWS} of {len(parts)} components" if len(parts) > ROWS else "The components"
    return made, f"{of}, which {story.model} takes the series for a sum of. {story.where}"


def _stacked(story: Story, lines: np.ndarray, names: list[str], first: int) -> Figure:
    """A line (row,) in a panel each, from a row of the data on; test is shaded."""
    clock = story.clock[first : first + lines.shape[1]]
    made, grid = stacked(story, clock, lines, names)
    border = story.clock[story.borders["test"][0]]
    for ax in grid[:, 0]:
        ax.axvspan(border, clock[-1], color=style.SPLITS["test"], lw=0, zorder=0)
    return made


def stacked(
    dated: style.Dated, clock: np.ndarray, lines: np.ndarray, names: list[str]
) -> tuple[Figure, Any]:
    """Lines (line, row), a panel each, over stretches of one clock (row,)."""
    made, grid = layout.figure(style.PAGE, 0.5 + 0.9 * len(lines), rows=len(lines))
    for k, (ax, line, name) in enumerate(zip(grid[:, 0], lines, names, strict=True)):
        style.trace(ax, clock, line, color=style.MODEL, lw=0.8)
        style.date_axis(ax, dated, clock[0], clock[-1], 7)
        ax.set_ylabel(name)
        if k < len(lines) - 1:
            ax.tick_params(labelbottom=False)
            ax.set_xlabel("")
    layout.arrange(made, grid, top=0.1, below=0.04)
    return made, grid
