"""A page that a report is of: a grid of runs, whose it is, and where the report goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from stsfm.record import Record
from stsfm.reports.chapters import account, stability
from stsfm.reports.chapters.answer import over
from stsfm.reports.shown import Shown
from stsfm.tables.grid import Grid
from stsfm.tables.row import Row
from stsfm.tables.table import Table


@dataclass(frozen=True)
class Page:
    """A grid of runs, and what its report is to say of it.

    folder    that lies before the reader: a comparison, or a run
    into      where the report is written, from which its facts name their files
    runs      all that are looked at; `asked` are those that somebody wanted
    """

    folder: Path
    into: Path
    grid: Grid
    runs: Sequence[Record]
    asked: Sequence[Record]
    question: str = ""
    command: str = ""

    @cached_property
    def shown(self) -> list[Shown]:
        return [Shown(task, k) for k, task in enumerate(self.grid.tasks)]

    def alone(self, one: Shown) -> Row | None:
        """The row of what was asked for, where that is one configuration; else None."""
        mine = {run.folder.resolve() for run in self.asked}
        rows = [row for row in one.rows if mine & self._of(row)]
        return rows[0] if len(rows) == 1 and mine <= self._of(rows[0]) else None

    def wanted(self, one: Shown) -> list[Row]:
        """The rows of what was asked for, the best on test first."""
        mine = {run.folder.resolve() for run in self.asked}
        rows = [row for row in one.rows if mine & self._of(row) and not row.oracle]
        return sorted(rows, key=lambda row: one.cost(row, "test"))

    @staticmethod
    def _of(row: Row) -> set[Path]:
        return {run.folder.resolve() for run in row.records}

    @cached_property
    def record(self) -> dict[str, Any]:
        """report.json: what was worked out of several records."""
        found: dict[str, Any] = {
            "tasks": [one.record | {"stability": stability.record(one)} for one in self.shown],
            "runs": account.record(self.shown, self.runs),
        }
        return found | ({"over": over(self.grid)} if len(self.shown) > 1 else {})

    @cached_property
    def cards(self) -> list[dict[str, Any]]:
        """data.json of each task."""
        return [_data(one.table) for one in self.shown]


def _data(table: Table) -> dict[str, Any]:
    """Of a run that finished; one that failed may not have come so far."""
    finished = (run for row in table.rows for run in row.records)
    return next((card for run in finished if (card := run.read("data.json"))), {})
