"""From run folders to a table of one protocol: versions and settings sorted out, rows in order.

One table holds one protocol fingerprint. A row is a configuration; of each model the one that
validation prefers is shown.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from stsfm.losses.metrics import METRIC, METRICS
from stsfm.mistakes import Mistake, no_such
from stsfm.record import Record
from stsfm.record.choosing import keys_of, level
from stsfm.record.shelf import Effort
from stsfm.tables.losses import sampling_error
from stsfm.tables.row import Row, Value, differing
from stsfm.words import count

LEVEL = "seasonal_naive"  # what skill is measured against
HIGHER = tuple(metric.name for metric in METRICS if metric.better == "high")
ORDERED = tuple(metric.name for metric in METRICS if metric.better)


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows that may be compared, in the order of their test error; failures last."""

    rows: tuple[Row, ...]
    status: dict[str, Any]  # of any of the runs: data, protocol line, fingerprint, units
    tried: int
    effort: Effort | None = None
    hidden: tuple[Row, ...] = ()  # configurations that validation did not choose
    exploratory: bool = False
    left_out: tuple[str, ...] = ()
    by: str = ""  # the metric that was asked for
    printed: tuple[str, ...] = ()  # those that were, of its columns
    tested: tuple[str, ...] = ()  # what tests of significance say of it
    searched: tuple[str, ...] = ()  # what a search chose, and what it cost
    kept: frozenset[str] = frozenset()  # models of which a search chose the default

    @cached_property
    def metric(self) -> str:
        """What rows are ordered by, over all that is forecast: what was asked for, else as a run
        is judged; MAE where a row has no such score."""
        scored = [row for row in self.rows if row.score("test", "mae")]
        known = (*self.metrics, "mase")[0]
        return self.by or (known if all(row.score("test", known) for row in scored) else "mae")

    @property
    def metrics(self) -> tuple[str, ...]:
        """Those of its columns, as asked for or as its protocol is published in; () = our own."""
        return self.printed or tuple(self.status.get("metrics", ()))

    @property
    def views(self) -> tuple[str, ...]:
        """The parts of what is forecast that have scores of their own: 15 min."""
        return tuple(self.status.get("views", ()))

    @property
    def best_classical(self) -> Row | None:
        """The classical model that validation prefers."""
        rows = [row for row in self.rows if row.records and not row.is_net and not row.oracle]
        return preferred(rows, "val", self.metric)

    @property
    def level(self) -> Row | None:
        """What skill is measured against: the seasonal naive row that validation prefers."""
        rows = [row for row in self.rows if row.records and row.model == LEVEL]
        return min(rows, key=_preference, default=None)

    @cached_property
    def ranks(self) -> tuple[float | None, ...]:
        """Of each row, by test error: 1 is best, ties share theirs, failures share the last.

        None of a row that reads an oracle, or has no score.
        """
        rows = [(k, row) for k, row in enumerate(self.rows) if not row.oracle]
        known = [k for k, row in rows if not row.records or self.score(row)]
        ranks = average_ranks([costs(self.rows[k], "test", self.metric) for k in known])
        at = dict(zip(known, ranks, strict=True))
        return tuple(at.get(k) for k in range(len(self.rows)))

    def score(self, row: Row) -> Value | None:
        """What the rows are ordered by."""
        return row.score("test", self.metric)

    def sampling_error(self, row: Row) -> float | None:
        """The standard error over origins of what the rows are ordered by."""
        return self._sampling_errors.get(row.label)

    @cached_property
    def _sampling_errors(self) -> dict[str, float | None]:
        return {row.label: sampling_error(row, self.metric) for row in self.rows}

    @property
    def unscaled(self) -> tuple[int, int]:
        """How many nodes have no MASE though they are scored; and how many are scored."""
        tests = (scores["test"] for row in self.rows for scores in row.scores)
        test: dict[str, Any] = next(filter(None, tests), {})
        errors = (test.get("mae") or {}).get("node", [])
        scaled = (test.get("mase") or {}).get("node", [])
        scored = [k for k, error in enumerate(errors) if error is not None]
        return sum(scaled[k] is None for k in scored) if scaled else 0, len(scored)

    def skill(self, row: Row) -> Value | None:
        """1 − MAE / MAE of the seasonal naive model, seed by seed."""
        level = self.level.score("test", "mae") if self.level else None
        if not level or not level.mean:
            return None
        return Value.of([mae and 1 - mae / level.mean for mae in row.each("test", "mae")])


def costs(row: Row, split: str, metric: str) -> float:
    """A score as a cost, of which less is better: infinite where there is none."""
    value = row.score(split, metric)
    return math.inf if value is None else -value.mean if metric in HIGHER else value.mean


def preferred(rows: Iterable[Row], split: str, metric: str) -> Row | None:
    """The best of some rows; of equal ones the first by name, so that test breaks no tie of val."""
    known = [
        (cost, row.label, row) for row in rows if (cost := costs(row, split, metric)) < math.inf
    ]
    return min(known, key=lambda one: one[:2], default=(0, "", None))[2]


def average_ranks(values: Sequence[float]) -> list[float]:
    """1 for the least; equal values share the average of their ranks."""
    ordered = sorted(values)
    return [(bisect_left(ordered, x) + bisect_right(ordered, x) + 1) / 2 for x in values]


def check_metric(name: str) -> None:
    """Mistake where models can't be ordered by a metric of this name."""
    if name in METRIC and name not in ORDERED:
        raise Mistake(f"{name} alone makes no model better; choose one of {', '.join(ORDERED)}")
    if name not in ORDERED:
        raise no_such("metric", name, ORDERED)


def tabulate(
    records: Iterable[Record],
    *,
    tried: int,
    effort: Effort | None = None,
    every_config: bool = False,
    metric: str = "",
    printed: tuple[str, ...] = (),
    tuned: Collection[str] = (),
    factors: Sequence[str] = (),
) -> Table:
    """Fold runs into a table. Mistake if they follow different protocols, or if there are none.

    tuned    the settings that a search chose: rows beside those of their models as they are
    factors  keys whose every value has a row; of the others validation chooses
    """
    ended = ("finished", "failed")
    records = [record for record in records if record.tested and record.state in ended]
    if not records:
        raise Mistake("no finished run matches; `stsfm ls` shows what there is")
    prints = {record.status["fingerprint"] for record in records}
    if len(prints) > 1:
        raise Mistake(f"a table holds one protocol, got {', '.join(sorted(prints))}")
    current, left_out = _newest_source(records)
    groups: dict[str, list[Record]] = {}
    for record in {record.status["run"]: record for record in current}.values():  # kept twice
        groups.setdefault(record.status["group"], []).append(record)
    rows = _labelled([_row(group, tuned, factors) for group in groups.values()])
    shown, hidden = (rows, []) if every_config else chosen(rows)
    if hidden:
        words = f"{count(len(hidden), 'configuration')} that validation did not choose"
        left_out.append(words)
    table = Table(
        rows=tuple(shown),
        status=records[0].status,
        tried=tried,
        effort=effort,
        hidden=tuple(hidden),
        exploratory=every_config,
        left_out=tuple(left_out),
        by=metric,
        printed=printed,
    )
    order = lambda row: (not row.records, costs(row, "test", table.metric))  # noqa: E731
    return replace(table, rows=tuple(sorted(shown, key=order)))


def _row(group: list[Record], tuned: Collection[str], factors: Sequence[str]) -> Row:
    finished = [record for record in group if record.state == "finished"]
    failed = [record.status.get("error", "") for record in group if record.state == "failed"]
    model = group[0].status["model"]
    mine = keys_of(group[0].config) if factors else {}
    row = Row(
        model=model,
        settings=group[0],
        records=tuple(finished),
        failures=tuple(failed),
        label=model,
        tuned=group[0].status["settings"] in tuned,
    )
    if finished and not row.graph:  # it is the same whatever graph there is
        mine.pop("data.space", None)
    levels = ((re.sub("^model[./]", "", key), level(mine, key)) for key in factors)
    named = " ".join(f"{key}={value}" for key, value in levels if value is not None)
    return replace(row, levels=named)


def _newest_source(records: list[Record]) -> tuple[list[Record], list[str]]:
    """Of runs with the same settings but other source code, those of the newest."""
    newest: dict[str, tuple[bool, float, str]] = {}
    for record in records:
        settings, when = record.status["settings"], record.status.get("ended", 0.0)
        rank = (record.state == "finished", when, record.status["group"])
        newest[settings] = max(newest.get(settings, rank), rank)
    kept = [r for r in records if r.status["group"] == newest[r.status["settings"]][2]]
    old = len(records) - len(kept)
    return kept, [f"{count(old, 'run')} of older source code"] if old else []


def chosen(rows: Iterable[Row]) -> tuple[list[Row], list[Row]]:
    """Of each model the configuration that validation prefers, and all failures; and the others.

    What a search chose stands beside its model as it was.
    """
    best: dict[str, Row] = {}
    rows = list(rows)
    for row in rows:
        held = best.get(row.name)
        if row.records and (held is None or _preference(row) < _preference(held)):
            best[row.name] = row
    shown = [row for row in rows if not row.records or best[row.name] is row]
    return shown, [row for row in rows if row.records and best[row.name] is not row]


def _preference(row: Row) -> float:
    """Its error on validation, whatever the table is ordered by."""
    named = row.settings.status.get("metrics") or ["mase"]
    return costs(row, "val", named[0] if row.score("val", named[0]) else "mae")


def _labelled(rows: list[Row]) -> list[Row]:
    """Rows of one model are told apart by the choices and keys in which they differ."""
    alike: dict[str, list[Row]] = {}
    for row in rows:
        alike.setdefault(row.name, []).append(row)
    differ = {of: differing(like) for of, like in alike.items()}
    labelled = []
    for row in rows:
        words = [f"{key}={value}" for key, value in row.told(differ[row.name]).items()]
        name = " ".join([row.model, *filter(None, [row.levels]), *words])
        labelled.append(replace(row, label=name + " (tuned)" * row.tuned))
    return labelled
