"""Several tables side by side: model × dataset × horizon, a task for each protocol.

Scores of different tasks are never mixed in one number. What goes over tasks are ranks within
each, and ratios to the seasonal naive model of each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from stsfm.mistakes import Mistake
from stsfm.record.choosing import flatten
from stsfm.tables.row import Row, Value, tuned
from stsfm.tables.table import Table, average_ranks, costs

if TYPE_CHECKING:
    from stsfm.tables.overall import Overall


BY_FOLD = ("calibration", "test", "train", "val")  # what goes with the fold of a protocol


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """What one protocol asks: to forecast a dataset some steps ahead."""

    data: str
    horizon: int
    variant: str  # in what its protocol differs from others of its data and horizon, else ""
    table: Table

    @property
    def label(self) -> str:
        """airline h=12, and its variant."""
        return " ".join([self.data, f"h={self.horizon}", *([self.variant] if self.variant else [])])

    @property
    def fingerprint(self) -> str:
        return str(self.table.status["fingerprint"])

    @property
    def family(self) -> str:
        """Tasks of one family are no independent replicates of each other."""
        return str(self.table.status.get("family") or self.data)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What a grid is asked to show: a metric, and the keys of its rows, columns and tables."""

    metric: str = ""
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()  # keys whose every value is a row, chosen by nobody
    printed: tuple[str, ...] = ()  # metrics that are the columns of a table; () = its protocol's

    @property
    def asked(self) -> bool:
        """Was anything said of rows, columns or tables?"""
        return bool(self.rows or self.columns or self.by)


@dataclass(frozen=True)
class Grid:
    """Tables of different protocols, and how they are laid out."""

    tables: tuple[Table, ...]
    layout: Layout = field(default_factory=Layout)
    overall: Overall | None = None  # what tests over datasets say of it

    def __post_init__(self) -> None:
        prints = [table.status["fingerprint"] for table in self.tables]
        if not prints or len(set(prints)) < len(prints):
            raise Mistake(f"a grid holds one table of each protocol, got {', '.join(prints)}")

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """In the order of datasets, horizons and variants."""
        alike: dict[tuple[str, int], list[Table]] = {}
        for table in self.tables:
            alike.setdefault((table.status["data"], table.status["horizon"]), []).append(table)
        tasks = [
            Task(data=data, horizon=horizon, variant=variant, table=table)
            for (data, horizon), tables in alike.items()
            for table, variant in zip(tables, variants(tables), strict=True)
        ]
        return tuple(sorted(tasks, key=lambda task: (task.data, task.horizon, task.variant)))

    @property
    def tested(self) -> tuple[str, ...]:
        """What it may claim over datasets, in words."""
        return self.overall.sentences if self.overall else ()

    @property
    def exploratory(self) -> bool:
        return any(table.exploratory for table in self.tables)

    @cached_property
    def metric(self) -> str:
        """What is shown: MASE, or MAE where a training series has no scale."""
        metrics = {table.metric for table in self.tables}
        return self.layout.metric or (metrics.pop() if len(metrics) == 1 else "mae")

    @cached_property
    def models(self) -> tuple[str, ...]:
        """In the order of their mean ranks; those without one after, by name."""
        ranks = self.ranks()
        return tuple(sorted(ranks, key=lambda name: (ranks[name] or math.inf, name)))

    def names(self, row: Row, task: Task) -> list[str]:
        """What a row is called here: of a model whose search chose the default, it is both."""
        if self.exploratory:
            return [row.label]
        both = row.name in task.table.kept and tuned(row.name) in self._tuned
        return [row.name, tuned(row.name)] if both else [row.name]

    def row(self, model: str, task: Task | str) -> Row | None:
        """The row of a model in a task, of one that failed there the failure."""
        return self._rows[self._named(task).fingerprint].get(model)

    def value(
        self, model: str, task: Task | str, metric: str = "", split: str = "test"
    ) -> Value | None:
        """A pooled metric on `val` or `test`; None where the model failed, or was not run."""
        row = self.row(model, task)
        return row.score(split, metric or self.metric) if row and row.records else None

    def errors(self, metric: str = "") -> np.ndarray:
        """(task, model) test scores in the orders of `tasks` and `models`; NaN where missing."""
        values = [[self.value(name, task, metric) for name in self.models] for task in self.tasks]
        return np.array([[value.mean if value else math.nan for value in line] for line in values])

    def concordance(self) -> dict[str, tuple[int, float]]:
        """Of data in folds: how many there are, and how far they agree on the order of models."""
        from stsfm.significance.concordance import concordance

        folds: dict[str, list[int]] = {}
        for k, task in enumerate(self.tasks):
            if "fold" in task.table.status.get("rules", {}):
                folds.setdefault(f"{task.data} h={task.horizon}", []).append(k)
        errors, found = self.errors(), {}
        for name, places in folds.items():
            mine = errors[places]
            mine = mine[:, np.isfinite(mine).all(0)]
            if len(places) > 1 and mine.shape[1] > 1:
                found[name] = (len(places), concordance(mine))
        return found

    def ranks(self, metric: str = "") -> dict[str, float | None]:
        """Model → its mean rank over tasks, failures last; None where it is missing in a task.

        None, too, of who reads an oracle. Only models that all tasks have are ranked, against each
        other.
        """
        names = list(dict.fromkeys(name for rows in self._rows.values() for name in rows))
        complete = [name for name in names if self._complete(name, metric or self.metric)]
        each = [
            average_ranks([costs(rows[name], "test", metric or self.metric) for name in complete])
            for rows in self._rows.values()
        ]
        means = dict(zip(complete, map(fmean, zip(*each, strict=True)), strict=True))
        return {name: means.get(name) for name in names}

    def skill(self, model: str) -> float | None:
        """1 − geometric mean over tasks of MAE / MAE of the seasonal naive model.

        An arithmetic mean of ratios would reward whoever is the reference (Fleming & Wallace 1986).
        None where the model, or that reference, has no score in a task.
        """
        ratios = []
        for task in self.tasks:
            row = self.row(model, task)
            skill = task.table.skill(row) if row and row.records else None
            if skill is None:
                return None
            ratios.append(1 - skill.mean)
        return 1 - math.prod(ratios) ** (1 / len(ratios))

    def _complete(self, name: str, metric: str) -> bool:
        rows = [held.get(name) for held in self._rows.values()]
        return all(
            row and not row.oracle and (not row.records or row.score("test", metric))
            for row in rows
        )

    def _named(self, task: Task | str) -> Task:
        if isinstance(task, Task):
            return task
        return next(one for one in self.tasks if one.label == task)

    @cached_property
    def _rows(self) -> dict[str, dict[str, Row]]:
        """Fingerprint → model → its row: one that finished before one that failed.

        What was tuned is a model of its own, so that no test score chooses between the two.
        """
        held: dict[str, dict[str, Row]] = {}
        for task in self.tasks:
            rows = held.setdefault(task.fingerprint, {})
            for row in task.table.rows:  # failures come last
                for name in self.names(row, task):
                    rows.setdefault(name, row)
        return held

    @cached_property
    def _tuned(self) -> frozenset[str]:
        return frozenset(row.name for table in self.tables for row in table.rows if row.tuned)


def variants(tables: Sequence[Table]) -> list[str]:
    """In what each protocol differs from the others, as key=value words; "" where it is alone."""
    if len(tables) == 1:
        return [""]
    known = [_rules(table) for table in tables]
    keys = {key for rules in known for key in rules}
    differ = [key for key in sorted(keys) if len({str(rules.get(key)) for rules in known}) > 1]
    differ = [key for key in differ if not (key in BY_FOLD and "fold" in differ)]
    words = [" ".join(f"{key}={_said(rules.get(key))}" for key in differ) for rules in known]
    if len(set(words)) == len(words):
        return words
    return [f"protocol {table.status['fingerprint']}" for table in tables]


def _rules(table: Table) -> dict[str, Any]:
    """All that is known of what a fingerprint is the digest of."""
    kept = [record for row in (*table.rows, *table.hidden) for record in row.records]
    data = kept[0].read("data.json") if kept else {}
    status = table.status
    named = ("season", "targets", "covariates")
    more: dict[str, Any] = {key: data[key] for key in named if key in data}
    digest = status["identity"]["ingredients"]["data"][:6]
    rules = status.get("rules") or data.get("rules", {})
    return flatten(dict(rules)) | flatten(more) | {"units": status["units"], "values": digest}


def _said(value: Any) -> str:
    return "…".join(map(str, value)) if isinstance(value, list) else str(value)
