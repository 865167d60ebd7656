"""A search gives the engine its jobs: those of the command, trials, and what the trials chose.

    the default of every model on the final seeds ─┐
    trials, on the tuning seeds and validation ────┴─► the best of each model on the final seeds

No trial is scored on test, and no final seed is a tuning seed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stsfm.launchers.base import Ending
from stsfm.mistakes import Mistake
from stsfm.plan import Job
from stsfm.record import Record
from stsfm.search.settings import Settings
from stsfm.search.space import Space, spaces
from stsfm.search.study import Study

if TYPE_CHECKING:
    import optuna

Make = Callable[[Sequence[str]], Job]  # the words after `stsfm run` → their one job
OWN = ("search", "space", "score")  # keys of a command that are no part of any of its runs


@dataclass
class Trial:
    """A proposed configuration under way: a job per tuning seed, one after the other."""

    open: optuna.Trial
    words: Mapping[str, str]  # key → value
    seeds: deque[int | None]  # yet to come
    done: list[Record] = field(default_factory=list)
    waiting: bool = False  # for its job, or for the same job of another trial


class Tuning:
    """The search for one model on one task."""

    def __init__(
        self, jobs: list[Job], space: Space, settings: Settings, home: Path, make: Make, n_jobs: int
    ) -> None:
        """`jobs` are those of the default configuration, one per final seed."""
        self.jobs, self.space, self.settings, self.make = jobs, space, settings, make
        job = jobs[0]
        name = f"{job.identity.data}-{job.identity.model}-{job.identity.group}"
        first = space.parameters(job.config)
        self.study = Study(home, name, space, settings, first=first, n_jobs=n_jobs)
        self.trials = [self._trial(trial) for trial in self.study.left_open()]
        self.under_way: dict[Path, list[Trial]] = {}
        self.stopped: dict[Path, str] = {}

    @property
    def model(self) -> str:
        return self.jobs[0].identity.model

    @property
    def over(self) -> bool:
        """Whether every trial is closed, and there are to be no more."""
        return not self.trials and self.study.spent

    def next(self) -> Job | None:
        """The next job of a trial; what is kept already, or cannot be run, counts at once."""
        while True:
            trial = next((trial for trial in self.trials if not trial.waiting), None)
            if trial is None:
                if self.study.spent:
                    return None
                self.trials.append(trial := self._trial(self.study.open()))
            try:
                job = self.make(self.typed(trial.words, trial.seeds[0], "score=val"))
            except Mistake as mistake:
                self._close(trial, why=str(mistake))
                continue
            if job.run.state == "finished":
                self._scored(trial, job.run)
                continue
            sharing = self.under_way.setdefault(job.run.folder, [])
            sharing.append(trial)
            trial.waiting = True
            if len(sharing) == 1:
                return job

    def ended(self, job: Job, ending: Ending) -> None:
        """A job of ours ended; one that was interrupted from outside stays open."""
        for trial in self.under_way.pop(job.run.folder):
            trial.waiting = False
            trial.done.append(job.run)
            if ending.state == "finished":
                trial.done.pop()
                self.study.report(trial.open, job.run.history() if not trial.done else [])
                self._scored(trial, job.run)
            elif why := self.stopped.pop(job.run.folder, ""):
                self._close(trial, why=why, pruned=True)
            elif ending.state == "failed":
                self._close(trial, why=ending.reason)
            else:
                self.trials.remove(trial)

    def look(self, job: Job) -> str | None:
        """Why a running job shall be stopped, by how its net learns."""
        trial = self.under_way[job.run.folder][0]
        if trial.done:  # its first seed was let through
            return None
        if why := self.study.report(trial.open, job.run.history()):
            self.stopped[job.run.folder] = why
        return why

    def chosen(self) -> list[Job]:
        """The jobs of the best trial, one per final seed; none where it is the default, or where
        no trial has a value."""
        if (best := self.study.best) is None:
            return []
        words, made = best.user_attrs["words"], {}
        for job in self.jobs:
            new = self.make(self.typed(words, job.config["model"].get("seed")))
            made[new.run.folder] = new
        same = self.jobs[0].run.folder in made
        return [] if same else list(made.values())

    def typed(self, words: Mapping[str, str], seed: int | None, *more: str) -> list[str]:
        """What to type for the model with other values of its keys, alone and on one seed."""
        replaced = {*words, *(["seed"] if seed is not None else [])}
        kept = [word for word in plain(self.jobs[0].words) if key(word) not in replaced]
        seeds = [] if seed is None else [f"seed={seed}"]
        return [*kept, *(f"{name}={value}" for name, value in words.items()), *seeds, *more]

    def _trial(self, opened: optuna.Trial) -> Trial:
        drawn = self.jobs[0].identity.seed is not None
        seeds = self.settings.tuning_seeds if drawn else [None]
        return Trial(opened, self.study.propose(opened), deque(seeds))

    def _scored(self, trial: Trial, run: Record) -> None:
        trial.done.append(run)
        trial.seeds.popleft()
        if trial.seeds:
            return
        found = [run.pooled("val").get(self.settings.metric) for run in trial.done]
        if None in found:
            self._close(trial, why=f"validation has no {self.settings.metric}")
        else:
            self._close(trial, value=sum(filter(None, found)) / len(found))

    def _close(self, trial: Trial, **how: Any) -> None:
        counted = {run for old in self.study.trials for run in old.user_attrs.get("runs", ())}
        runs = {str(run.folder): run for run in trial.done}
        spent = sum(seconds_of(run) for name, run in runs.items() if name not in counted)
        self.study.close(trial.open, words=dict(trial.words), runs=list(runs), seconds=spent, **how)
        self.trials.remove(trial)


class Search:
    """The engine's source of a command that searches: see the head of this file."""

    def __init__(self, jobs: Sequence[Job], home: Path, make: Make, *, n_jobs: int = 1) -> None:
        """
        jobs    those of the command without its search, baselines among them
        home    the folder of the comparison, where search.db is kept
        make    composes one job from its words
        n_jobs  how many the launcher runs at a time

        Raises Mistake where the settings or a space make no search.
        """
        self.settings = Settings.of(next(job.config for job in jobs if job.config["search"]))
        groups: dict[str, list[Job]] = {}
        for job in jobs:
            if job.asked:
                groups.setdefault(job.identity.group, []).append(job)
        _apart(self.settings, jobs)
        found = spaces([members[0].config for members in groups.values()])
        pairs = list(zip(groups.values(), found, strict=True))
        self.untuned = [members[0].identity.model for members, space in pairs if not space]
        self.tunings = [
            Tuning(members, space, self.settings, home, make, n_jobs)
            for members, space in pairs
            if space
        ]
        self.jobs = list(jobs)
        self.tuned: dict[str, list[Job]] = {}  # group of the default → jobs of what was chosen
        self._ready = deque(self.jobs)
        self._whose: dict[tuple[str, ...], Tuning] = {}

    def next(self) -> Job | None:
        for tuning in self.tunings:
            if not self._ready and (job := tuning.next()):
                self._whose[job.words] = tuning
                return job
            self._choose(tuning)
        return self._ready.popleft() if self._ready else None

    def over(self) -> bool:
        return not self._ready and all(self._choose(tuning) for tuning in self.tunings)

    def ended(self, job: Job, ending: Ending) -> None:
        if tuning := self._whose.pop(job.words, None):
            tuning.ended(job, ending)

    def look(self, job: Job) -> str | None:
        tuning = self._whose.get(job.words)
        return tuning.look(job) if tuning else None

    def chosen(self, tuning: Tuning) -> list[Job]:
        """The jobs of what a search chose; none where that is the default, or not known yet."""
        return self.tuned.get(tuning.jobs[0].identity.group, [])

    @property
    def members(self) -> list[Job]:
        """What is to be compared: the jobs of the command, and what was chosen."""
        return [*self.jobs, *(job for jobs in self.tuned.values() for job in jobs)]

    def _choose(self, tuning: Tuning) -> bool:
        """Whether the trials are over; the first time, what they chose is made ready."""
        group = tuning.jobs[0].identity.group
        if tuning.over and group not in self.tuned:
            self.tuned[group] = tuning.chosen()
            self._ready += self.tuned[group]
        return tuning.over


def key(word: str) -> str:
    """What an override sets."""
    return word.partition("=")[0].lstrip("+")


def plain(words: Sequence[str]) -> list[str]:
    """The words of a command that make a run, without those of a search."""
    return [word for word in words if key(word).partition(".")[0] not in OWN]


def seconds_of(run: Record) -> float:
    """What its last attempt took, by the clock."""
    status = run.status
    return float(status.get("ended", 0.0) - status.get("started", 0.0))


def _apart(settings: Settings, jobs: Sequence[Job]) -> None:
    final = {job.identity.seed for job in jobs if job.asked}
    if both := [seed for seed in settings.tuning_seeds if seed in final]:
        raise Mistake(
            f"search.tuning_seeds={list(settings.tuning_seeds)} and seeds share {both[0]}: what is "
            "tuned on a seed cannot be judged by it; choose others"
        )
