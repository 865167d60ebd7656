"""`stsfm diff`: two kept runs beside each other.

stsfm diff A B            each a folder, or how its id begins: what they are made of, with which
                          versions, and how they score on validation and test
"""

from __future__ import annotations

import os

from stsfm import ingredients
from stsfm.ingredients import ABSENT, Change, Ingredients
from stsfm.losses.metrics import METRICS
from stsfm.mistakes import Mistake
from stsfm.record import Record
from stsfm.request import split_home
from stsfm.saved import open_run
from stsfm.words import aligned

USAGE = __doc__.partition("\n\n")[2]


def main(args: list[str]) -> int:
    """Print what is other in B than in A, and the scores of both."""
    if {"-h", "--help"} & set(args):
        print(f"usage:\n{USAGE}", end="")
        return 0
    home, names = split_home(args)
    if len(names) != 2:
        raise Mistake("wanted two runs: stsfm diff A B, each a folder or how its id begins")
    old, new = runs = [open_run(name, str(home)) for name in names]
    for run in runs:
        if run.state != "finished":
            raise Mistake(f"{os.path.relpath(run.folder)} is {run.state}, and has no scores")
    print("\n".join(f"{letter}  {_line(run)}" for letter, run in zip("AB", runs, strict=True)))
    found = [*ingredients.changes(*map(Ingredients.kept, runs)), *_versions(old, new)]
    print("\n".join(f"  {line}" for line in ingredients.lines(found)))
    if not found:
        print("  made of the same, with the same versions")
    print("\n".join(f"  {line}" for line in _scores(old, new)))
    return 0


def _line(run: Record) -> str:
    return f"{os.path.relpath(run.folder)}   {run.status['headline']}"


def _versions(old: Record, new: Record) -> list[Change]:
    """Packages, Python and machine, where they are not the same."""
    tables = []
    for run in (old, new):
        kept = run.read("environment.json")
        machine = {name: kept.get(name) for name in ("python", "host", "device")}
        commit = {"commit": str((kept.get("git") or {}).get("commit", ABSENT))[:10]}
        tables.append({**kept.get("packages", {}), **machine, **commit})
    return [Change("made with", *pair) for pair in ingredients.pairs(*tables)]


def _scores(old: Record, new: Record) -> list[str]:
    """A line per metric that both have: A → B on validation and on test."""
    rows = [["", "val A", "val B", "test A", "test B"]]
    columns = [run.pooled(part) for part in ("val", "test") for run in (old, new)]
    for metric in METRICS:
        cells = [scores.get(metric.name) for scores in columns]
        if all(cell is not None for cell in cells):
            rows.append([metric.label, *(f"{cell:.4g}" for cell in cells)])
    return list(aligned(rows, right=range(1, 5)))
