"""A grid laid out in rows and columns: by model, data, horizon, protocol, seed or any key.

A cell holds the score of one configuration in one task. Where several would fall into one cell,
what tells them apart makes tables of its own; nothing is averaged over tasks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from stsfm.mistakes import Mistake, did_you_mean
from stsfm.record.choosing import facts
from stsfm.tables.grid import Grid, Layout, Task
from stsfm.tables.row import Row, Value
from stsfm.tables.table import chosen

TASK = ("data", "horizon", "protocol")
NETS = ("trainer.", "loss.", "hardware.")  # groups that only nets read
AXES = ("model", *TASK, "seed")
Key = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Entry:
    """A configuration in a task, and where it stands on every axis."""

    row: Row
    task: Task
    at: dict[str, Any]

    def value(self, metric: str) -> Value | None:
        return self.row.score("test", metric) if self.row.records else None

    def key(self, axes: Iterable[str]) -> Key:
        return tuple(self.at[axis] for axis in axes)


@dataclass(frozen=True, kw_only=True, eq=False)
class Pivot:
    """One table of a grid: entries by the values of its row axes and its column axes."""

    grid: Grid  # of all tasks
    metric: str
    row_axes: tuple[str, ...]
    column_axes: tuple[str, ...]
    fixed: dict[str, Any]  # what all entries share, of the axes that make tables
    entries: tuple[Entry, ...]
    without: tuple[str, ...] = ()  # models that have no such key
    exploratory: bool = False

    @cached_property
    def cells(self) -> dict[tuple[Key, Key], Entry]:
        return {(e.key(self.row_axes), e.key(self.column_axes)): e for e in self.entries}

    @cached_property
    def rows(self) -> list[Key]:
        """Those without any score last."""
        return sorted(self._ordered(self.row_axes), key=self.failed)

    @cached_property
    def columns(self) -> list[Key]:
        return self._ordered(self.column_axes)

    @cached_property
    def part(self) -> Grid:
        """The tasks that this table shows."""
        return Grid(tuple({e.task.fingerprint: e.task.table for e in self.entries}.values()))

    @property
    def ranked(self) -> bool:
        """Is a row a model, and its line what it did in several tasks?"""
        axes = {*self.column_axes, *self.fixed}
        return self.row_axes == ("model",) and axes <= {*TASK} and len(self.part.tables) > 1

    def failed(self, key: Key) -> bool:
        """Has a line of the table no score at all?"""
        cells = [self.cells.get((key, column)) for column in self.columns]
        return not any(cell and cell.value(self.metric) for cell in cells)

    def _ordered(self, axes: Sequence[str]) -> list[Key]:
        """Models in the order of the grid, numbers as numbers, words as words."""
        place = {name: k for k, name in enumerate(self.grid.models)}

        def order(key: Key) -> list[tuple[int, float, str]]:
            known = zip(axes, key, strict=True)
            return [
                (0, place.get(x, math.inf), str(x)) if axis == "model" else _order(x)
                for axis, x in known
            ]

        return sorted({entry.key(axes) for entry in self.entries}, key=order)


def pivot(grid: Grid, layout: Layout | None = None) -> list[Pivot]:
    """The tables that a layout asks for. Mistake where no run has one of its keys."""
    layout = grid.layout if layout is None else layout
    rows, columns, by = _axes(grid, layout)
    asked = (*rows, *columns, *by)
    keys = [axis for axis in asked if axis not in AXES]
    entries, without = _entries(grid, keys, seeds="seed" in asked)
    rows, columns, by = _told_apart(entries, rows, columns, by)
    tables: dict[Key, list[Entry]] = {}
    for entry in entries:
        tables.setdefault(entry.key(by), []).append(entry)
    one = {(e.at["model"], e.task.fingerprint) for e in entries}
    several = len({(e.at["model"], e.task.fingerprint, e.key(keys)) for e in entries}) > len(one)
    made = [
        Pivot(
            grid=grid,
            metric=layout.metric or grid.metric,
            row_axes=rows,
            column_axes=columns,
            fixed=dict(zip(by, key, strict=True)),
            entries=tuple(held),
            without=tuple(without),
            exploratory=grid.exploratory or several,
        )
        for key, held in tables.items()
    ]
    return sorted(made, key=lambda one: [_order(x) for x in one.fixed.values()])


def _axes(grid: Grid, layout: Layout) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """What was asked for, and of what was not the usual: models beside tasks."""
    rows, columns, by = layout.rows, layout.columns, layout.by
    given = [*rows, *columns, *by]
    if twice := {axis for axis in given if given.count(axis) > 1}:
        raise Mistake(f"{sorted(twice)[0]!r} can be in one of --rows, --columns and --by")
    varied = any(task.variant for task in grid.tasks)
    tasks = tuple(axis for axis in TASK if axis not in given and (axis != "protocol" or varied))
    models = ("model",) if "model" not in given else ()
    rows = rows or models or tasks
    if not columns:
        beside = models or tasks if {*rows} & {*TASK, "seed"} else tasks
        columns = tuple(axis for axis in beside if axis not in rows)
    return rows, columns, by


def _entries(grid: Grid, keys: list[str], *, seeds: bool) -> tuple[list[Entry], list[str]]:
    """Of each model, task and value of the keys what validation prefers; and who lacks a key."""
    entries: list[Entry] = []
    without: dict[str, None] = {}
    known: set[str] = set()
    for task in grid.tasks:
        shown = (*task.table.rows, *task.table.hidden) if keys else task.table.rows
        alike: dict[Key, list[Row]] = {}
        for row in shown:
            told = _facts(row) if keys else {}
            known |= told.keys()
            if set(keys) <= told.keys():
                alike.setdefault(tuple(map(_hashable, (told[key] for key in keys))), []).append(row)
            else:
                without[row.model] = None
        for values, rows in alike.items():
            at = {"data": task.data, "horizon": task.horizon, "protocol": task.variant}
            at |= dict(zip(keys, values, strict=True))
            best = rows if grid.exploratory else _finished_first(chosen(rows)[0])
            for row in best:
                for name in grid.names(row, task):
                    named = Entry(row=row, task=task, at=at | {"model": name})
                    entries += _by_seed(named) if seeds else [named]
    if missing := [key for key in keys if key not in known]:
        hint = did_you_mean(missing[0], {*known, *AXES})
        raise Mistake(
            f"no run has a key {missing[0]!r}.{hint} Wanted {', '.join(AXES)}, or a key of a config"
        )
    return entries, list(without)


def _facts(row: Row) -> dict[str, Any]:
    """What a row can be laid out by; a model that is no net has no trainer, whatever was typed."""
    told = facts(row.settings)
    if "trainer" in row.settings.config.get("model", {}):
        return told
    return {key: value for key, value in told.items() if not key.startswith(NETS)}


def _finished_first(rows: list[Row]) -> list[Row]:
    """A row for each model, tuned or not: a failure only where nothing of it finished."""
    held: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: not row.records):
        held.setdefault(row.name, row)
    return list(held.values())


def _by_seed(entry: Entry) -> Iterator[Entry]:
    """An entry for every run of a row."""
    row, at = entry.row, entry.at
    for record in row.records:
        seed = record.status["identity"]["seed"]
        one = replace(row, records=(record,), failures=())
        yield replace(entry, row=one, at=at | {"seed": "—" if seed is None else seed})
    if not row.records:
        yield replace(entry, at=at | {"seed": "—"})


def _told_apart(
    entries: list[Entry], rows: tuple[str, ...], columns: tuple[str, ...], by: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The axes of rows, columns and tables, and with them all that a reader must be told.

    Models, datasets and what falls into one cell are tables of their own; a horizon that goes with
    its dataset stands beside it.
    """
    for axis in ("model", *TASK):
        used = (*rows, *columns, *by)
        if axis in used or len({entry.at[axis] for entry in entries}) == 1:
            continue
        cells = {entry.key(used) for entry in entries}
        collide = len({entry.key((*used, axis)) for entry in entries}) > len(cells)
        if collide or axis in ("model", "data"):
            by += (axis,)
        elif axis == "horizon" and "protocol.horizon" not in used:
            rows += (axis,) if "data" in rows else ()
            columns += (axis,) if "data" in columns else ()
            by += (axis,) if "data" in by else ()
    return rows, columns, by


def _order(value: Any) -> tuple[int, float, str]:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return (0, float(value), "") if number else (1, 0.0, str(value))


def _hashable(value: Any) -> Any:
    return str(value) if isinstance(value, list | dict) else value
