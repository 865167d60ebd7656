"""What a comparison took, what failed, what was left out, and with what it was made."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stsfm.record import Record
from stsfm.reports.content import (
    Block,
    Code,
    Definitions,
    Grid,
    Items,
    Paragraph,
    Words,
    grid,
)
from stsfm.reports.facts import Part, say
from stsfm.reports.shown import Shown
from stsfm.tables.sentences import spent as spent_on
from stsfm.words import listed

MACHINE = ("platform", "host", "device", "cpus", "threads")


def record(shown: Sequence[Shown], runs: Sequence[Record]) -> dict[str, Any]:
    """What report.json has of all runs together: how many there are, and what they took."""
    spent = {state: sum(run.spent for run in some) for state, some in by_state(runs).items()}
    efforts = [(one.task, one.table.effort) for one in shown if one.table.effort]
    more = sum(effort.runs for _, effort in efforts) > len(runs)  # trials of a search, sweeps
    return {
        "count": len(runs), "seconds": sum(spent.values()),
        "lost": sum(took for state, took in spent.items() if state != "finished"),
        "broken": sum(run.state != "finished" for run in runs),
        "efforts": [f"{name}: {spent_on(effort)}" for name, effort in efforts] if more else [],
    }  # fmt: skip


def cost(shown: Sequence[Shown], held: dict[str, Any]) -> Iterator[Block]:
    """Seconds and sizes per row, and the whole compute with what failed or is not shown."""
    yield from (Grid(one.costs) for one in shown)
    fact = Part(held, ("runs",)).fact
    if held["efforts"]:
        yield Items([[fact("words", "efforts", k)] for k in range(len(held["efforts"]))])
    told = {"count": fact("number", "count"), "all": fact("seconds", "seconds"),
            "lost": fact("seconds", "lost")}  # fmt: skip
    lost = "; {lost} of it went into those that did not finish" if held["lost"] > 0.05 else ""
    yield Paragraph(say(f"By the clock, all runs that stand here took {{all}}{lost}. "
                        "Runs: {count}.", told))  # fmt: skip


def by_state(runs: Sequence[Record]) -> dict[str, list[Record]]:
    states: dict[str, list[Record]] = {}
    for run in runs:
        states.setdefault(run.state, []).append(run)
    return states


def failures(runs: Sequence[Record], held: dict[str, Any]) -> Iterator[Block]:
    """Every run that did not finish: why, and how to try again."""
    broken = [run for run in runs if run.state != "finished"]
    fact = Part(held, ("runs",)).fact
    told = {"count": fact("number", "count"), "broken": fact("number", "broken")}
    if not broken:
        yield Paragraph(say("None: runs that finished, {count} of {count}.", told))
        return
    yield Paragraph(say("Runs that did not finish: {broken} of {count}.", told))
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


def day(runs: Sequence[Record]) -> str:
    """When the last of some runs ended."""
    ended = max((run.status.get("ended", 0.0) for run in runs), default=0.0)
    return datetime.fromtimestamp(ended, UTC).strftime("%Y-%m-%d")
