"""The critical-difference diagram: mean ranks over datasets, and who can't be told apart.

Demšar (2006), "Statistical comparisons of classifiers over multiple data sets", Fig. 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stsfm.plots import layout, style
from stsfm.plots.across.contest import Look
from stsfm.plots.across.naming import shorten
from stsfm.significance import ALPHA
from stsfm.significance.friedman import Friedman
from stsfm.significance.origins import FEWEST

STEM, LINE, BAR = 0.22, 0.19, 0.10  # inches: axis to the first name, name to name, bar to bar


def critical(
    names: Sequence[str], found: Friedman, looks: Mapping[str, Look]
) -> tuple[Figure, str] | None:
    """Models on a line of ranks, a bar below those that can't be told apart.

    names  of the models, in the order of the ranks that were found
    looks  of models, as in the other figures; the rest is black

    None for fewer than ten families of datasets, or three models.
    """
    if found.families < FEWEST or len(names) < 3:
        return None
    ranks = np.array(found.ranks)
    order = np.argsort(ranks, kind="stable")
    place = {names[k]: float(ranks[k]) for k in order}
    bars = _levels([(ranks[[*c]].min(), ranks[[*c]].max()) for c in found.cliques])
    depth = 1 + max((level for level, *_ in bars), default=-1)
    half = -(-len(names) // 2)
    above = 0.68
    tall = above + 0.1 + BAR * depth + STEM + LINE * half
    made, grid = layout.figure(style.PAGE if len(names) > 8 else 4.6, tall)
    ax: Axes = grid[0, 0]
    short = shorten(names)
    room = 0.3 + max(layout.text_width(made, f"{name}  00.00") for name in short.values())
    wide = made.get_figwidth() - 2 * room
    ax.set_position((room / made.get_figwidth(), 0, wide / made.get_figwidth(), 1))
    last = len(names)
    ax.set_xlim(1, last)
    ax.set_ylim(above - tall, above)  # inches below the axis of ranks
    _scale(ax, last, found.critical_difference)
    for level, low, high in bars:
        y = -0.1 - BAR * level
        ends = [low - 0.04 * last / wide, high + 0.04 * last / wide]
        ax.plot(ends, [y, y], color=style.INK, lw=2.6, clip_on=False, zorder=3, label="clique",
                solid_capstyle="round")  # fmt: skip
    for k, (name, mean) in enumerate(place.items()):
        left = k < half
        y = -0.1 - BAR * depth - STEM - LINE * (k if left else last - 1 - k)
        star = name in looks and looks[name].star
        _stem(ax, mean, y, left, wide, short[name], looks[name].color if star else style.INK)
    return made, _caption(found)


def _levels(spans: list[tuple[float, float]]) -> list[tuple[int, float, float]]:
    """Bars that overlap lie one below the other."""
    ends: list[float] = []
    placed = []
    for low, high in sorted(spans):
        level = next((k for k, end in enumerate(ends) if end < low - 0.15), len(ends))
        ends[level : level + 1] = [high]
        placed.append((level, low, high))
    return placed


def _scale(ax: Axes, last: int, difference: float) -> None:
    """The axis of ranks at zero, and above it the length of a critical difference."""
    ax.set_axis_off()
    free: dict[str, Any] = {"clip_on": False, "color": style.SOFT}
    ax.plot([1, last], [0, 0], lw=0.8, **free)
    for rank in range(1, last + 1):
        ax.plot([rank, rank], [0, 0.05], lw=0.8, **free)
        ax.text(rank, 0.08, str(rank), ha="center", va="bottom")
    for x in (1, 1 + difference):
        ax.plot([x, x], [0.31, 0.39], lw=0.8, clip_on=False, color=style.INK)
    ax.plot([1, 1 + difference], [0.35, 0.35], lw=0.8, clip_on=False, color=style.INK, label="CD")
    ax.text(1 + difference / 2, 0.4, f"CD = {difference:.2f}", ha="center", va="bottom")


def _stem(ax: Axes, mean: float, y: float, left: bool, wide: float, name: str, color: str) -> None:
    """From a rank down and aside to its name."""
    low, high = ax.get_xlim()
    inch = (high - low) / wide
    end = low - 0.12 * inch if left else high + 0.12 * inch
    ax.plot([mean, mean, end], [0, y, y], color=color, lw=0.8, clip_on=False, zorder=2, label=name)
    align, shift = ("right", -0.05) if left else ("left", 0.05)
    words = f"{name}  {mean:.2f}" if left else f"{mean:.2f}  {name}"
    ax.text(end + shift * inch, y, words, ha=align, va="center_baseline", color=color)


def _caption(found: Friedman) -> str:
    text = (
        f"Mean ranks of {len(found.ranks)} models over {found.families} families of datasets; 1 is "
        "best. Bars join models whose ranks are within the critical difference of Nemenyi's test "
        "at 5 % (Demšar 2006)"
    )
    if found.p >= ALPHA:
        text += "; Friedman's test does not reject, so that no difference may be claimed"
    else:
        text += "; Friedman's test rejects that all are alike"
    return f"{text} (p = {found.p:.2g})."
