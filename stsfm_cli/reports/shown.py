"""A table as the report shows it, and its cells as words of a sentence that lead back to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from stsfm.reports.content import Grid, slug
from stsfm.reports.facts import REPORT, Fact, Part, pointer
from stsfm.significance import ALPHA
from stsfm.tables.ablation import ablation_sheet
from stsfm.tables.cells import METRIC
from stsfm.tables.grid import Task
from stsfm.tables.row import Row
from stsfm.tables.sentences import about_failures, about_graphs, about_intervals, footnotes
from stsfm.tables.sheet import Cell, Sheet
from stsfm.tables.sheets import sheets
from stsfm.tables.table import costs, preferred

NOTES = (about_failures, about_graphs, about_intervals, footnotes)  # under a table
LEVEL = 0.8  # of the intervals that tables show
COSTS = ("fit s", "predict s", "params", "memory")
MEANS = "Means over the runs of a row; memory is the peak of the process."


class Shown:
    """Numbers in a report's sentences are taken from here, so they are those of its table."""

    def __init__(self, task: Task, index: int = 0) -> None:
        self.index = index
        self.task, self.table, self.status = task.label, task.table, task.table.status
        self.label = METRIC[self.table.metric].label
        (sheet,) = map(short, sheets(self.table))
        self.sheet = _columns(sheet, [k for k, x in enumerate(sheet.heads[-1]) if x not in COSTS])
        costs = [k for k, x in enumerate(sheet.heads[-1]) if x in ("model", "seeds", *COSTS)]
        self.costs = replace(_columns(sheet, costs), caption=f"What {self.task} took. {MEANS}")
        self.header, self.ablation = self.sheet.heads[-1], ablation_sheet(self.table)
        self.rows = [row for row in self.table.rows if row.records]

    @property
    def anchor(self) -> str:
        return slug(f"table {self.status['data']} {self.status['fingerprint']}")

    def grid(self) -> Grid:
        """The scores; what they took is a table of its own."""
        return Grid(self.sheet, self.anchor, self.header.index("model"))

    def cell(self, row: Row, column: str) -> Fact | None:
        """What stands in a row and a column, to be said in a sentence; None where nothing does."""
        if column not in self.header:
            return None
        i, k = self.table.rows.index(row), self.header.index(column)
        cell = self.sheet.body[i][k]
        if cell.number is None:
            return None
        source = f"{REPORT}{pointer('tasks', self.index, 'rows', i, column)}"
        decimals = len(cell.text.partition(".")[2])
        return Fact(cell.number, source, "cell", decimals, f"#{self.anchor}-{i}-{k}")

    def facts(self, **rows: Row) -> dict[str, Fact]:
        """What may be said of some rows, by the part that each of them plays: chosen.test."""
        told = {"metric": self.fact("words", "metric"), "task": self.fact("words", "task")}
        for part, row in rows.items():
            told[part] = self.fact("name", "rows", self.table.rows.index(row), "model")
            told |= {f"{part}.{name}": fact for name, column in self.columns.items()
                     if (fact := self.cell(row, column)) is not None}  # fmt: skip
        return told

    @property
    def columns(self) -> dict[str, str]:
        """What a sentence calls the columns that it speaks of."""
        return {"val": f"val {self.label}", "test": f"test {self.label}", "sd": "seed sd",
                "seeds": "seeds", "rank": "rank", "se": "sampling error", "skill": "skill %",
                "cover": "cover 80 %"}  # fmt: skip

    def fact(self, how: str, *steps: str | int, decimals: int | None = None) -> Fact:
        """Of the record of this task."""
        return Part(self.record, ("tasks", self.index)).fact(how, *steps, decimals=decimals)

    @cached_property
    def record(self) -> dict[str, Any]:
        """What report.json has of it: every number that a sentence may say, in full precision."""
        rows = [{name: _kept(cell) for name, cell in zip(self.header, line, strict=True)}
                for line in self.sheet.body]  # fmt: skip
        return {
            "task": self.task, "data": self.status["data"], "metric": self.label,
            "fingerprint": self.status["fingerprint"], "rows": rows,
            "said": list(self.table.tested), "tried": self.table.tried,
            "notes": [line for what in NOTES for line in what(self.table)],
            "ablation": list(self.ablation.notes) if self.ablation else [],
            "shown": len(self.table.rows), "level": LEVEL, "left_out": list(self.table.left_out),
            "independent": self.status["independent"], "alpha": ALPHA,
            "untuned": [row.label for row in self.rows if row.is_net and not row.tuned],
        }  # fmt: skip

    @property
    def chosen(self) -> Row | None:
        """The row that validation prefers."""
        return self.first(self.rows, "val")

    @property
    def best(self) -> Row | None:
        return self.first(self.rows, "test")

    @property
    def net(self) -> Row | None:
        """The net that validation prefers."""
        return self.first([row for row in self.rows if row.is_net], "val")

    def ahead(self, row: Row, other: Row) -> bool:
        """Is its test error smaller?"""
        return self.cost(row, "test") < self.cost(other, "test")

    def first(self, rows: list[Row], split: str) -> Row | None:
        """The best of some rows, of those that have a score."""
        return preferred((row for row in rows if not row.oracle), split, self.table.metric)

    def cost(self, row: Row, split: str) -> float:
        return costs(row, split, self.table.metric)


def _kept(cell: Cell) -> str | float:
    return cell.text if cell.number is None else cell.number


def short(sheet: Sheet) -> Sheet:
    """A sheet without the reasons of failures, which a report tells in a chapter of their own."""
    return replace(sheet, body=tuple(tuple(map(_short, line)) for line in sheet.body))


def _short(cell: Cell) -> Cell:
    return replace(cell, text="FAILED") if cell.text.startswith("FAILED(") else cell


def _columns(sheet: Sheet, kept: Sequence[int]) -> Sheet:
    """Some columns of a sheet, in this order."""
    return replace(
        sheet,
        heads=tuple(tuple(level[k] for k in kept) for level in sheet.heads),
        body=tuple(tuple(line[k] for k in kept) for line in sheet.body),
        words=frozenset(j for j, k in enumerate(kept) if k in sheet.words),
    )
