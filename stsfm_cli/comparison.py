"""Kept runs chosen by their facts, and put side by side in one folder of tables.

choose → tabulate → claims → tables → figures → report
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from stsfm import reports
from stsfm.files import write, write_json
from stsfm.mistakes import Mistake, cause, no_such
from stsfm.record import Record
from stsfm.record.choosing import filters, select
from stsfm.record.shelf import Shelf, Snapshot
from stsfm.screen import Screen
from stsfm.search import told
from stsfm.tables.claims import claims
from stsfm.tables.grid import Grid, Layout
from stsfm.tables.overall import Overall, claims_over_datasets
from stsfm.tables.pivot import pivot
from stsfm.tables.render import as_csv, as_latex, as_markdown, html_page
from stsfm.tables.table import Table, check_metric, tabulate

FORMATS = {"md": as_markdown, "tex": as_latex, "csv": as_csv, "html": html_page}
LAYOUT = ("metric", "rows", "columns", "by")
OPTIONS = (*LAYOUT, "control", "question")


def compare(args: list[str], screen: Screen) -> Path:
    """The runs that match every key=value, beside the baselines of their protocols.

    Returns the folder that the tables are written to.
    """
    options, words = _options(args)
    wanted = filters(words, "compare")
    home = Path(wanted.pop("runs_dir", ["runs"])[0])
    shelf = Shelf(home)
    chosen = [run for run in select(shelf.runs, wanted) if run.tested]
    for run in [run for run in chosen if run.state == "damaged"]:
        screen.warn(f"stsfm compare: without {os.path.relpath(run.folder)}: {run.damage()}")
        chosen.remove(run)
    if not chosen:
        raise Mistake(f"no run in {home} matches {' '.join(args)}; `stsfm ls` shows what there is")
    _check_control(options.get("control"), beside(shelf, chosen))
    lacking = set(wanted.get("model", [])) - {run.status["model"] for run in chosen}
    data = {str(run.status["data"]) for run in chosen}
    digest = hashlib.sha256("\n".join(sorted(args)).encode()).hexdigest()[:8]
    name = f"{data.pop() if len(data) == 1 else 'several'}-{digest}"
    folder = write_comparison(
        chosen,
        name=name,
        screen=screen,
        every_config="all-configs" in options,
        question=options.get("question", ""),
        control=options.get("control"),
        layout=_layout(options),
        shelf=shelf,
        command=shlex.join(["stsfm", "compare", *args]),
    )
    if lacking:
        screen.warn(f"stsfm compare: no run of {', '.join(sorted(lacking))} matches")
    return folder


def _options(args: list[str]) -> tuple[dict[str, str], list[str]]:
    """--metric mae or --metric=mae → {"metric": "mae"}, and the words that are no options."""
    options: dict[str, str] = {}
    words: list[str] = []
    left = iter(args)
    for arg in left:
        name, equals, value = arg.removeprefix("--").partition("=")
        if not arg.startswith("-"):
            words.append(arg)
        elif arg == "--all-configs":
            options[name] = ""
        elif arg.startswith("--") and name in OPTIONS:
            options[name] = value if equals else next(left, "")
            if not options[name]:
                raise Mistake(
                    f"--{name}: wanted a value; `stsfm compare --help` shows of what kind"
                )
        else:
            raise Mistake(f"unknown option {arg!r}; `stsfm compare --help` lists all")
    return options, words


def _check_control(control: str | None, runs: Iterable[Record]) -> None:
    """Mistake where no run is of the model that others shall be tested against."""
    models = {str(run.status["model"]) for run in runs}
    if control is not None and control.partition(" ")[0] not in models:
        raise no_such("model", control, models, " among these runs")


def _layout(options: dict[str, str]) -> Layout:
    """What the grid shall show. Mistake where models can't be ordered by the metric."""
    if "metric" in options:
        check_metric(options["metric"])
    axes = {name: tuple(options[name].split(",")) for name in LAYOUT[1:] if name in options}
    return Layout(metric=options.get("metric", ""), **axes)


def write_comparison(
    runs: Iterable[Record],
    *,
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
    question  what the comparison was made for, in words
    control   the model that the others are tested against
    layout    what the grid of several tasks shows, and where
    shelf     the kept runs, where they have been read already
    command   what was typed, for the report to say how all this is made again

    Returns the folder. Mistake where no run has finished or failed.
    """
    runs, layout = list(runs), layout or Layout()
    shelf = shelf or Shelf(runs[0].folder.parents[2])
    together = beside(shelf, runs)
    folder = shelf.home / "_comparisons" / name
    found = told.read(folder)
    grid = gather(
        shelf, together, every_config=every_config, layout=layout, control=control, search=found
    )
    kept = [os.path.relpath(run.folder, folder) for run in together]
    made_of = {"members": kept, "every_config": every_config, "layout": asdict(layout)}
    made_of |= {"question": question, "control": control, "command": command}
    written = write_tables(grid, folder)
    write_json(folder / "members.json", made_of | {"tables": written})
    _draw(grid, folder / "plots", control, screen)
    reports.write(folder, grid, together, question=question, command=command)
    shown = ["report.html", *written[: len(FORMATS)]]
    _say(grid, screen)
    screen.say(f"→ {os.path.relpath(folder)}   {' · '.join(shown)}")
    return folder


def beside(shelf: Shelf, runs: Iterable[Record]) -> list[Snapshot]:
    """The runs and, under each of their protocols, the baselines that they were put beside."""
    tasks: dict[str, list[Snapshot]] = {}
    for run in runs:
        held = shelf.at(run.folder)
        tasks.setdefault(held.status.get("fingerprint", ""), []).append(held)
    found = [run for alike in tasks.values() for run in (*alike, *shelf.baselines(alike))]
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
            tuned=told.tuned(search),
        )
        tables.append(replace(table, searched=tuple(told.lines(search, fingerprint))))
    grid = Grid(tuple(tables), layout)
    pivot(grid)  # a key that no run has is said before anything is written
    return _tested(grid, control)


def _tested(grid: Grid, control: str | None) -> Grid:
    """Each table against the control, and several datasets together."""
    tables = tuple(replace(one, tested=claims(one, control).sentences) for one in grid.tables)
    over = _overall(grid, control)
    return replace(grid, tables=tables, tested=over.sentences if over else ())


def _overall(grid: Grid, control: str | None) -> Overall | None:
    """What several tasks say together."""
    return claims_over_datasets(grid, control) if len(grid.tables) > 1 else None


def _draw(grid: Grid, folder: Path, control: str | None, screen: Screen) -> None:
    """The figures of a comparison. One that can't be drawn costs no one the report of a night."""
    from stsfm.plots.across import draw  # matplotlib comes with it

    for name in Record(folder).read("captions.json"):  # of what was compared here before
        for end in (".png", ".svg"):
            (folder / name).with_suffix(end).unlink(missing_ok=True)
    try:
        draw(grid.tables, folder, control=control, overall=_overall(grid, control))
    except Exception as error:
        screen.warn(f"{os.path.relpath(folder)}: figures are missing: {cause(error)}")


def write_tables(grid: Grid, folder: Path) -> list[str]:
    """The grid where there are several tasks or where it was asked for, and a table for each task.

    Returns the names of the files, relative to the folder, what is to be looked at first before.
    """
    shown: list[tuple[str, Table | Grid]] = []
    several = len(grid.tasks) > 1
    if several or grid.layout.asked:
        shown.append(("grid", grid))
    for task in grid.tasks:
        place = re.sub(r"[^\w.=-]+", "-", task.label)[:80] + f"-{task.fingerprint}"
        shown.append((f"{place}/table" if several else "table", task.table))
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


def compared(folder: Path) -> list[Snapshot]:
    """The runs of a comparison that was written, those that are still there."""
    names = Record(folder).read("members.json").get("members", [])
    return [run for name in names if (run := Snapshot((folder / name).resolve())).status]


def again(folder: Path) -> Grid:
    """The grid of a comparison that was written, from its runs as they are now."""
    made_of = Record(folder).read("members.json")
    kept = made_of.get("layout", {})
    axes = {name: tuple(kept.get(name, ())) for name in LAYOUT[1:]}
    return gather(
        Shelf(folder.parents[1]),
        compared(folder),
        every_config=made_of.get("every_config", False),
        layout=Layout(metric=kept.get("metric", ""), **axes),
        control=made_of.get("control"),
        search=told.read(folder),
    )
