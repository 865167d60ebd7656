"""What a command asks for, before anything runs: its jobs, and what of them is there already.

combinations ─► each run once ─► its baselines, each once ─► cached | to do, and why
"""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stsfm.mistakes import Illegal, Mistake, did_you_mean
from stsfm.record.choosing import keys_of, level
from stsfm.sweeps import estimate
from stsfm.words import count

if TYPE_CHECKING:
    from stsfm.compose import Composed
    from stsfm.identity import Identity
    from stsfm.record import Record

PAGE = "only its page"
WHY = {  # state of a run's folder → why it is to do
    "missing": "new",
    "failed": "failed before",
    "interrupted": "resumes",
    "crashed": "resumes",
    "running": "is being made",
    "damaged": "damaged",
    "finished": "anew",
    "untested": "without test scores",
}


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run that is wanted, and all that it takes to make it."""

    config: Mapping[str, Any]  # resolved plain values, with `choices`
    words: tuple[str, ...]  # after `stsfm run`: what makes this run alone
    run: Record  # its folder
    identity: Identity
    about: Mapping[str, Any]  # its task, as a status tells it: for one who died before writing any
    ablates: bool = False  # nobody typed it: a loss without one of its terms
    asked: bool = True  # False: a baseline that others are put beside, which gets no page itself
    seconds: float | None = None  # how long it may take, from earlier runs
    beside: tuple[Path, ...] = ()  # the folders of its baselines
    why: str = ""  # it is to do; "" = cached

    @property
    def command(self) -> str:
        """What to type to make it again."""
        return shlex.join(["stsfm", "run", *self.words])


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The distinct jobs of a command; baselines that nobody asked for come first."""

    jobs: tuple[Job, ...]
    comparisons: Mapping[str, tuple[Path, ...]]  # name → the folders of the runs asked for in it
    left_out: tuple[str, ...] = ()  # of jobs asked for whose parts do not go together, and why

    @property
    def to_do(self) -> list[Job]:
        return [job for job in self.jobs if job.why]

    @property
    def cached(self) -> list[Job]:
        return [job for job in self.jobs if not job.why]

    @property
    def config(self) -> Mapping[str, Any]:
        """Of any job asked for: launcher, retries and such are the same in all."""
        return self.jobs[-1].config

    def line(self) -> str:
        """8 jobs (5 baselines): 5 cached, 3 to do (1 failed before), about 40 s"""
        more = [f"{count(n, 'baseline')}" for n in [sum(not j.asked for j in self.jobs)] if n]
        more += [f"{n} without a term" for n in [sum(job.ablates for job in self.jobs)] if n]
        known = f" ({', '.join(more)})" if more else ""
        reasons = Counter(job.why for job in self.to_do if job.why != "new")
        told = ", ".join(f"{n} {why}" for why, n in reasons.items())
        parts = [f"{len(self.cached)} cached"]
        parts += [f"{len(self.to_do)} to do" + (f" ({told})" if told else "")]
        parts += [estimate.said(self.to_do, self.config["launcher"].get("n_jobs", 1))]
        return f"{count(len(self.jobs), 'job')}{known}: {', '.join(filter(None, parts))}"

    def lines(self) -> Iterator[str]:
        """The line, and one per job: state, place, and the words that make it."""
        yield self.line()
        for job in self.jobs:
            why = job.why or "cached"
            about = estimate.seconds(job.seconds) if job.why and job.seconds is not None else ""
            words = shlex.join(job.words) if job.asked else "(baseline)"
            place = os.path.relpath(job.run.folder)
            yield f"  {why:14} {place:44} {about:>10}  {words}".rstrip()


def plan(composed: Composed) -> Plan:
    """Find out what of the jobs is there. Mistake where one can't be made at all.

    Of several whose parts do not go together are left out, unless that is all of them.
    """
    from stsfm import loggers
    from stsfm.identity import members
    from stsfm.sweeps.planner import Planner

    planner = Planner()
    asked: dict[Path, Job] = {}
    beside: dict[Path, Job] = {}
    comparisons: dict[str, dict[Path, None]] = {}
    illegal: dict[tuple[str, ...], Illegal] = {}
    for one in composed.jobs:
        loggers.check(one.config["loggers"])
        others = [
            planner.job({**one.config, **part}, instead(one.words, part), asked=False)
            for part in composed.baselines(one.config)
        ]
        folders = [other.run.folder for other in others]
        try:
            job = planner.job(one.config, one.words, beside=folders)
        except Illegal as why:
            illegal[one.words] = why
            continue
        job = replace(job, ablates=one.ablates)
        comparisons.setdefault(one.comparison, {})[job.run.folder] = None
        asked.setdefault(job.run.folder, job)
        for other in others:  # one that failed is tried again, even where all else is there
            if job.why or other.why not in ("", WHY["missing"]):
                beside[other.run.folder] = other
    if not asked:
        raise next(iter(illegal.values()))
    jobs = [*(job for folder, job in beside.items() if folder not in asked), *asked.values()]
    jobs.sort(key=lambda job: bool(members(job.config["model"])))  # what they are made of is first
    _check_controls(asked, comparisons.values())
    _check_factors(asked.values())
    return Plan(
        jobs=tuple(estimate.estimated(jobs)),
        comparisons={name: tuple(folders) for name, folders in comparisons.items()},
        left_out=tuple(_left_out(illegal, [one.words for one in composed.jobs])),
    )


def _left_out(
    illegal: Mapping[tuple[str, ...], Illegal], every: Sequence[Sequence[str]]
) -> Iterator[str]:
    """left out: model/embedding=lle: why; of its words those that not all jobs have."""
    shared = set.intersection(*map(set, every))
    for words, why in illegal.items():
        yield f"left out: {shlex.join(word for word in words if word not in shared)}: {why}"


def instead(words: Sequence[str], part: Mapping[str, Any]) -> tuple[str, ...]:
    """The words that make the same job with what differs in the config of a baseline."""
    other = ("model", "data.space", "given")
    rest = (word for word in words if not word.lstrip("+").startswith(other))
    return (*rest, f"model={part['choices']['model']}")


def _check_factors(jobs: Iterable[Job]) -> None:
    """Mistake where no model has a key whose values shall be rows."""
    found = [keys_of(job.config) for job in jobs]
    for factor in {factor: None for job in jobs for factor in job.config["factors"]}:
        if all(level(keys, factor) is None for keys in found):
            known = {name.removeprefix("choices.") for keys in found for name in keys}
            raise Mistake(
                f"factors=[{factor}]: no model has that key.{did_you_mean(factor, known)}"
            )


def _check_controls(jobs: Mapping[Path, Job], comparisons: Iterable[Iterable[Path]]) -> None:
    """Mistake where a comparison has no model that its others shall be tested against."""
    for folders in comparisons:
        members = [jobs[folder] for folder in folders]
        models = {n for job in members for n in (job.identity.model, *job.config["baselines"])}
        for control in {str(job.config["control"] or "") for job in members} - {""}:
            if control.partition(" ")[0] not in models:
                known, hint = ", ".join(sorted(models)), did_you_mean(control, models)
                raise Mistake(f"control={control} is none of what is compared: {known}.{hint}")
