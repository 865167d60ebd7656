"""Kept runs as the grid of a comparison: a table for each protocol, with what tests say of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from stsfm.mistakes import Mistake
from stsfm.record import Record
from stsfm.record.shelf import Shelf, Snapshot, compared
from stsfm.search import told
from stsfm.tables.claims import claims
from stsfm.tables.grid import Grid, Layout
from stsfm.tables.overall import claims_over_datasets
from stsfm.tables.pivot import pivot
from stsfm.tables.table import tabulate

AXES = ("rows", "columns", "by", "factors", "printed")  # of a layout, besides its metric


def beside(
    shelf: Shelf, runs: Iterable[Record], baselines: Iterable[Path] | None = None
) -> list[Snapshot]:
    """The runs and, under each of their protocols, the baselines that they were put beside."""
    planned = None if baselines is None else [shelf.at(folder) for folder in baselines]
    tasks: dict[str, list[Snapshot]] = {}
    for run in runs:
        held = shelf.at(run.folder)
        tasks.setdefault(held.status.get("fingerprint", ""), []).append(held)
    found = [run for alike in tasks.values() for run in (*alike, *shelf.baselines(alike, planned))]
    return list({run.folder.resolve(): run for run in found}.values())


def gather(
    shelf: Shelf,
    runs: Iterable[Record],
    *,
    every_config: bool = False,
    layout: Layout | None = None,
    control: str | None = None,
    search: told.Found | None = None,
) -> Grid:
    """Runs as a grid: a table for each protocol, with what tests of significance say of it.

    Mistake where no run has finished or failed, or where no row is called like the control.
    """
    layout, search = layout or Layout(), search or {}
    tasks: dict[str, list[Record]] = {}
    for run in runs:
        if run.state in ("finished", "failed"):
            tasks.setdefault(run.status["fingerprint"], []).append(run)
    if not tasks:
        raise Mistake("no finished run matches; `stsfm ls` shows what there is")
    tables = []
    for fingerprint, alike in tasks.items():
        effort = shelf.effort(fingerprint)
        table = tabulate(
            alike,
            tried=effort.tried,
            effort=effort,
            every_config=every_config,
            metric=layout.metric,
            printed=layout.printed,
            tuned=told.tuned(search),
            factors=layout.factors,
        )
        words, kept = told.lines(search, fingerprint), told.kept(search, fingerprint)
        tables.append(replace(table, searched=tuple(words), kept=kept))
    grid = Grid(tuple(tables), layout)
    pivot(grid)  # a key that no run has is said before anything is written
    return _tested(grid, control)


def _tested(grid: Grid, control: str | None) -> Grid:
    """Each table against the control, and several datasets together."""
    tables = tuple(replace(one, tested=claims(one, control).sentences) for one in grid.tables)
    over = claims_over_datasets(grid, control) if len(tables) > 1 else None
    return replace(grid, tables=tables, overall=over)


def again(folder: Path) -> Grid:
    """The grid of a comparison that was written, from its runs as they are now."""
    made_of = Record(folder).read("members.json")
    kept = made_of.get("layout", {})
    axes = {name: tuple(kept.get(name, ())) for name in AXES}
    return gather(
        Shelf(folder.parents[1]),
        compared(folder),
        every_config=made_of.get("every_config", False),
        layout=Layout(metric=kept.get("metric", ""), **axes),
        control=made_of.get("control"),
        search=told.read(folder),
    )
