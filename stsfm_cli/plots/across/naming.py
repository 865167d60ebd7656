"""Names in figures: long ones made short without two becoming one, and none over another."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from stsfm.plots import layout, style
from stsfm.words import listed

LONGEST = 18  # characters of a name in a figure
RADII = (0.09, 0.16, 0.26, 0.38, 0.52, 0.7)  # inches from a dot to its name
BESIDE = 0.4  # inches right of the axes that names may reach into
ANGLES = (0, 90, -90, 180, 45, -45, 135, -135)  # degrees, the better first


def shorten(labels: Iterable[str], most: int = LONGEST) -> dict[str, str]:
    """Label → a name of about `most` characters, each its own.

    A label is a model and its settings: "lstm trainer.lr=0.01 hidden=64". What goes first are the
    groups of the keys, then the keys, and at last the middle.
    """
    labels = list(dict.fromkeys(labels))
    ways = (str, _without_groups, _values_only, lambda label: _ends(_values_only(label), most))
    names: dict[str, str] = {}
    for label in labels:
        names[label] = next((n for way in ways if len(n := way(label)) <= most), ways[-1](label))
    for name in list(names.values()):  # two that became one are told apart by a number
        alike = [other for other in labels if names[other] == name]
        if alike[1:]:
            for k, other in enumerate(alike, 1):
                names[other] = f"{style.short(name, most - 3)} #{k}"
    return names


def _without_groups(label: str) -> str:
    """lstm trainer.lr=0.01 → lstm lr=0.01"""
    model, *words = label.split(" ")
    pairs = [word.rpartition("=") for word in words]
    return " ".join([model, *(f"{k.rpartition('.')[2]}{eq}{v}" for k, eq, v in pairs)])


def _values_only(label: str) -> str:
    """lstm trainer.lr=0.01 hidden=64 → lstm 0.01 64"""
    model, *words = label.split(" ")
    return " ".join([model, *(word.rpartition("=")[2] for word in words)])


def _ends(name: str, most: int) -> str:
    if len(name) <= most:
        return name
    tail = most // 2
    return f"{name[: most - tail - 1]}…{name[-tail:]}"


class Dot(NamedTuple):
    """A dot in data coordinates, and the name that it wants beside it."""

    name: str
    x: float
    y: float
    color: str
    bold: bool = False


def explained(names: Mapping[str, str]) -> str:
    """The sentence on names that hold values without their keys; "" where none does."""
    bare = [label for label, name in names.items() if "=" in label and "=" not in name]
    models: dict[str, list[str]] = {}
    for model, *words in (label.split(" ") for label in bare):
        keys = ", ".join(word.rpartition("=")[0] for word in words)
        if model not in models.setdefault(keys, []):
            models[keys].append(model)
    told = "; ".join(f"{keys} of {listed(its)}" for keys, its in models.items())
    return f" Numbers after a name are, in this order, {told}." if told else ""


def name_dots(
    ax: Axes, dots: Sequence[Dot], others: np.ndarray, path: np.ndarray | None = None
) -> None:
    """Writes names beside dots where nothing else lies, those further off on a leader.

    others  (dot, 2) further dots in data coordinates that no name may lie on
    path    (corner, 2) a line of upright and level parts that none may lie on

    Of places that all are taken, the least bad is used: no name is left out.
    """
    made, box = ax.figure, ax.get_window_extent()
    points = ax.transData.transform([(dot.x, dot.y) for dot in dots]) / style.DPI  # inches
    far = ax.transData.transform(others) / style.DPI if len(others) else np.zeros((0, 2))
    taken = [(x - 0.035, y - 0.035, x + 0.035, y + 0.035) for x, y in [*points, *far]]
    if path is not None:
        corners = ax.transData.transform(path) / style.DPI
        taken += [(*np.minimum(a, b) - 0.01, *np.maximum(a, b) + 0.01)
                  for a, b in pairwise(corners)]  # fmt: skip
    limits = np.array([box.x0, box.y0, box.x1 + BESIDE * style.DPI, box.y1]) / style.DPI
    names: list[Box] = []
    for dot, (x, y) in zip(dots, points, strict=True):
        weight = "bold" if dot.bold else "normal"
        wide = layout.text_width(made, dot.name, weight=weight)  # type: ignore[arg-type]
        places = [_place(x, y, wide, radius, angle) for radius in RADII for angle in ANGLES]
        badness = [
            _overlap(place, taken) + 20 * _overlap(place, names) + 20 * _outside(place, limits)
            for place in places
        ]
        place = places[best := int(np.argmin(badness))]
        names.append(place)
        if best >= len(ANGLES):
            near = np.clip((x, y), place[:2], place[2:])
            line = ax.transData.inverted().transform(np.array([(x, y), near]) * style.DPI)
            ax.plot(*line.T, color=dot.color, lw=0.4, zorder=1, scalex=False, scaley=False)
        at = ax.transData.inverted().transform(np.array(place[:2]) * style.DPI)
        ax.annotate(dot.name, (at[0], at[1]), color=dot.color, weight=weight, annotation_clip=False,
                    va="bottom", ha="left", zorder=6, size=7.5)  # fmt: skip


Box = tuple[float, float, float, float]  # left, bottom, right, top, in inches


def _place(x: float, y: float, wide: float, radius: float, angle: float) -> Box:
    """The box of a name whose nearest edge or corner lies so far from its dot."""
    tall = layout.LINE * 0.85
    dx, dy = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    center = x + radius * dx + wide / 2 * round(dx / max(abs(dx), 0.5))
    middle = y + radius * dy + tall / 2 * round(dy / max(abs(dy), 0.5))
    return center - wide / 2, middle - tall / 2, center + wide / 2, middle + tall / 2


def _overlap(box: Box, taken: Sequence[Box]) -> float:
    """Square inches of a box that others cover."""
    if not taken:
        return 0.0
    low = np.maximum(np.array(taken)[:, :2], box[:2])
    high = np.minimum(np.array(taken)[:, 2:], box[2:])
    return float((high - low).clip(0).prod(1).sum())


def _outside(box: Box, limits: np.ndarray) -> float:
    """Inches by which a box leaves the axes."""
    return float((limits[:2] - box[:2]).clip(0).sum() + (box[2:] - limits[2:]).clip(0).sum())
