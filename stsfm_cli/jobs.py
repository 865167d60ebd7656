"""The jobs of a command: one stays in this process, several are planned, carried out, compared."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from stsfm import compose
from stsfm.compose import Composed
from stsfm.mistakes import Mistake
from stsfm.outcome import Outcome
from stsfm.record import rank
from stsfm.screen import Screen

if TYPE_CHECKING:
    from stsfm.launchers.base import Ending
    from stsfm.record import Record
    from stsfm.search.source import Search
    from stsfm.sweeps.plan import Job, Plan


def perform(args: list[str], screen: Screen) -> Outcome:
    """Do what `stsfm run ARGS` asks for. Mistake where any of it can't be done at all."""
    if compose.shown(args):
        return Outcome()
    composed = compose.jobs(args)
    # before numpy loads its linear algebra, whose threads otherwise spin against each other
    threads = composed.jobs[0].config["hardware"]["threads"]
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    if composed.many or composed.launches or composed.dry_run or composed.searches:
        return _several(composed, screen, shlex.join(["stsfm", "run", *args]))
    return _one(composed, screen)


def _one(composed: Composed, screen: Screen) -> Outcome:
    from stsfm.job import execute  # numpy comes with it: not for --help or a typing error

    (one,) = composed.jobs
    run = execute(one.config, one.words, screen, composed.baselines(one.config))
    if run is None:  # a rank that only helped to train
        return Outcome()
    return Outcome(0 if run.state == "finished" else 1, [run])


def _several(composed: Composed, screen: Screen, typed: str) -> Outcome:
    if rank() > 0:
        raise Mistake("several jobs are started once, and not by every rank of torchrun or srun")
    from stsfm.search import command
    from stsfm.sweeps.plan import plan

    planned = plan(composed)
    for line in planned.left_out:
        screen.warn(line)
    if composed.dry_run:
        for line in planned.lines():
            screen.say(line)
        for line in command.lines(planned) if composed.searches else ():
            screen.say(line)
        return Outcome()
    with command.alone(planned) if composed.searches else nullcontext():
        return _done(composed, planned, screen, typed)


def _done(composed: Composed, planned: Plan, screen: Screen, typed: str) -> Outcome:
    """Carry out a plan, and put what came of it side by side."""
    from stsfm.search import command

    asked = [job for job in planned.jobs if job.asked]
    search = command.search(planned) if composed.searches else None
    endings = _carried_out(planned, screen, search)
    ended_well = all(_ended_well(job, endings.get(job.run.folder)) for job in asked)
    tuned, tuned_well = command.written(search, planned) if search is not None else ([], True)
    code = 0 if ended_well and tuned_well else 1
    outcome = Outcome(code, [*(job.run for job in asked), *tuned])
    if composed.many or composed.searches:
        outcome.comparisons = list(_compared(planned, screen, tuned, typed))
    elif outcome.code == 0:
        from stsfm.present import show

        show(asked[0].run, screen)
    return outcome


def _welcome(cached: Iterable[Job], screen: Screen) -> None:
    """Cached runs: tell loggers that don't know them yet, and what they were made with."""
    from stsfm import loggers
    from stsfm.environment import drift

    changed: dict[str, int] = {}
    for job in cached:
        loggers.catch_up(job.config["loggers"], job.run, screen)
        for package in drift(job.run.read("environment.json")):
            changed[package] = changed.get(package, 0) + 1
    for package, times in changed.items():
        screen.say(f"{times} cached made with {package}; force=true makes them anew")


def _carried_out(planned: Plan, screen: Screen, search: Search | None) -> Mapping[Path, Ending]:
    """Every job that is to do; folder → how it ended."""
    if not planned.to_do and (search is None or search.over()):
        screen.say(planned.line())
        _welcome(planned.cached, screen)
        return {}
    from stsfm.build import build
    from stsfm.sweeps.engine import carry_out
    from stsfm.sweeps.rounds import Rounds
    from stsfm.sweeps.status import Status

    config, status = planned.config, Status(screen)
    launcher = build(config["launcher"], path="launcher")
    source = Rounds(planned) if search is None else search
    status.begin(planned.line(), len(source))
    _welcome(planned.cached, screen)
    return carry_out(
        source,
        launcher,
        retries=config["retries"],
        fail_fast=config["fail_fast"],
        status=status,
    )


def _ended_well(job: Job, ending: Ending | None) -> bool:
    return job.run.state == "finished" and (ending is None or ending.state == "finished")


def _compared(planned: Plan, screen: Screen, tuned: Iterable[Record], typed: str) -> Iterator[Path]:
    """The folder of each comparison of which a run has come to an end."""
    from stsfm.comparison import write_comparison
    from stsfm.tables.grid import Layout

    asked = {job.run.folder: job for job in planned.jobs if job.asked}
    for name, folders in planned.comparisons.items():
        jobs = [asked[folder] for folder in folders]
        runs = [job.run for job in jobs if job.run.state in ("finished", "failed")]
        runs = [run for run in (*runs, *tuned) if run.tested]
        config = jobs[0].config
        if runs:
            yield write_comparison(
                runs,
                baselines=dict.fromkeys(folder for job in jobs for folder in job.beside),
                name=name,
                screen=screen,
                question=config["question"],
                command=typed,
                control=config["control"],
                layout=Layout(factors=tuple(config["factors"])),
            )
        elif config["score"] == "val":
            screen.say("no table: score=val leaves the test scores for a choice that is made")
