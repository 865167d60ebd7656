"""What figures take from the arrays that runs keep: only some of them, and each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from zipfile import BadZipFile

import numpy as np

from stsfm.datasets.about import DAY
from stsfm.plots.across.contest import Pick
from stsfm.record import Record
from stsfm.tables.losses import at_origins


def errors(record: Record, sums: tuple[str, str]) -> dict[str, np.ndarray]:
    """Test errors of one run: by origin, by node, and of every window and node."""
    names = {"absolute", "count", "origins", *sums}
    kept = _read(record, "windows.npz", [f"test_{name}" for name in names])
    if not kept:
        return {}
    above, below = (kept[f"test_{name}"].sum((1, 2)) for name in sums)
    absolute, count = kept["test_absolute"], kept["test_count"]
    horizon = record.status["horizon"]
    with np.errstate(invalid="ignore", divide="ignore"):
        cells = np.where(2 * count[..., 0] >= horizon, absolute[..., 0] / count[..., 0], np.nan)
        by_node = absolute.sum((0, 2)) / count.sum((0, 2))
    return {
        "origins": kept["test_origins"],
        "lost": at_origins(above, below),
        "by_node": by_node,
        "cells": cells,
    }


def origins(runs: Sequence[Record]) -> np.ndarray | None:
    """The origins whose forecasts every run kept that kept any; None where none did."""
    kept = [found["origins"] for run in runs if (found := _read(run, "forecast.npz", ["origins"]))]
    return reduce(np.intersect1d, kept) if kept else None


def forecasts(
    runs: Sequence[Record], picks: Sequence[Pick], rows: int
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """The days of the `rows` of test, what was observed there at every pick, and each forecast.

    What was not kept is empty; the days too where rows have no dates that increase.
    """
    days, truth, points = np.zeros(0), np.zeros(0), []
    for run in runs:
        names = ("origins", "point", *(() if truth.size else ("time", "truth", "mask")))
        kept = _read(run, "forecast.npz", names)
        if not kept:
            points.append(np.zeros(0))
            continue
        if not truth.size:
            days = _days(kept, rows)
            truth = np.stack([_series(kept, pick.node, rows) for pick in picks]) if picks else truth
        at = np.searchsorted(kept["origins"], [pick.origin for pick in picks])
        shown = [kept["point"][w, :, pick.node, 0] for w, pick in zip(at, picks, strict=True)]
        points.append(np.stack(shown) if shown else np.zeros(0))
    return days, truth, points


def _read(record: Record, file: str, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Some of the arrays that a record keeps in a file; {} unless all of them are there."""
    try:
        with np.load(record.folder / file, allow_pickle=False) as stored:
            return {name: stored[name] for name in names}
    except (OSError, ValueError, KeyError, BadZipFile):
        return {}


def _rows(kept: Mapping[str, np.ndarray]) -> np.ndarray:
    """(window, step): which row of test each cell is, the first origin being 0."""
    steps = np.arange(kept["time"].shape[1])
    return (kept["origins"] - kept["origins"][0])[:, None] + steps


def _days(kept: Mapping[str, np.ndarray], rows: int) -> np.ndarray:
    """Days since 1970 of every row of test, and of its end; rows never observed lie between."""
    days = np.full(rows, np.nan)
    seen = kept["mask"].any((2, 3))  # rows without an observation may carry any stamp
    days[_rows(kept)[seen]] = kept["time"][seen] / DAY
    known = np.flatnonzero(np.isfinite(days))
    if len(known) < 2 or (np.diff(days[known]) <= 0).any():
        return np.zeros(0)
    step = np.median(np.diff(days[known]) / np.diff(known))
    after = days[known[-1]] + step * np.arange(1, rows - known[-1] + 1)  # the last may be unseen
    return np.append(np.interp(np.arange(known[-1] + 1), known, days[known]), after)


def _series(kept: Mapping[str, np.ndarray], node: int, rows: int) -> np.ndarray:
    """(row,) what a node did over the rows of test; NaN where nothing was observed."""
    series = np.full(rows, np.nan)
    series[_rows(kept)] = np.where(kept["mask"], kept["truth"], np.nan)[:, :, node, 0]
    return series
