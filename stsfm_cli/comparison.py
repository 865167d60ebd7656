"""Kept runs put side by side in one folder: tabulate → claims → tables → figures → report."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from stsfm import reports
from stsfm.files import write, write_json
from stsfm.gathered import beside, gather
from stsfm.mistakes import cause
from stsfm.record import Record
from stsfm.record.shelf import Shelf
from stsfm.screen import Screen
from stsfm.search import told
from stsfm.tables.ablation import ablation_sheet
from stsfm.tables.grid import Grid, Layout
from stsfm.tables.render import FORMATS
from stsfm.tables.sheet import Sheet
from stsfm.tables.table import Table


def write_comparison(
    runs: Iterable[Record],
    *,
    baselines: Iterable[Path] | None = None,
    name: str,
    screen: Screen,
    every_config: bool = False,
    question: str = "",
    control: str | None = None,
    layout: Layout | None = None,
    shelf: Shelf | None = None,
    command: str = "",
) -> Path:
    """Put runs beside the baselines of their protocols, in the folder of a comparison.

    runs      of one protocol or of several: each is a task, with a table of its own
    baselines  the folders of those that were planned; None = those that the runs lie beside
    question  what the comparison was made for, in words
    control   the model that the others are tested against
    layout    what the grid of several tasks shows, and where
    shelf     the kept runs, where they have been read already
    command   what was typed, for the report to say how all this is made again

    Returns the folder. Mistake where no run has finished or failed.
    """
    runs, layout = list(runs), layout or Layout()
    shelf = shelf or Shelf(runs[0].folder.parents[2])
    together = beside(shelf, runs, baselines)
    folder = shelf.home / "_comparisons" / name
    found = told.read(folder)
    grid = gather(
        shelf, together, every_config=every_config, layout=layout, control=control, search=found
    )
    kept = [os.path.relpath(run.folder, folder) for run in together]
    wanted = [os.path.relpath(run.folder, folder) for run in runs]
    made_of = {
        "members": kept,
        "asked": wanted,
        "every_config": every_config,
        "layout": asdict(layout),
    }
    made_of |= {"question": question, "control": control, "command": command}
    written = write_tables(grid, folder)
    write_json(folder / "members.json", made_of | {"tables": written})
    _draw(grid, folder / "plots", control, screen)
    reports.write(folder, grid, together, asked=runs, question=question, command=command)
    shown = ["report.html", *written[: len(FORMATS)]]
    _say(grid, screen)
    screen.say(f"→ {os.path.relpath(folder)}   {' · '.join(shown)}")
    return folder


def _draw(grid: Grid, folder: Path, control: str | None, screen: Screen) -> None:
    """The figures of a comparison. One that can't be drawn costs no one the report of a night."""
    from stsfm.plots.across import draw  # matplotlib comes with it

    for name in Record(folder).read("captions.json"):  # of what was compared here before
        for end in (".png", ".svg"):
            (folder / name).with_suffix(end).unlink(missing_ok=True)
    try:
        draw(grid.tables, folder, control=control, overall=grid.overall)
    except Exception as error:
        screen.warn(f"{os.path.relpath(folder)}: figures are missing: {cause(error)}")


def write_tables(grid: Grid, folder: Path) -> list[str]:
    """The grid where there are several tasks or where it was asked for, and a table for each task.

    Returns the names of the files, relative to the folder, what is to be looked at first before.
    """
    shown: list[tuple[str, Table | Grid | Sheet]] = []
    several = len(grid.tasks) > 1
    if several or grid.layout.asked:
        shown.append(("grid", grid))
    for task in grid.tasks:
        place = re.sub(r"[^\w.=-]+", "-", task.label)[:80] + f"-{task.fingerprint}"
        home = f"{place}/" if several else ""
        shown.append((f"{home}table", task.table))
        if sheet := ablation_sheet(task.table):
            shown.append((f"{home}ablation", sheet))
    names = [f"{name}.{end}" for name, _ in shown for end in FORMATS]
    for stale in set(Record(folder).read("members.json").get("tables", [])) - set(names):
        (folder / stale).unlink(missing_ok=True)
        with suppress(OSError):  # not empty, or gone
            (folder / stale).parent.rmdir()
    for name, table in shown:
        for end, render in FORMATS.items():
            write(folder / f"{name}.{end}", render(table))
    return names


def _say(grid: Grid, screen: Screen) -> None:
    """The grid, then each task."""
    if len(grid.tasks) > 1 or grid.layout.asked:
        screen.table(grid)
    for task in grid.tasks:
        screen.say(task.table.status["headline"])
        screen.table(task.table)
        if sheet := ablation_sheet(task.table):
            screen.table(sheet)
