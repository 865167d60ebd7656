"""From tables to contests: what was kept of their runs is read once, and only what is drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zipfile import BadZipFile

import numpy as np

from stsfm.datasets.about import DAY
from stsfm.plots.across import cast
from stsfm.plots.across.contest import Contest, Entry, Pick
from stsfm.plots.forecasts import QUANTILES
from stsfm.record import Record
from stsfm.tables.cells import METRIC
from stsfm.tables.table import Row, Table

SHOWN = 5  # models whose forecasts are drawn over one truth
SUMS = {"mase": ("mase", "mase_count"), "mae": ("absolute", "count")}


@dataclass
class _Test:
    """What the windows of one table's runs say."""

    origins: np.ndarray
    errors: np.ndarray  # (window, node) MAE of channel 0, summed over entries
    entries: int


def gather(tables: Sequence[Table]) -> list[Contest]:
    """A contest per table that has a finished run, in their order."""
    kept = [table for table in tables if any(row.records for row in table.rows)]
    controls = [best.label if (best := table.best_classical) else "" for table in kept]
    told = [_entries(table) for table in kept]
    alone = all(max(Counter(row.model for row in table.rows).values()) == 1 for table in kept)
    orders = [cast.order(es, control) for (es, _), control in zip(told, controls, strict=True)]
    named = [[entry.model if alone else entry.label for entry in order] for order in orders]
    looks = cast.looks(named)
    contests = []
    for table, control, order, names, (entries, test) in zip(
        kept, controls, orders, named, told, strict=True
    ):
        drawn = {e.label: looks[name] for e, name in zip(order, names, strict=True)}
        entries = [replace(entry, look=drawn[entry.label]) for entry in entries]
        stars = [e.label for e in order if drawn[e.label].star][:SHOWN]
        contests.append(_contest(table, entries, test, control, stars))
    return contests


def _metric(table: Table) -> str:
    """What errors are told in: the metric of the table where it is a mean of errors, else MAE."""
    return table.metric if table.metric in SUMS else "mae"


def _entries(table: Table) -> tuple[list[Entry], _Test | None]:
    entries: list[Entry] = []
    test: _Test | None = None
    for row in table.rows:
        if not row.records:
            continue
        runs = [_windows(record, SUMS[_metric(table)]) for record in row.records]
        seen = [run for run in runs if run]
        own: dict[str, Any] = {}
        if len(seen) == len(runs):
            own = {"lost": np.mean([run["lost"] for run in seen], 0)}
            own["by_node"] = np.mean([run["by_node"] for run in seen], 0)
            if test is None:
                test = _Test(seen[0]["origins"], np.zeros(seen[0]["cells"].shape), 0)
            test.errors += np.mean([run["cells"] for run in seen], 0)
            test.entries += 1
        entries.append(_entry(row, _metric(table), **own))
    return entries, test


def _entry(row: Row, metric: str, **own: Any) -> Entry:
    """A row without its look, which depends on the others."""
    parts = {part: [_pooled(s, part, metric) for s in row.scores] for part in ("val", "test")}
    tested = [(scores.get("test") or {}).get("mae") for scores in row.scores]
    if all(tested):
        own["by_step"] = np.array([_floats(entry["step"]) for entry in tested if entry])
    spent = [[s["cost"].get(key) for key in ("fit_seconds", "predict_seconds")] for s in row.scores]
    return Entry(
        label=row.label,
        model=row.model,
        net=row.is_net,
        deterministic=row.deterministic,
        look=cast.GREY,
        val=_floats(parts["val"]),
        test=_floats(parts["test"]),
        seconds=float(np.mean([_floats(each).sum() for each in spent])),
        curves=tuple(_curves(row.records)),
        **own,
    )


def _pooled(scores: Mapping[str, Any], part: str, metric: str) -> float | None:
    entry = (scores.get(part) or {}).get(metric)
    return entry["pooled"] if entry else None


def _floats(values: Sequence[float | None]) -> np.ndarray:
    found = np.array([np.nan if x is None else x for x in values], float)
    return np.where(np.isfinite(found), found, np.nan)


def _curves(records: Sequence[Record]) -> Iterator[np.ndarray]:
    for record in records:
        rows = [row for row in record.history() if "epoch" in row]
        if rows:
            yield np.array([[row.get(k, np.nan) for k in ("epoch", "train", "val")] for row in rows])


def _read(record: Record, file: str, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Some of the arrays that a record keeps in a file; {} unless all of them are there."""
    try:
        with np.load(record.folder / file, allow_pickle=False) as stored:
            return {name: stored[name] for name in names}
    except (OSError, ValueError, KeyError, BadZipFile):
        return {}


def _windows(record: Record, sums: tuple[str, str]) -> dict[str, np.ndarray]:
    """Test errors of one run: by origin, by node, and of every window and node."""
    names = {"absolute", "count", "origins", *sums}
    kept = _read(record, "windows.npz", [f"test_{name}" for name in names])
    if not kept:
        return {}
    above, below = (kept[f"test_{name}"].sum((1, 2)) for name in sums)
    absolute, count = kept["test_absolute"], kept["test_count"]
    horizon = record.status["horizon"]
    with np.errstate(invalid="ignore", divide="ignore"):
        # a ratio of sums, linearised (Cochran 1977, §6.3), so that the mean is the pooled score
        pooled = above.sum() / below.sum()
        lost = pooled + (above - pooled * below) / below.mean()
        cells = np.where(2 * count[..., 0] >= horizon, absolute[..., 0] / count[..., 0], np.nan)
        by_node = absolute.sum((0, 2)) / count.sum((0, 2))
    return {"origins": kept["test_origins"], "lost": lost, "by_node": by_node, "cells": cells}


def _contest(
    table: Table,
    entries: list[Entry],
    test: _Test | None,
    control: str,
    stars: list[str],
) -> Contest:
    rows = {row.label: row for row in table.rows if row.records}
    status = table.status
    data = next(iter(rows.values())).records[0].read("data.json")
    picks = _picks(test) if test else []
    clock, truth, points = _forecasts([_median(rows[label]) for label in stars], picks)
    kept = {label: point for label, point in zip(stars, points, strict=True) if point.size}
    entries = [
        replace(entry, points=kept[entry.label]) if entry.label in kept else entry
        for entry in entries
    ]
    return Contest(
        data=status["data"],
        nodes=tuple(data["node_names"]),
        channel=data["targets"][0],
        unit=data["units"][data["channels"].index(data["targets"][0])],
        units=status["units"] if status["units"] != "data units" else "",
        step=data["step"],
        season=data["season"],
        horizon=status["horizon"],
        protocol=f"{data['rules']['protocol']} {status['fingerprint']}",
        metric=METRIC[_metric(table)].label,
        entries=tuple(entries),
        failures={row.label: row.failures[0] for row in table.rows if not row.records},
        control=control,
        exploratory=table.exploratory,
        origins=test.origins if test else np.zeros(0, int),
        clock=clock,
        picks=tuple(picks) if kept else (),
        truth=truth,
        configurations=tuple(_configurations(table)),
    )


def _picks(test: _Test) -> list[Pick]:
    """The pair of window and node at each quantile of the mean error; none twice."""
    error = test.errors / test.entries
    ranked = np.argsort(error, axis=None, kind="stable")[: np.isfinite(error).sum()]
    ranks = {round(q * (len(ranked) - 1)): q for q in reversed(QUANTILES)} if len(ranked) else {}
    places = [(q, *np.unravel_index(ranked[rank], error.shape)) for rank, q in sorted(ranks.items())]
    return [Pick(q, int(test.origins[w]), int(n), float(error[w, n])) for q, w, n in places]


def _median(row: Row) -> Record:
    """The run whose validation error is the (lower) median over seeds; test has no say."""
    errors = [_pooled(scores, "val", "mae") for scores in row.scores]
    ranked = np.argsort(_floats(errors), kind="stable")
    return row.records[int(ranked[(len(ranked) - 1) // 2])]


def _forecasts(
    runs: Sequence[Record], picks: Sequence[Pick]
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """The clock of test, what was observed there at every pick, and each run's forecasts."""
    clock, truth, points = np.zeros(0), np.zeros(0), []
    for run in runs:
        names = ("origins", "point", *(() if clock.size else ("time", "truth", "mask")))
        kept = _read(run, "forecast.npz", names)
        if not kept:
            points.append(np.zeros(0))
            continue
        origins = kept["origins"]
        if not clock.size:
            clock = _clock(kept)
            truth = np.stack([_series(kept, pick.node) for pick in picks]) if picks else truth
        at = np.searchsorted(origins, [pick.origin for pick in picks])
        shown = [kept["point"][w, :, pick.node, 0] for w, pick in zip(at, picks, strict=True)]
        points.append(np.stack(shown) if shown else np.zeros(0))
    return clock, truth, points


def _rows(kept: Mapping[str, np.ndarray]) -> np.ndarray:
    """(window, step): which row of test each cell is, the first origin being 0."""
    steps = np.arange(kept["time"].shape[1])
    return (kept["origins"] - kept["origins"][0])[:, None] + steps


def _clock(kept: Mapping[str, np.ndarray]) -> np.ndarray:
    """Days since 1970 of every row of test, and of its end; rows never observed lie between."""
    rows = _rows(kept)
    days = np.full(rows.max() + 1, np.nan)
    seen = kept["mask"].any((2, 3))  # rows without an observation may carry any stamp
    days[rows[seen]] = kept["time"][seen] / DAY
    known = np.flatnonzero(np.isfinite(days))
    if len(known) < 2 or (np.diff(days[known]) <= 0).any():
        return np.zeros(0)
    days = np.interp(np.arange(len(days)), known, days[known])
    return np.append(days, days[-1] + np.median(np.diff(days)))


def _series(kept: Mapping[str, np.ndarray], node: int) -> np.ndarray:
    """(row,) what a node did over the rows of test; NaN where nothing was observed."""
    rows = _rows(kept)
    series = np.full(rows.max() + 1, np.nan)
    series[rows] = np.where(kept["mask"], kept["truth"], np.nan)[:, :, node, 0]
    return series


def _configurations(table: Table) -> Iterator[Entry]:
    """Rows of models that were tried in several configurations, with what tells them apart."""
    rows = [row for row in (*table.rows, *getattr(table, "hidden", ())) if row.records]
    for row in rows:
        like = [other.config for other in rows if other.model == row.model]
        mine = row.config
        settings = {k: v for k, v in mine.items() if any(o.get(k) != v for o in like)}
        groups = tuple(f"model.{k.removeprefix('choices.')}." for k in settings if "choices." in k)
        words = {
            key.removeprefix("model.").removeprefix("choices."): value
            for key, value in settings.items()
            if not (groups and key.startswith(groups))
        }
        if words:
            entry = _entry(row, _metric(table))
            yield replace(entry, settings=words, curves=())
