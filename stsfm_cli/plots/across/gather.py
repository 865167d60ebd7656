"""From tables to contests: what was kept of their runs is read once, and only what is drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stsfm.plots.across import cast, stored
from stsfm.plots.across.contest import Contest, Entry, Pick
from stsfm.plots.forecasts import QUANTILES
from stsfm.plots.loss import last_stage
from stsfm.record import Record
from stsfm.spatial import Place
from stsfm.tables.ablation import weights
from stsfm.tables.cells import METRIC
from stsfm.tables.row import Row, differing
from stsfm.tables.table import Table

SHOWN = 5  # models whose forecasts are drawn over one truth
COSTS = ("fit_seconds", "predict_seconds")
SUMS = {"mase": ("mase", "mase_count"), "mae": ("absolute", "count")}
SUMS |= {"mae_scaled": ("scaled_absolute", "count"), "mse_scaled": ("scaled_squared", "count")}


@dataclass
class _Test:
    """What the windows of one table's runs say."""

    origins: np.ndarray
    errors: np.ndarray  # (window, node) MAE of channel 0, summed over entries
    entries: int


def gather(tables: Sequence[Table], control: str | None = None) -> list[Contest]:
    """A contest per table that has a finished run, in their order.

    control  a label, or a model with one row; else the classical model that validation prefers
    """
    kept = [table for table in tables if any(row.records for row in table.rows)]
    controls = [_control(table, control) for table in kept]
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


def _control(table: Table, wanted: str | None) -> str:
    """The label of a row that finished; "" where there is none to measure against."""
    rows = [row for row in table.rows if row.records and wanted in (row.label, row.name)]
    exact = [row for row in rows if row.label == wanted] or rows
    best = exact[0] if len(exact) == 1 else table.best_classical
    return best.label if best else ""


def _metric(table: Table) -> str:
    """What errors are told in: the metric of the table where it is a mean of errors, else MAE."""
    return table.metric if table.metric in SUMS else "mae"


def _entries(table: Table) -> tuple[list[Entry], _Test | None]:
    entries: list[Entry] = []
    test: _Test | None = None
    for row in table.rows:
        if not row.records:
            continue
        runs = [stored.errors(record, SUMS[_metric(table)]) for record in row.records]
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
    return Entry(
        label=row.label,
        model=row.model,
        net=row.is_net,
        deterministic=row.deterministic,
        look=cast.GREY,
        val=_floats(parts["val"]),
        test=_floats(parts["test"]),
        seconds=sum(cost.mean if (cost := row.cost(name)) else np.nan for name in COSTS),
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
        rows = last_stage([row for row in record.history() if "epoch" in row])
        if rows:
            yield np.array(
                [[row.get(k, np.nan) for k in ("epoch", "train", "val")] for row in rows]
            )


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
    shown = [_median(rows[label]) for label in stars]
    drawn = stored.origins(shown)
    picks = _picks(test, drawn) if test else []
    extent = int(np.ptp(test.origins)) + status["horizon"] if test else 0
    days, truth, points = stored.forecasts(shown, picks, extent)
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
        days=days if data["step"] else np.zeros(0),
        picks=tuple(picks) if kept else (),
        truth=truth,
        configurations=tuple(_configurations(table)),
        composites=tuple(_composites(table)),
        place=_place(rows.values()),
        end=data["rules"]["rows"],
    )


def _place(rows: Iterable[Row]) -> Place | None:
    """Of the runs that were shown where nodes are: an ablation may hide or shuffle the graph."""
    places = (Place.read(row.records[0].arrays("space.npz")) for row in rows)
    known = [place for place in places if place is not None]
    return min(known, key=lambda place: place.graph != "given", default=None)


def _picks(test: _Test, drawn: np.ndarray | None) -> list[Pick]:
    """The pair of window and node at each quantile of the mean error; none twice.

    Of the origins `drawn` where forecasts of some were kept.
    """
    error = test.errors / test.entries
    if drawn is not None:
        error[~np.isin(test.origins, drawn)] = np.nan
    ranked = np.argsort(error, axis=None, kind="stable")[: np.isfinite(error).sum()]
    ranks = {round(q * (len(ranked) - 1)): q for q in reversed(QUANTILES)} if len(ranked) else {}
    places = [
        (q, *np.unravel_index(ranked[rank], error.shape)) for rank, q in sorted(ranks.items())
    ]
    return [Pick(q, int(test.origins[w]), int(n), float(error[w, n])) for q, w, n in places]


def _median(row: Row) -> Record:
    """The run whose validation error is the (lower) median over seeds; test has no say."""
    errors = [_pooled(scores, "val", "mae") for scores in row.scores]
    ranked = np.argsort(_floats(errors), kind="stable")
    return row.records[int(ranked[(len(ranked) - 1) // 2])]


def _composites(table: Table) -> Iterator[Entry]:
    """Rows whose loss has several terms, with the course of each; and what tells them apart."""
    rows = [row for row in (*table.rows, *table.hidden) if row.records and len(weights(row)) > 1]
    differ = differing(rows) if rows else set()
    for row in rows:
        histories = [record.history() for record in row.records]
        terms = {
            name: tuple(_course(history, name) for history in histories)
            for name, weight in weights(row).items()
            if weight
        }
        kept = tuple(scores["training"]["best_epoch"] for scores in row.scores)
        made = _entry(row, _metric(table))
        yield replace(made, settings=row.told(differ), terms=terms, kept=kept, curves=())


def _course(history: Sequence[Mapping[str, Any]], name: str) -> np.ndarray:
    """(epoch, 3) the epoch, a term before its weight, and this; the loss itself where alone."""
    keys = ("epoch", f"train_{name}", f"weight_{name}")
    rows = [[row.get(key, np.nan) for key in keys] for row in history]
    if history and f"train_{name}" not in history[0]:
        rows = [[row["epoch"], row["train"], np.nan] for row in history]
    return np.array(rows, float).reshape(-1, 3)


def _configurations(table: Table) -> Iterator[Entry]:
    """Rows of models that were tried in several configurations, with what tells them apart."""
    alike: dict[str, list[Row]] = {}
    for row in (*table.rows, *table.hidden):
        if row.records:
            alike.setdefault(row.model, []).append(row)
    for rows in alike.values():
        differ = differing(rows)
        for row in rows:
            if words := row.told(differ):
                yield replace(_entry(row, _metric(table)), settings=words, curves=())
