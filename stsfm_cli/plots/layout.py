"""Where things go: axes whose labels just fit, and names at the ends of lines that never touch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from stsfm.plots.style import DPI, Numbers

PAD = 0.08  # inches between neighbours
LINE = 0.135  # inches between two lines of text


class End(NamedTuple):
    """The right end of a line, to be named there."""

    name: str
    x: float
    y: float
    color: str
    bold: bool = False


def figure(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple[Figure, Any]:
    """A figure in inches and its axes (row, column); `arrange` gives them their places."""
    made = Figure(figsize=(width, height), dpi=DPI)
    FigureCanvasAgg(made)
    grid = np.empty((rows, columns), object)
    for row, column in np.ndindex(rows, columns):
        place = (column / columns, 1 - (row + 1) / rows, 0.8 / columns, 0.8 / rows)
        grid[row, column] = ax = made.add_axes(place, label=f"{row} {column}")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))  # at any size
            axis.set_major_formatter(Numbers())
    return made, grid


def arrange(
    made: Figure,
    grid: Any,
    *,
    top: float = PAD,
    right: float = PAD,
    titles: float | Sequence[float] = 0.0,
    below: float = 0.0,
    gap: float = 0.12,
    heights: Sequence[float] | None = None,
) -> None:
    """Places the axes so that every label just fits: one measurement, where a solver takes five.

    top, right  inches of figure left free above and beside the grid
    titles      inches above each row for its titles
    below       inches between rows, besides their labels
    gap         inches between columns, besides their labels
    heights     of the rows, as shares
    """
    width, height = made.get_size_inches()
    rows, columns = grid.shape
    lefts = [max(_room(ax, "y") for ax in column) for column in grid.T]
    bottoms = [max(_room(ax, "x") for ax in row) for row in grid]
    wide = (width - right - PAD - sum(lefts) - gap * (columns - 1)) / columns
    above = np.broadcast_to(titles, rows)
    shares = np.array(heights or [1] * rows) / sum(heights or [1] * rows)
    tall = shares * (height - top - PAD - sum(bottoms) - above.sum() - below * (rows - 1))
    y = height - top
    for row in range(rows):
        y -= above[row] + tall[row]
        x = PAD
        for column in range(columns):
            x += lefts[column]
            place = (x / width, y / height, wide / width, tall[row] / height)
            grid[row, column].set_position(place)
            x += wide + gap
        y -= bottoms[row] + below


def _room(ax: Axes, which: str) -> float:
    """Inches that the ticks and label of an axis take."""
    axis = ax.yaxis if which == "y" else ax.xaxis
    box = axis.get_tightbbox(ax.figure.canvas.get_renderer()) if ax.axison else None  # type: ignore
    if box is None:
        return 0.0
    edge = ax.bbox.x0 - box.x0 if which == "y" else ax.bbox.y0 - box.y0
    return float(max(0.0, edge) / ax.figure.dpi)


def text_width(made: Figure, text: str, **font: Any) -> float:
    """Inches that a text takes."""
    written = made.text(0, 0, text, **font)
    box = written.get_window_extent(made.canvas.get_renderer())  # type: ignore[attr-defined]
    written.remove()
    return float(box.width / made.dpi)


def spread(wanted: Sequence[float], sizes: Sequence[float], low: float, high: float) -> np.ndarray:
    """Middles of things of these sizes that do not overlap, as near to the wanted ones as can be.

    Least squares: what each is moved by, once shifted by the sizes before it, must not decrease,
    which pooling adjacent violators solves; what would leave [low, high] is pushed back in.
    """
    order = np.argsort(wanted, kind="stable")
    each = np.asarray(sizes)[order]
    offsets = np.cumsum(each) - each / 2
    pools: list[tuple[float, int]] = []  # mean and size
    for place in np.asarray(wanted)[order] - offsets:
        mean, size = float(place), 1
        while pools and pools[-1][0] > mean:
            before, count = pools.pop()
            mean, size = (before * count + mean * size) / (count + size), count + size
        pools.append((mean, size))
    places = np.repeat([mean for mean, _ in pools], [size for _, size in pools])
    out = np.empty(len(order))
    out[order] = np.clip(places, low, max(low, high - each.sum())) + offsets
    return out


def name_ends(ax: Axes, ends: Sequence[End]) -> None:
    """Names lines to the right of the axes; those that would touch move apart, each on a leader."""
    box = ax.get_window_extent()
    wide, tall = box.width / DPI, box.height / DPI  # inches
    points = ax.transData.transform([(end.x, end.y) for end in ends])
    x, y = ax.transAxes.inverted().transform(points).T
    heights = spread(y, [LINE / tall] * len(ends), low=-0.02, high=1.1)
    to_x = 1 + 0.12 / wide
    for end, from_x, from_y, to_y in zip(ends, x, y, heights, strict=True):
        ax.plot([from_x + 0.03 / wide, to_x - 0.03 / wide], [from_y, to_y], color=end.color, lw=0.5,
                transform=ax.transAxes, clip_on=False)  # fmt: skip
        ax.text(to_x, to_y, end.name, color=end.color, va="center_baseline",
                transform=ax.transAxes, weight=_weight(end))  # fmt: skip


def ends_width(made: Figure, ends: Sequence[End]) -> float:
    """Inches to leave free at the right of axes for `name_ends`."""
    return 0.2 + max(text_width(made, end.name, weight=_weight(end)) for end in ends)


def _weight(end: End) -> str:
    return "bold" if end.bold else "normal"


def one_scale(row: np.ndarray) -> None:
    """Panels (n,) side by side on one scale, whose labels the first has for all."""
    limits = np.array([ax.get_ylim() for ax in row])
    for ax in row:
        ax.set_ylim(limits[:, 0].min(), limits[:, 1].max())
    for ax in row[1:]:
        ax.tick_params(labelleft=False)
