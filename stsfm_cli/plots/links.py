"""What an analysis found between things: a graph of the links, and how each came to be."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib.patheffects import withStroke

from stsfm.datasets.panel import Panel, Space
from stsfm.models.analyser import Analysis, Curve
from stsfm.plots import layout, style
from stsfm.words import number

FEW = 6  # things between whose links there is room for numbers
DRAWN = 8  # pairs whose curves are told apart
NAMED = 24  # things whose names fit beside their dots
BEND = 0.16  # of an arrow: there and back are two
WIDTHS = (0.5, 2.6)  # points, at strength 0 and 1
DOT = 5.0  # points of radius


def graph(found: Analysis, panel: Panel) -> tuple[Figure, str] | None:
    """Dots at their coordinates, or on a circle; a line for each link, the stronger the wider."""
    if not found.names:
        return None
    places, placed = _places(found, panel.space)
    made, grid = layout.figure(style.COLUMN, style.COLUMN)
    named = [style.short(name, 18) if len(places) <= NAMED else "" for name in found.names]
    ax: Axes = grid[0, 0]
    _fit(ax, places, max(layout.text_width(made, name) for name in named))
    for link in sorted(found.links, key=lambda link: link.strength):
        ends = places[link.source], places[link.target]
        ax.add_patch(_arrow(*ends, link.strength, directed=found.directed))
        if len(found.links) <= DRAWN and len(places) <= FEW:
            _number(ax, *ends, link.strength, bent=found.directed)
    area = (2 * DOT) ** 2 / (1 + (len(places) > NAMED))
    ax.scatter(places[:, 0], places[:, 1], area, color=style.MODEL, lw=0, zorder=3)
    for name, (x, y) in zip(named, places, strict=True):
        out = np.array([0, 1] if placed else [x, y])
        ax.annotate(name, (x, y), tuple(10 * out), textcoords="offset points", zorder=4,
                    ha="center" if abs(out[0]) < 0.3 else "left" if out[0] > 0 else "right",
                    va="center" if abs(out[1]) < 0.3 else "bottom" if out[1] > 0 else "top",
                    path_effects=[withStroke(linewidth=2, foreground="white")])  # fmt: skip
    if not found.links:
        ax.text(0, 0, "no link found", ha="center", va="center", color=style.SOFT)
    what = "An arrow leads from what drives to what is driven" if found.directed else "A line joins"
    at = "at the coordinates of the nodes" if placed else "on a circle"
    return made, (
        f"Links that were found; dots lie {at}. {what}; its number and width are the "
        f"{found.strength}."
    )  # fmt: skip


def _fit(ax: Axes, places: np.ndarray, words: float) -> None:
    """Room for names of so many inches beside the dots; the figure as high as these need."""
    made: Any = ax.figure
    wide = made.get_figwidth() / 2
    inch = np.ptp(places[:, 0]) / 2 / (wide - words - 0.25) if np.ptp(places[:, 0]) else 1.0
    tall = float(np.ptp(places[:, 1])) / 2 / inch + 0.4  # inches from the middle
    made.set_figheight(2 * tall)
    middle = (places.max(0) + places.min(0)) / 2
    ax.set_position((0, 0, 1, 1))
    ax.set(xlim=middle[0] + inch * wide * np.array([-1, 1]),
           ylim=middle[1] + inch * tall * np.array([-1, 1]))  # fmt: skip
    ax.axis("off")


def convergence(found: Analysis, panel: Panel) -> tuple[Figure, str] | None:
    """Strength over the rows of libraries; None where nothing was found over anything."""
    if not found.curves:
        return None
    curves = found.curves[:DRAWN]
    made, grid = layout.figure(style.COLUMN, 2.5)
    ax: Axes = grid[0, 0]
    ends = [_curve(ax, curve, k) for k, curve in enumerate(curves)]
    ax.axhline(0, color=style.FAINT, lw=0.6, zorder=0)
    ax.set_xscale("log")
    sizes = curves[0].x
    ticks = sorted({int(sizes[0]), int(sizes[len(sizes) // 2]), int(sizes[-1])})
    ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    ax.set_xticks([], minor=True)
    ax.set(xlabel=found.across, ylabel=found.strength)
    layout.arrange(made, grid, top=0.12, right=layout.ends_width(made, ends))
    layout.name_ends(ax, ends)
    less = f" The first {DRAWN} of {len(found.curves)} pairs." if len(found.curves) > DRAWN else ""
    return made, (
        f"{found.strength[0].upper()}{found.strength[1:]} over {found.across}: the mean of random "
        f"libraries of a size, and 90 % of them. Where one series drives the other, it rises and "
        f"converges.{less}"
    )


def _curve(ax: Axes, curve: Curve, k: int) -> layout.End:
    """The first in the model's colour, the others as its rivals are drawn."""
    colour, dashes = ((style.MODEL, "-"), *style.OTHERS)[k]
    if k < 2:  # more bands than these hide each other
        ax.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.15, lw=0)
    ax.plot(curve.x, curve.y, color=colour, ls=dashes)
    return layout.End(style.short(curve.name, 34), float(curve.x[-1]), float(curve.y[-1]), colour)


def _places(found: Analysis, space: Space) -> tuple[np.ndarray, bool]:
    """(name, 2) within 1 of the middle, and whether the data say where."""
    nodes = np.array(found.at)
    coords = None if space.coords is None else np.asarray(space.coords, float)
    if coords is None or coords.shape[1] != 2 or len(set(nodes.tolist())) < len(nodes):
        turn = np.pi / 2 - 2 * np.pi * np.arange(len(nodes)) / len(nodes)
        flat = np.pi / 2 if len(nodes) == 2 else 0.0  # two lie side by side
        return np.stack([np.cos(turn + flat), np.sin(turn + flat)], 1).round(9), False
    at = coords[nodes]
    if space.geometry == "sphere":
        at = at * [np.cos(np.radians(at[:, 1].mean())), 1]
    middle, size = (at.max(0) + at.min(0)) / 2, np.ptp(at, 0).max() or 1
    return 2 * (at - middle) / size, True


def _arrow(a: np.ndarray, b: np.ndarray, strength: float, *, directed: bool) -> FancyArrowPatch:
    low, high = WIDTHS
    look: dict[str, Any] = {"lw": low + (high - low) * min(1.0, abs(strength)), "color": style.SOFT}
    shape = f"arc3,rad={BEND if directed else 0}"
    return FancyArrowPatch(
        tuple(a), tuple(b), connectionstyle=shape, arrowstyle="-|>" if directed else "-",
        mutation_scale=9, shrinkA=DOT + 2, shrinkB=DOT + 2, zorder=2, **look,
    )  # fmt: skip


def _number(ax: Axes, a: np.ndarray, b: np.ndarray, strength: float, *, bent: bool) -> None:
    """Beside the middle of the line, on the side that it bends to."""
    along = b - a
    side = np.array([along[1], -along[0]])  # to the right of the way
    middle = (a + b) / 2 + (0.5 * BEND if bent else 0) * side
    x, y = middle + 0.11 * side / max(np.hypot(*side), 1e-9)
    text = number(strength, 2)
    ax.text(x, y, text, ha="center", va="center", color=style.SOFT, fontsize=7, zorder=4,
            path_effects=[withStroke(linewidth=2, foreground="white")])  # fmt: skip
