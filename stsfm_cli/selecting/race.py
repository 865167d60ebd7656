"""Successive halving over blocks of origins, under a budget: the engine's source of a selection.

    round 1   the last block      all candidates, one after the other, the cheap ones first
    round 2   a second block      the better half
    round 3   the other blocks    the better half of these, with every seed

A round costs as much as the next, for half as many run on twice the blocks. Nothing is trained
less than it would be in the end: what is saved are blocks, not epochs, for nets that learn slowly
are no worse for it. A round that its share of the budget is spent on ends, and who was not tried is
said; when all is spent, what runs is stopped, as soon as there is anybody to choose. Jamieson &
Talwalkar, AISTATS (2016).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from stsfm.job import has_all
from stsfm.launchers.base import Ending
from stsfm.mistakes import Mistake
from stsfm.selecting.candidates import Candidate
from stsfm.selecting.judge import Standing, simplest, standings
from stsfm.sweeps.plan import Job
from stsfm.tables.losses import losses
from stsfm.tables.row import Row

if TYPE_CHECKING:
    from stsfm.record import Record

LEAST = 4  # who goes on at least, where as many are left
SHARES = (0.5, 0.75, 1.0)  # of the time of the race, by the end of each round
UNFIT = "ValueError: "  # what a model says that cannot be fitted to such data, or so few
SLOT = 1 / 3  # of the time that is left when a run begins: the most that it may take,
LEAST_SLOT = 0.1  # or a tenth of all, where that is more
Make = Callable[[Sequence[str]], Job]  # from its words
State = Literal["racing", "dropped", "failed", "excluded", "untried"]


@dataclass(frozen=True)
class Heat:
    """A run of the race: a candidate on a block, with a seed where it draws."""

    block: int
    seed: int | None


@dataclass
class Runner:
    """A candidate as the race goes on."""

    candidate: Candidate
    draws: bool
    state: State = "racing"
    reason: str = ""
    runs: dict[Heat, Record] = field(default_factory=dict)
    trail: list[Standing] = field(default_factory=list)  # one per round that it ended

    @property
    def name(self) -> str:
        return self.candidate.name

    def losses(self, blocks: Sequence[int], metric: str) -> tuple[np.ndarray, np.ndarray]:
        """Origins and losses (n,) over some blocks, in order; mean over seeds."""
        found = []
        for block in sorted(blocks):
            kept = tuple(run for heat, run in self.runs.items() if heat.block == block)
            row = Row(model=self.name, settings=kept[0], records=kept)
            if (lost := losses(row, "test", metric)) is None:
                raise Mistake(f"{self.name} has no {metric}")
            found.append((lost.origins, lost.values))
        return np.concatenate([o for o, _ in found]), np.concatenate([v for _, v in found])

    @property
    def parameters(self) -> int:
        """Of its fit to the most rows."""
        run = self.runs[max(self.runs, key=lambda heat: heat.block)]
        return int(run.scores["cost"]["parameters"])

    @property
    def seconds(self) -> float:
        """Of all its runs."""
        return sum(run.spent for run in self.runs.values())

    @property
    def simplicity(self) -> tuple[object, ...]:
        """What draws nothing before what does; then who has fewer parameters; then by name."""
        return self.draws, self.parameters, self.name


class Race:
    """A source of jobs: see the head of this file. `runners` tell in the end how it went."""

    def __init__(
        self, runners: Sequence[Runner], rounds: Sequence[Sequence[int]], make: Make, *,
        words: Callable[[Candidate, Heat], Sequence[str]], metric: str, horizon: int,
        seeds: Sequence[int], seconds: float, spent: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        told: Callable[[Race], None] = lambda race: None,
    ) -> None:  # fmt: skip
        """
        rounds   the blocks that each adds
        make     composes a job of words
        words    what makes the run of a candidate on a block
        metric   the loss of an origin (tables/losses.py)
        seconds  of the race, those of earlier attempts (`spent`) included
        told     called whenever something is known that is worth keeping
        """
        self.runners, self.rounds, self.make, self.words = list(runners), rounds, make, words
        self.metric, self.horizon, self.seeds = metric, horizon, seeds
        self.seconds, self.before, self.clock, self.told = seconds, spent, clock, told
        self.began = clock()
        self.round = -1
        self.blocks: list[int] = []  # of the rounds that were begun
        self.entered: list[int] = []  # how many began each round
        self.queue: deque[tuple[Runner, Heat]] = deque()
        self.under_way: dict[tuple[str, ...], tuple[Runner, Heat, float | None]] = {}
        self.loaded = self.finished = False  # loaded: a run of this attempt has ended
        self._begin()

    @property
    def spent(self) -> float:
        """Seconds by the clock, of this attempt and those before it."""
        return self.before + self.clock() - self.began

    @property
    def racing(self) -> list[Runner]:
        return [runner for runner in self.runners if runner.state == "racing"]

    def __len__(self) -> int:
        return len(self.queue)

    def next(self) -> Job | None:
        while self.queue:
            runner, heat = self.queue.popleft()
            if runner.state != "racing":
                continue
            try:
                job = self.make(self.words(runner.candidate, heat))
            except Mistake as mistake:  # parts that do not go together, or not on these data
                self._out(runner, "excluded", str(mistake))
                continue
            if has_all(job.run, job.config):
                runner.runs[heat] = job.run
                continue
            if self.spent > self._deadline and self._anybody:
                self._out(runner, "untried", f"the time of round {self.round + 1} was spent before")
                continue
            self.under_way[job.words] = runner, heat, self._limit
            return job
        return None

    def over(self) -> bool:
        while not self.finished and not self.queue and not self.under_way:
            self._turn()
        return self.finished

    def ended(self, job: Job, ending: Ending) -> None:
        runner, heat, _ = self.under_way.pop(job.words)
        self.loaded = True
        if ending.state == "finished":
            runner.runs[heat] = job.run
        elif ending.state == "interrupted":
            self._out(runner, "untried", ending.reason)
        else:
            out = is_unfit(job, ending) and not runner.runs
            on = f"block {heat.block}: " if runner.runs else ""  # an earlier one has fewer rows
            self._out(runner, "excluded" if out else "failed", on + ending.reason)
        self.told(self)

    def look(self, job: Job) -> str | None:
        if not self._anybody:
            return None
        runner, heat, limit = self.under_way[job.words]
        if limit is None:  # it began while libraries were loading: its time runs from now on
            self.under_way[job.words] = runner, heat, self._limit
        elif self.spent > limit:
            return "too costly: stopped after a third of the time that was left when it began"
        return "stopped at the end of the time of the race" if self.spent > self.seconds else None

    @property
    def _limit(self) -> float | None:
        """When a run that begins now has taken too long; None as long as libraries are loading."""
        slot = max(SLOT * (self.seconds - self.spent), LEAST_SLOT * self.seconds)
        return self.spent + slot if self.loaded else None

    @property
    def _anybody(self) -> bool:
        """Whether there is somebody to choose: until then no time is too long."""
        return any(runner.runs for runner in self.runners)

    @property
    def _last(self) -> bool:
        return self.round == len(self.rounds) - 1

    @property
    def _deadline(self) -> float:
        """When no run of the round begins any more; not before there is somebody to choose from."""
        few = sum(bool(runner.runs) for runner in self.runners) < LEAST
        return self.seconds * (1.0 if self._last or few else SHARES[self.round])

    def _begin(self) -> None:
        """The next round: fold by fold, so that who is cut off has as much behind it as others."""
        self.round += 1
        self.entered.append(len(self.racing))
        self.blocks += self.rounds[self.round]
        order = self.racing
        if self.round:
            order = sorted(order, key=lambda runner: runner.trail[-1].loss)
        for block in self.blocks if self._last else self.rounds[self.round]:
            heats = ((runner, heat) for runner in order for heat in self._heats(runner, block))
            self.queue += [(runner, heat) for runner, heat in heats if heat not in runner.runs]

    def _turn(self) -> None:
        """A round has ended: judge who ended it, and let the better half go on."""
        self._judge()
        self.told(self)
        if self._last or not self.racing:
            self.finished = True
            return
        ranked = sorted(self.racing, key=lambda runner: runner.trail[-1].loss)
        keep = max(LEAST, -(-len(ranked) // 2))
        for place, runner in enumerate(ranked[keep:], start=keep + 1):
            why = f"place {place} of {len(ranked)} after round {self.round + 1}"
            self._out(runner, "dropped", why)
        self._begin()

    def _judge(self) -> None:
        """Stand those side by side that are racing still: they have all blocks so far.

        A run without a loss in this metric tells nothing: its candidate is excluded.
        """
        kept, values = [], []
        for runner in self.racing:
            try:
                origins, lost = runner.losses(self.blocks, self.metric)
            except Mistake as mistake:
                self._out(runner, "excluded", str(mistake))
                continue
            kept.append(runner)
            values.append(lost)
        found = standings(np.array(values), origins, self.horizon) if kept else []
        for runner, standing in zip(kept, found, strict=True):
            runner.trail.append(standing)

    def _heats(self, runner: Runner, block: int) -> list[Heat]:
        """What a round wants of a candidate on a block: every seed in the last one alone."""
        if not runner.draws:
            return [Heat(block, None)]
        return [Heat(block, seed) for seed in (self.seeds if self._last else self.seeds[:1])]

    def _out(self, runner: Runner, state: State, why: str) -> None:
        runner.state, runner.reason = state, why.replace(UNFIT, "", 1).removeprefix("model: ")

    @property
    def finalists(self) -> list[Runner]:
        """Those that went furthest, judged on the same origins; the best before the others."""
        furthest = max((len(runner.trail) for runner in self.runners), default=0)
        last = [runner for runner in self.runners if furthest and len(runner.trail) == furthest]
        return sorted(last, key=lambda runner: (runner.trail[-1].loss, runner.name))

    def chosen(self) -> Runner | None:
        """The simplest finalist within one standard error of the best; None where there is none."""
        last = self.finalists
        if not last:
            return None
        found = [runner.trail[-1] for runner in last]
        return last[simplest(found, [runner.simplicity for runner in last])]


def is_unfit(job: Job, ending: Ending) -> bool:
    """Whether a run failed for what the model and the data are, and not for a fault: who could not
    even begin has left no record."""
    return job.run.state == "missing" or ending.reason.startswith(UNFIT)
