"""What will be done for a prompt: shown, kept, then done.

runs/_asks/<intent>_<data>-<digest>/
  ask.json       the prompt as it was typed, how each slot was found, spec, command, confidence
  report.*       what was found, once it is; of several things, a folder for each
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stsfm.asking.answers import Understood
from stsfm.asking.command import Command, command
from stsfm.asking.reading.names import Step, registry
from stsfm.asking.spec import TRAINING
from stsfm.files import write
from stsfm.mistakes import Mistake
from stsfm.outcome import Outcome
from stsfm.record.pages import find
from stsfm.request import split_home, typed
from stsfm.screen import Screen
from stsfm.words import aligned

if TYPE_CHECKING:
    from stsfm.reports.content import Report


@dataclass(frozen=True)
class Plan:
    """A prompt, what it means, and the command that answers it."""

    prompt: str
    understood: Understood
    command: Command
    home: Path  # of runs

    @property
    def line(self) -> str:
        return shlex.join(["stsfm", *self.command.words])

    @property
    def folder(self) -> Path:
        spec = self.understood.spec
        of = [spec.intent, Path(spec.data).stem if spec.data else spec.group or ""]
        digest = hashlib.sha256(json.dumps([self.prompt, self.line]).encode()).hexdigest()
        return self.home / "_asks" / f"{'_'.join(filter(None, of))}-{digest[:10]}"

    @property
    def long(self) -> bool:
        return self.understood.spec.intent in TRAINING

    def facts(self) -> dict[str, Any]:
        return {
            "prompt": self.prompt,
            "found": dict(self.understood.found),
            "confidence": self.understood.confidence,
            "spec": asdict(self.understood.spec),
            "command": self.line,
            "notes": list(self.command.notes),
        }

    def lines(self) -> Iterator[str]:
        """Slot by slot what was understood and how, and the command."""
        said = {k: v for k, v in asdict(self.understood.spec).items() if v not in (None, ())}
        shown = {k: ", ".join(v) if isinstance(v, tuple) else str(v) for k, v in said.items()}
        rows = [["asked", self.prompt, ""]]
        rows += [[k, text, self.understood.found.get(k, "")] for k, text in shown.items()]
        rows[1][2] = f"confidence {self.understood.confidence:.2f}"
        for row in rows:
            row[1:] = [f"{row[1]:24} {row[2]}".rstrip()]
        yield from aligned([*rows, ["command", self.line]], right=())
        yield from self.command.notes

    def keep(self) -> None:
        write(
            self.folder / "ask.json", json.dumps(self.facts(), indent=1, ensure_ascii=False) + "\n"
        )


def plan(prompt: str, understood: Understood, more: Sequence[str]) -> Plan:
    """The plan of a request, with further words of its command. Mistake where it can't be done."""
    words = [word for word in more if not word.startswith("data=")]
    spec, (home, rest) = understood.spec, split_home(words)
    if spec.intent in ("explain", "list"):
        if rest:
            raise Mistake(f"{rest[0]}: a request to {spec.intent} has no options but runs_dir=")
        if spec.intent == "list":
            words = []
    made = command(spec, words)
    if spec.intent == "explain":
        made = Command(("report", os.path.relpath(find(str(spec.run), home)), *words), made.notes)
    return Plan(prompt, understood, made, home)


def step_of(data: str) -> Step:
    """How long a step is: of a dataset as its card has it, else as the rows are read."""
    if told := registry().step(data):
        return told
    from stsfm import compose
    from stsfm.build import build

    about = build(compose.config([f"data={typed(data)}"])["data"], path="data").about
    found = re.fullmatch(r"(?:(\d+) )?([a-z]+?)s?", about.step)
    units = {"min": "minute", "s": "second", "h": "hour"}
    return (int(found[1] or 1), units.get(found[2], found[2])) if found else None


def budgeted(understood: Understood, seconds: int | None) -> Understood:
    """The same request with a limit of time from --budget."""
    if seconds is None:
        return understood
    return replace(understood, spec=replace(understood.spec, budget=seconds),
                   found={**understood.found, "budget": "--budget"})  # fmt: skip


def do(planned: Plan, screen: Screen) -> Outcome:
    """Do what the command does; of a kept run nothing is left to do but its report."""
    name, *args = planned.command.words
    if name == "list":
        from stsfm.commands import list as listing

        return Outcome(listing.main(args))
    if name == "report":
        return Outcome(comparisons=[Path(args[0])])
    if name == "analyse":
        from stsfm import compose
        from stsfm.analyses import analyse

        record = analyse(compose.config(args), args, screen)
        return Outcome(int(record.state != "finished"), [record])
    if name == "detect":
        from stsfm.detections.perform import perform
    elif name == "select":
        from stsfm.selecting.command import perform
    else:
        from stsfm.jobs import perform
    return perform(args, screen)


def _as_it_is(report: Report) -> Report:
    return report


def report(
    planned: Plan, outcome: Outcome, screen: Screen, wording: Callable[[Report], Report] = _as_it_is
) -> None:
    """The report of what was found, in the folder of the prompt; of several, each in its own."""
    from stsfm import reports

    for page in outcome.pages:
        into = planned.folder / (_called(page, planned.home) if len(outcome.pages) > 1 else "")
        for path in reports.of(page, into, planned.prompt, planned.line, wording):
            screen.say(f"→ {os.path.relpath(path)}")


def _called(page: Path, home: Path) -> str:
    """A name for what lies in a folder of runs: airline_lstm_s1-8c1f03d2aa."""
    parts = Path(os.path.relpath(page, home)).parts
    return "_".join(part for part in parts if part not in ("..", "_comparisons"))
