"""The table of segments: from where to where, how well that is known, and what lies between."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from stsfm.datasets.panel import Array, Panel
from stsfm.headline import stamp
from stsfm.models.segmenter import Change, Segmentation, Track
from stsfm.tables.sheet import NONE, Cell, Sheet
from stsfm.words import count, number

COLUMNS = ("series", "from", "to", "between", "p", "n", "mean", "sd", "slope")
WORDS = frozenset({0, 1, 2, 3})  # the columns of words
FIGURES = {"mean": 4, "sd": 3, "slope": 3}  # of the largest in a column
MOST = 30  # rows on a screen

Row = tuple[str | int | float | None, ...]


def rows_of(track: Track, found: Segmentation, panel: Panel) -> Iterator[Row]:
    """A row per series and segment. n counts what was observed; statistics are of that alone."""
    of_targets = panel.only_targets()
    values = of_targets.values.reshape(len(panel), -1)
    mask = of_targets.mask.reshape(len(panel), -1)
    changes = (None, *track.changes)
    edges = [0, *(change.row for change in track.changes), len(panel)]
    for s in track.series:
        for change, (first, stop) in zip(changes, pairwise(edges), strict=True):
            seen = np.flatnonzero(mask[first:stop, s])
            x = values[first:stop, s][seen]
            yield (
                found.names[s], stamp(panel, first), stamp(panel, stop - 1),
                *_begins(change, panel), len(x), *_statistics(seen, x),
            )  # fmt: skip


def sheet(told: Mapping[str, Any], *, brief: bool = False) -> Sheet:
    """The segments of a detection, as it is kept; `brief` is what a screen holds."""
    rows = told["rows"][: MOST if brief else None]
    decimals = {name: _decimals([row[k] for row in told["rows"]], FIGURES[name])
                for k, name in enumerate(COLUMNS) if name in FIGURES}  # fmt: skip
    left = len(told["rows"]) - len(rows)
    notes = [f"and {count(left, 'row')} more in table.csv"] * bool(left)
    return Sheet(
        title=told["headline"],
        heads=(COLUMNS,),
        body=tuple(tuple(_cells(row, decimals)) for row in rows),
        words=WORDS,
        caption=_caption(told),
        notes=(*notes, *told["said"], *_scored(told["scores"]), *told["noted"]),
    )


def _caption(told: Mapping[str, Any]) -> str:
    units = sorted({unit for unit in told["units"] if unit})
    of = f" in {', '.join(units)}" if units else ""
    step = told["step"] if told["step"] and not told["step"][0].isdigit() else "row"
    return (
        f"Segments of {told['headline']}. Each begins where a change was found, `between` is its "
        f"{100 * told['level']:g} % interval; n observed values, their mean and "
        f"standard deviation{of}, slope of the least-squares line per {step}. p: the chance of so "
        "strong a change where there is none; — where none is computed."
    )  # fmt: skip


def _scored(scores: Mapping[str, Any]) -> Iterator[str]:
    if scores:
        people, none = count(len(scores["annotators"]), "annotator"), scores["no_change"]
        yield (
            f"Against {people}: F1 {scores['f1']:.3f} (margin {scores['margin']} rows, row 0 "
            f"counts), covering {scores['covering']:.3f}; no change at all scores "
            f"{none['f1']:.3f} and {none['covering']:.3f}."
        )


def _begins(change: Change | None, panel: Panel) -> tuple[str | None, float | None]:
    """The interval of the change that begins a segment, and its p."""
    if change is None:
        return None, None
    ends = dict.fromkeys(stamp(panel, row) for row in (change.low, change.high))
    known = change.low < change.high or change.p is not None  # else nothing was said of it
    between = " … ".join(ends) if known else None
    return between, None if change.p is None else float(change.p)


def _statistics(rows: Array, x: Array) -> tuple[float | None, float | None, float | None]:
    """Mean, standard deviation and slope per row; None where there are too few values."""
    mean = float(x.mean()) if len(x) else None
    sd = float(x.std(ddof=1)) if len(x) > 1 else None
    if len(x) < 3:
        return mean, sd, None
    t = rows - rows.mean()
    return mean, sd, float(t @ (x - x.mean()) / (t @ t))


def _cells(row: Sequence[Any], decimals: Mapping[str, int]) -> Iterator[Cell]:
    for name, value in zip(COLUMNS, row, strict=True):
        if value is None:
            yield Cell(text=NONE)
        elif isinstance(value, str):
            yield Cell(text=value)
        elif name == "n":
            yield Cell(text=f"{value:,}", number=value)
        else:
            yield Cell(text=number(value, decimals.get(name, 3)), number=value)


def _decimals(values: Sequence[float | None], figures: int) -> int:
    """Behind the point, where the largest of some values has so many figures."""
    largest = max((abs(value) for value in values if value), default=0.0)
    return max(0, figures - 1 - math.floor(math.log10(largest))) if largest else 0
