"""The layers of a model: codes and their sizes, what each W is held to, and where terms act.

Across, a column is a code and what leads to the next; upwards are inches about the middle of codes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Polygon, Rectangle

from stsfm.plots import layout, style
from stsfm.plots.story import Story
from stsfm.words import listed

HELD = {"pca": "WᵀW = I", "skip": "W = I", "metric": "W ⪰ 0", "multilinear": "AᵀA = I"}
HOW = {"hard": "always", "soft": "by a term", "none": "at the start"}
WIDTH = 0.15  # of a code, in columns
LEAST, MOST = 0.2, 1.1  # inches of the smallest and the largest code
LINE, ARC = 0.14, 0.24  # inches of a line of words, and that a way back rises
TERM = style.VERMILLION
LOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class Rows(NamedTuple):
    """Where words begin, in inches."""

    top: float
    words: float  # of the layers
    terms: float  # of the layers
    codes: float  # terms of the last code
    bottom: float


def layers(story: Story) -> tuple[Figure, str] | None:
    """A stack from what it reads to what it forecasts; None of a model that is none."""
    if not story.drawing:
        return None
    stack, terms = story.drawing["layers"], story.drawing["terms"]
    sizes, rows, many = _sizes(story), _rows(terms, len(stack)), len(stack)
    heights = _heights(sizes)
    made, grid = layout.figure(style.PAGE, rows.top - rows.bottom)
    ax: Axes = grid[0, 0]
    ax.set_axis_off()
    ax.set_position((0, 0, 1, 1))
    ax.set_xlim(-0.35, many + 1.45)
    ax.set_ylim(rows.bottom, rows.top)
    size = min(8.0, 5.5 * style.PAGE / (many + 1.8))
    for k, (count, height) in enumerate(zip(sizes, heights, strict=True)):
        _code(ax, k, count, height, last=k > many)
    for k, layer in enumerate([*stack, None]):
        kind, *more = _words(layer) if layer else ("head", "linear")
        _link(ax, k, heights[k], heights[k + 1])
        ax.text(k + 0.5, 0, kind, ha="center", va="center", size=size)
        _lines(ax, k + 0.5, rows.words, more, size, style.SOFT)
        _lines(ax, k + 0.5, rows.terms, _at(terms, "layers", k + 1), size, TERM)
        if layer:
            _back(ax, k + 1, heights, layer["tied"], _at(terms, "way back", k + 1), size)
    if of_code := _at(terms, "codes"):
        ax.plot([many, many], [-heights[many] / 2 - 0.2, rows.codes + 0.02], color=TERM, lw=0.6)
        _lines(ax, many, rows.codes, of_code, size, TERM)
    _lines(ax, many + 1, rows.words, _at(terms, "forecast"), size, TERM)
    return made, _caption(story)


def _rows(terms: Sequence[Mapping[str, Any]], many: int) -> Rows:
    """Room for all that is written."""
    each = range(1, many + 1)
    words = -MOST / 2 - 0.26
    below = words - 2 * LINE - 0.03
    codes = below - LINE * max(len(_at(terms, "layers", k)) for k in each) - 0.04
    ends = (codes - LINE * len(_at(terms, "codes")), words - LINE * len(_at(terms, "forecast")))
    backs = max(len(_at(terms, "way back", k)) for k in each)
    top = MOST / 2 + ARC + LINE * (1 + backs) + 0.06
    return Rows(top, words, below, codes, min(ends) - 0.04)


def _sizes(story: Story) -> list[int]:
    """How many numbers go in, are in each code, and come out."""
    drawing = story.drawing
    nodes = 1 if drawing["input"]["mixing"] == "node" else len(story.about.nodes)
    reads, gives = math.prod(drawing["input"]["shape"]), math.prod(drawing["output"].values())
    return [reads, *(layer["size"] for layer in drawing["layers"]), gives * nodes]


def _heights(sizes: Sequence[int]) -> list[float]:
    """By the logarithm of the size: of 1 the least, of the largest the most."""
    top = math.log(max(2, *sizes))
    return [LEAST + (MOST - LEAST) * math.log(size) / top for size in sizes]


def _at(terms: Sequence[Mapping[str, Any]], on: str, layer: int | None = None) -> list[str]:
    """What is written of the terms that act there: "orthogonality · 0.01"."""
    return [
        f"{term['name']} · {style.number(term['weight'])}"
        for term in terms
        if term["on"] == on and (layer is None or layer in term["layers"])
    ]


def _words(layer: Mapping[str, Any]) -> list[str]:
    """Its type, what it is held to, and its activation."""
    held = HELD.get(layer["type"])
    how = [f"{held} {HOW[layer['constraint']]}"] if held else []
    return [layer["type"], *how, layer["activation"]]


def _lines(ax: Axes, x: float, top: float, lines: Sequence[str], size: float, color: str) -> None:
    """Words one below the other."""
    for row, line in enumerate(lines):
        ax.text(x, top - LINE * row, line, ha="center", va="top", size=size, color=color)


def _code(ax: Axes, k: int, count: int, height: float, *, last: bool) -> None:
    name, color = f"z{str(k).translate(LOW)}", style.BANDS[1]
    if k == 0 or last:
        name, color = ("ŷ", style.MODEL) if last else ("x", style.SOFT)
    ax.add_patch(Rectangle((k - WIDTH / 2, -height / 2), WIDTH, height, color=color, lw=0))
    ax.text(k, -height / 2 - 0.05, f"{name}  {count:,}", ha="center", va="top", weight="bold")


def _link(ax: Axes, k: int, before: float, after: float) -> None:
    """What leads from code k to the next."""
    left, right, a, b = k + WIDTH / 2, k + 1 - WIDTH / 2, before / 2, after / 2
    corners = [(left, -a), (left, a), (right, b), (right, -b)]
    ax.add_patch(Polygon(corners, closed=True, color=style.BANDS[0], lw=0, zorder=0))


def _back(
    ax: Axes, k: int, heights: Sequence[float], tied: bool, terms: list[str], size: float
) -> None:
    """The way back from code k; in the colour of terms where one prices it."""
    color, y = TERM if terms else style.SOFT, MOST / 2 + ARC
    ax.add_patch(FancyArrowPatch(
        (k - 0.04, heights[k] / 2 + 0.03), (k - 0.96, heights[k - 1] / 2 + 0.03),
        connectionstyle="arc3,rad=0.2", arrowstyle="->", mutation_scale=7, color=color, lw=0.9,
        shrinkA=0, shrinkB=0,
    ))  # fmt: skip
    lines = [*terms, "back by the same W" if tied else "back by its own"]
    _lines(ax, k - 0.5, y + LINE * len(lines), lines, size, color)


def _caption(story: Story) -> str:
    stack, terms = story.drawing["layers"], story.drawing["terms"]
    what = "the window of a node" if story.drawing["input"]["mixing"] == "node" else "a window"
    priced = listed([f"{term['name']} ({style.number(term['weight'])})" for term in terms])
    return (
        f"What {story.model} is made of: {len(stack)} layer{'s' * (len(stack) > 1)} from {what} to "
        "its forecast. Heights go with the logarithm of how many numbers there are; arcs are the "
        f"ways back. Coloured: the terms of the loss where they act, with their weights: {priced}."
    )
