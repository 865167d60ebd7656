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

from stsfm.job import has_all
from stsfm.launchers.base import Ending
from stsfm.mistakes import Mistake
from stsfm.record import Record
from stsfm.search.settings import Settings
from stsfm.search.space import Space, spaces
from stsfm.search.study import Study
from stsfm.sweeps.plan import Job

if TYPE_CHECKING:
    import optuna

    from stsfm.sweeps.rounds import Rounds

Make = Callable[[Sequence[str], Sequence[Path] | None], Job]
"""The words after `stsfm run` → their one job, beside its baselines; None = it gets no page."""

OWN = ("score", "force")  # a trial has its own


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
                job = self.make(self.typed(trial.words, trial.seeds[0], "score=val"), None)
            except Mistake as mistake:
                self._close(trial, why=str(mistake))
                continue
            if has_all(job.run, job.config):
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
            new = self.make(self.typed(words, job.config["model"].get("seed")), job.beside)
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
        spent = sum(run.spent for name, run in runs.items() if name not in counted)
        self.study.close(trial.open, words=dict(trial.words), runs=list(runs), seconds=spent, **how)
        self.trials.remove(trial)


class Search:
    """The engine's source of a command that searches: see the head of this file."""

    def __init__(
        self, command: Rounds, jobs: Sequence[Job], home: Path, make: Make, *, n_jobs: int = 1
    ) -> None:
        """
        command  gives the jobs of the command as if there were no search, baselines among them
        jobs     those of them that were asked for
        home     the folder of the comparison, where search.db is kept
        make     composes one job from its words
        n_jobs   how many the launcher runs at a time

        Raises Mistake where the settings or a space make no search.
        """
        self.command, self.settings = command, Settings.of(jobs[0].config)
        _apart(self.settings, jobs)
        groups: dict[str, list[Job]] = {}
        for job in jobs:
            groups.setdefault(job.identity.group, []).append(job)
        found = spaces([members[0].config for members in groups.values()])
        pairs = list(zip(groups.values(), found, strict=True))
        self.untuned = [members[0].identity.model for members, space in pairs if not space]
        self.tunings = [
            Tuning(members, space, self.settings, home, make, n_jobs)
            for members, space in pairs
            if space
        ]
        self._chosen: dict[str, list[Job]] = {}  # group of a default → the jobs of what was chosen
        self._ready: deque[Job] = deque()
        self._whose: dict[tuple[str, ...], Tuning | None] = {}  # words of a job under way

    def __len__(self) -> int:
        """How many jobs are to come, as far as that is known."""
        left = (tuning.study.total - len(tuning.study.trials) for tuning in self.tunings)
        trials = (int(trials) for trials in left if trials < float("inf"))
        return len(self.command) + sum(trials)

    def next(self) -> Job | None:
        if job := self.command.next():
            return job
        for tuning in self.tunings:
            if job := tuning.next():
                self._whose[job.words] = tuning
                return job
        if not self._ready and self.command.over():  # so that pages have something beside them
            self._choose()
        if not self._ready:
            return None
        job = self._ready.popleft()
        self._whose[job.words] = None
        return job

    def over(self) -> bool:
        if not self.command.over() or any(not tuning.over for tuning in self.tunings):
            return False
        self._choose()
        return not self._ready

    def ended(self, job: Job, ending: Ending) -> None:
        if job.words not in self._whose:
            self.command.ended(job, ending)
        elif tuning := self._whose.pop(job.words):
            tuning.ended(job, ending)

    def look(self, job: Job) -> str | None:
        tuning = self._whose.get(job.words)
        return tuning.look(job) if tuning else None

    def chosen(self, tuning: Tuning) -> list[Job]:
        """The jobs of what a search chose; none where that is the default, or not known yet."""
        return self._chosen.get(tuning.jobs[0].identity.group, [])

    def _choose(self) -> None:
        """Once the trials of a model are over, what they chose is made ready."""
        for tuning in self.tunings:
            group = tuning.jobs[0].identity.group
            if tuning.over and group not in self._chosen:
                self._chosen[group] = tuning.chosen()
                self._ready += [job for job in self._chosen[group] if job.why]


def key(word: str) -> str:
    """What an override sets."""
    return word.partition("=")[0].lstrip("+")


def plain(words: Sequence[str]) -> list[str]:
    """The words of a job without those that a trial has its own of."""
    return [word for word in words if key(word) not in OWN]


def _apart(settings: Settings, jobs: Sequence[Job]) -> None:
    final = {job.identity.seed for job in jobs if job.asked}
    if both := [seed for seed in settings.tuning_seeds if seed in final]:
        raise Mistake(
            f"search.tuning_seeds={list(settings.tuning_seeds)} and seeds share {both[0]}: what is "
            "tuned on a seed cannot be judged by it; choose others"
        )
