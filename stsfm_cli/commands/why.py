"""`stsfm why`: is there a run of this command, and if not, what is other in those there are?

stsfm why model=lstm data=airline model.hidden=32     words as in `stsfm run`; several values, too
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from stsfm import compose, ingredients
from stsfm.ingredients import Change, Ingredients
from stsfm.mistakes import Mistake
from stsfm.record import Record, records

USAGE = __doc__.partition("\n\n")[2]
NEAREST = 2  # runs that are told of


def main(args: list[str]) -> int:
    """Say of every job of a command whether it is kept; of one that is not, what is nearest."""
    if {"-h", "--help"} & set(args):
        print(f"usage:\n{USAGE}", end="")
        return 0
    from stsfm.again import spelled_out

    words = args[1:] if args[:1] == ["run"] else args
    words = spelled_out([word for word in words if word not in ("-q", "--quiet")])
    if any(word in ("-c", "--cfg", "-i", "--info", "--hydra-help") for word in words):
        raise Mistake("why takes what `stsfm run` is told to run, without --cfg or --info")
    composed = compose.jobs(words)
    say = _say_in_a_line if composed.many else _say
    for job in composed.jobs:
        say(job.config)
    return 0


def _say(config: dict[str, Any]) -> None:
    mine, run = _job(config)
    if run.state == "finished":
        print(f"kept: {os.path.relpath(run.folder)}; `stsfm run` shows it again")
        return
    print(f"{'not run yet' if run.state == 'missing' else run.state}: {_place(run)}")
    near = _nearest(mine, config)
    if not near:
        print(f"there is no finished run in {config['runs_dir']} to put beside it")
    for other, found in near:
        print(f"beside {os.path.relpath(other.folder)} it has")
        print("\n".join(f"  {line}" for line in ingredients.lines(found)))


def _say_in_a_line(config: dict[str, Any]) -> None:
    mine, run = _job(config)
    words: str = run.state
    if run.state == "missing":
        near = _nearest(mine, config)
        beside = f"beside {near[0][0].folder.name}: {ingredients.brief(near[0][1])}" if near else ""
        words = f"new  {beside}".rstrip()
    print(f"{_place(run):44} {'kept' if words == 'finished' else words}")


def _place(run: Record) -> str:
    return os.path.relpath(run.folder)


def _job(config: dict[str, Any]) -> tuple[Ingredients, Record]:
    """What a composed job is made of, and the folder that it has or would have."""
    from stsfm.identity import identify
    from stsfm.job import cut
    from stsfm.results import data_of

    split = cut(config)
    identity = identify(config, split)
    run = Record(Path(config["runs_dir"]) / identity.folder)
    return Ingredients.of(identity, config, data_of(split)), run


def _nearest(mine: Ingredients, config: dict[str, Any]) -> list[tuple[Record, list[Change]]]:
    """The finished runs that differ least: in data and model as little as can be, then in number.

    Of other data or another model one is enough.
    """
    found = []
    for run in records(Path(config["runs_dir"])):
        if run.state == "finished":
            changes = ingredients.changes(Ingredients.kept(run), mine)
            other = sum(change.name in ("data", "model") for change in changes)
            differs = len({change.ingredient for change in changes})
            found.append(((other, differs, len(changes), -run.status["ended"]), run, changes))
    found.sort(key=lambda one: one[0])
    return [
        (run, changes)
        for k, (rank, run, changes) in enumerate(found[:NEAREST])
        if k == 0 or rank[0] == 0
    ]
