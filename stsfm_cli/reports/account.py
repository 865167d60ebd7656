"""What a comparison took, what failed, what was left out, and with what it was made."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from stsfm.record import Record
from stsfm.reports.content import (
    Block,
    Code,
    Definitions,
    Grid,
    Items,
    Mark,
    Paragraph,
    Words,
    grid,
)
from stsfm.reports.shown import Shown
from stsfm.tables.sentences import spent as spent_on
from stsfm.words import count, lasting, listed

MACHINE = ("platform", "host", "device", "cpus", "threads")


def cost(shown: Sequence[Shown], runs: Sequence[Record]) -> Iterator[Block]:
    """Seconds and sizes per row, and the whole compute with what failed or is not shown."""
    yield from (Grid(one.costs) for one in shown)
    efforts = [(one.task, one.table.effort) for one in shown if one.table.effort]
    if sum(effort.runs for _, effort in efforts) > len(runs):  # trials of a search, other sweeps
        yield Items([[f"{name}: {spent_on(effort)}"] for name, effort in efforts])
    spent = {state: sum(run.spent for run in some) for state, some in by_state(runs).items()}
    lost = sum(took for state, took in spent.items() if state != "finished")
    yield Paragraph(
        [f"The {count(len(runs), 'run')} of this comparison took ",
         Mark(lasting(sum(spent.values())), "strong"), " by the clock",
         f", {lasting(lost)} of it in runs that did not finish." if lost > 0.05 else "."]
    )  # fmt: skip


def by_state(runs: Sequence[Record]) -> dict[str, list[Record]]:
    states: dict[str, list[Record]] = {}
    for run in runs:
        states.setdefault(run.state, []).append(run)
    return states


def failures(runs: Sequence[Record]) -> Iterator[Block]:
    """Every run that did not finish: why, and how to try again."""
    broken = [run for run in runs if run.state != "finished"]
    if not broken:
        yield Paragraph([f"None: all {count(len(runs), 'run')} finished."])
        return
    yield Paragraph([f"{count(len(broken), 'run')} of {len(runs)} did not finish."])
    rows = [
        [run.status["model"], run.status["data"], run.status.get("run", ""), run.state,
         run.damage() or run.status.get("error", "") or "no reason was written"]
        for run in broken
    ]  # fmt: skip
    head = ["model", "data", "run", "state", "reason"]
    yield grid("Runs that did not finish, and why.", head, rows, *head)
    yield Paragraph(["To try them again, with the trace in error.txt of each folder:"])
    yield Code("\n".join(command(run) for run in broken))


def command(run: Record) -> str:
    """The command that makes a run."""
    try:
        return (run.folder / "command.txt").read_text().strip()
    except OSError:
        return f"# {run.folder.name}: no command was kept"


def left_out(shown: Sequence[Shown]) -> Iterator[Block]:
    """What is not in the tables, and what the tables are then worth."""
    lines: list[Words] = []
    for one in shown:
        tried = count(one.table.tried, "configuration")
        there = f"{tried} tried under this protocol, {len(one.table.rows)} shown"
        lines.append([f"{one.task}: {there}."])
        lines += [[f"{one.task}: without {what}."] for what in one.table.left_out]
    if any(one.table.exploratory for one in shown):
        lines.append(["Every configuration is shown, so the best test score is optimistic."])
    yield Items(lines)


def made_with(runs: Sequence[Record], home: Path) -> Iterator[Block]:
    """Versions, commits and machines; a warning where they differ between runs of one table."""
    kept = {os.path.relpath(run.folder, home): run.read("environment.json") for run in runs}
    told = {name: _facts(found) for name, found in kept.items() if found}
    names = list(dict.fromkeys(name for facts in told.values() for name in facts))
    seen = {name: _values(told, name) for name in names}
    alike = ("cpus", "threads", "device")  # a classical model uses none of a GPU beside it
    if mixed := [name for name in names if len(seen[name]) > 1 and name not in alike]:
        yield Paragraph(
            [f"These runs were not all made with the same {listed(mixed)}. Scores of nets may move "
             "with versions and machines, and times always do."], "warning",
        )  # fmt: skip
    yield Definitions([(name, _told(seen[name], len(told))) for name in names])


def _facts(found: dict[str, Any]) -> dict[str, str]:
    facts = {"python": found.get("python", ""), **found.get("packages", {})}
    if git := found.get("git") or {}:
        changed = " with uncommitted changes" if git.get("changes") else ""
        facts["commit"] = git.get("commit", "")[:10] + changed
    return facts | {name: str(found.get(name, "")) for name in MACHINE}


def _values(told: dict[str, dict[str, str]], name: str) -> dict[str, list[str]]:
    """Value → the runs that have it."""
    values: dict[str, list[str]] = {}
    for run, facts in told.items():
        values.setdefault(facts.get(name, "none"), []).append(run)
    return values


def _told(values: dict[str, list[str]], runs: int) -> Words:
    if len(values) == 1:
        return [next(iter(values))]
    each = (f"{value} ({len(of)} of {runs}: {listed(of[:3])})" for value, of in values.items())
    return ["; ".join(each)]
