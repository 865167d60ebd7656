"""The critical-difference diagram: mean ranks over datasets, and who can't be told apart.

Demšar (2006), "Statistical comparisons of classifiers over multiple data sets", Fig. 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stsfm.plots import layout, style
from stsfm.plots.across.contest import Look
from stsfm.plots.across.naming import shorten

FEWEST = 10  # families of datasets, of fewer of which no such diagram is drawn
STEM, LINE, BAR = 0.22, 0.19, 0.10  # inches: axis to the first name, name to name, bar to bar


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """Mean ranks over families of datasets, and what a test says of their differences."""

    names: Sequence[str]
    means: Sequence[float]  # 1 is best
    families: int
    cliques: Sequence[Sequence[str]]  # models that the test can't tell apart
    difference: float | None = None  # the critical difference, where the test has one
    test: str = ""  # in words: "Nemenyi at 5 %"

    def __post_init__(self) -> None:
        if len(self.names) != len(self.means):
            raise ValueError(f"wanted a rank per name, got {len(self.means)} of {len(self.names)}")
        if unknown := {name for clique in self.cliques for name in clique} - {*self.names}:
            raise ValueError(f"cliques of models without a rank: {', '.join(sorted(unknown))}")


def critical(ranks: Ranks, looks: dict[str, Look] | None = None) -> tuple[Figure, str] | None:
    """Models on a line of ranks, a bar over those that can't be told apart; None for few families."""
    if ranks.families < FEWEST or len(ranks.names) < 3:
        return None
    order = np.argsort(ranks.means, kind="stable")
    means = np.asarray(ranks.means)[order]
    names = [ranks.names[k] for k in order]
    place = dict(zip(names, means, strict=True))
    bars = _levels([_span(clique, place) for clique in ranks.cliques if len(clique) > 1])
    depth = 1 + max((level for level, *_ in bars), default=-1)
    half = -(-len(names) // 2)
    above = 0.42 + 0.26 * (ranks.difference is not None)
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
    _scale(ax, last, ranks.difference)
    for level, low, high in bars:
        y = -0.1 - BAR * level
        ends = [low - 0.04 * last / wide, high + 0.04 * last / wide]
        ax.plot(ends, [y, y], color=style.INK, lw=2.6, clip_on=False, zorder=3, label="clique",
                solid_capstyle="round")  # fmt: skip
    for k, (name, mean) in enumerate(place.items()):
        left = k < half
        y = -0.1 - BAR * depth - STEM - LINE * (k if left else last - 1 - k)
        color = looks[name].color if looks and name in looks and looks[name].star else style.INK
        _stem(ax, mean, y, left, wide, f"{short[name]}", color)
    return made, _caption(ranks)


def _span(clique: Sequence[str], place: dict[str, float]) -> tuple[float, float]:
    ranks = [place[name] for name in clique]
    return min(ranks), max(ranks)


def _levels(spans: list[tuple[float, float]]) -> list[tuple[int, float, float]]:
    """Bars that overlap lie one below the other."""
    ends: list[float] = []
    placed = []
    for low, high in sorted(spans):
        level = next((k for k, end in enumerate(ends) if end < low - 0.15), len(ends))
        ends[level : level + 1] = [high]
        placed.append((level, low, high))
    return placed


def _scale(ax: Axes, last: int, difference: float | None) -> None:
    """The axis of ranks at zero, and above it the length of a critical difference."""
    ax.set_axis_off()
    free: dict[str, Any] = {"clip_on": False, "color": style.SOFT}
    ax.plot([1, last], [0, 0], lw=0.8, **free)
    for rank in range(1, last + 1):
        ax.plot([rank, rank], [0, 0.05], lw=0.8, **free)
        ax.text(rank, 0.08, str(rank), ha="center", va="bottom")
    if difference is None:
        return
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


def _caption(ranks: Ranks) -> str:
    text = (
        f"Mean ranks of {len(ranks.names)} models over {ranks.families} families of datasets; "
        "1 is best. Bars join models that are not separable"
    )
    return f"{text}{' by ' * bool(ranks.test)}{ranks.test} (Demšar 2006)."
