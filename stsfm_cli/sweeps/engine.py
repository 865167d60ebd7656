"""Jobs from a source through a launcher, each until it has ended for good.

One thread asks, starts and looks. A job is claimed while it is here: what another sweep, or a run
of its own, is at is set aside, looked at again later, and counts as finished once it is.
"""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from stsfm.launchers.base import Ending, Launcher
from stsfm.record import lock
from stsfm.sweeps.plan import Job
from stsfm.sweeps.status import Status

POLL = 0.02  # seconds between two questions whether a job has ended
LOOK = 0.5  # between two looks at a job that runs
ASIDE = 1.0  # between two looks at a job that another process is at
SHARED = "made by another process meanwhile"


class Source(Protocol):
    """What gives the engine its jobs: a fixed list, or a search that asks and is told."""

    def next(self) -> Job | None:
        """A job that may start now; None where there is none yet, or none any more."""

    def over(self) -> bool:
        """Whether no job will come any more, whatever those under way bring."""

    def ended(self, job: Job, ending: Ending) -> None:
        """A job came to its end, retries included; called in the engine's one thread."""

    def look(self, job: Job) -> str | None:
        """Called now and then while a job runs: why it shall be stopped, or None."""


def carry_out(
    source: Source, launcher: Launcher, *, retries: int, fail_fast: bool, status: Status
) -> dict[Path, Ending]:
    """Run all jobs of a source; what became of each, by the folder of its run.

    retries    how often a job that failed is tried again
    fail_fast  the first that fails for good stops the others

    Ctrl-C, SIGTERM and a terminal that is closed (SIGHUP) stop everything within 10 s; then
    KeyboardInterrupt, SystemExit(143) or SystemExit(129).
    """
    work = _Work(source, launcher, retries, status)
    with _signals() as caught, launcher:
        try:
            while not work.done():
                work.collect()
                if caught:
                    work.abandon(f"stopped by {_called(caught[0])}")
                    break
                if fail_fast and work.failed:
                    work.abandon("stopped, for another job failed (fail_fast=true)")
                    break
                work.fill()
                work.look()
                status.tick([one.job for one in work.running.values()])
                time.sleep(POLL)
        finally:
            status.end()
    if caught:
        raise KeyboardInterrupt if caught[0] == signal.SIGINT else SystemExit(128 + caught[0])
    return work.endings


@dataclass
class _Running:
    job: Job
    claim: ExitStack
    looked: float


@dataclass
class _Work:
    """Who runs, who waits, who has ended."""

    source: Source
    launcher: Launcher
    retries: int
    status: Status
    running: dict[Path, _Running] = field(default_factory=dict)
    aside: list[tuple[float, Job]] = field(default_factory=list)  # when to look again
    again: list[Job] = field(default_factory=list)
    endings: dict[Path, Ending] = field(default_factory=dict)
    tries: Counter[Path] = field(default_factory=Counter)
    began: float = field(default_factory=time.time)

    @property
    def failed(self) -> bool:
        return any(ending.state == "failed" for ending in self.endings.values())

    def done(self) -> bool:
        return not (self.running or self.again or self.aside) and self.source.over()

    def fill(self) -> None:
        while len(self.running) < self.launcher.n_jobs and (job := self._next()):
            self._begin(job)

    def _next(self) -> Job | None:
        """What the source has, then what failed, then what others were at."""
        if job := self.source.next():
            return job
        if self.again:
            return self.again.pop(0)
        due = [entry for entry in self.aside if entry[0] <= time.monotonic()]
        if not due:
            return None
        self.aside.remove(due[0])
        return due[0][1]

    def _begin(self, job: Job) -> None:
        folder, claim = job.run.folder, ExitStack()
        if not claim.enter_context(lock.claiming(folder)) or job.run.locked:
            claim.close()
            self.aside.append((time.monotonic() + ASIDE, job))
            return
        if self._made_elsewhere(job):
            claim.close()
            self._settle(job, Ending("finished", SHARED))
            return
        if advice := self.launcher.advice(job):
            self.status.warn(advice)
        self.running[folder] = _Running(job, claim, time.monotonic())
        self.launcher.start(job)
        self.status.started(job)

    def _made_elsewhere(self, job: Job) -> bool:
        """Was it made since we began, and not by us? Of our own a source may want more."""
        done = job.run.state == "finished" and job.run.status["ended"] > self.began
        return done and job.run.folder not in self.endings

    def collect(self) -> None:
        for job, ending in self.launcher.ended():
            self.running.pop(job.run.folder).claim.close()
            self.tries[job.run.folder] += 1
            if ending.state == "failed" and self.tries[job.run.folder] <= self.retries:
                self.again.append(job)
                self.status.again(job, ending)
            else:
                self._settle(job, ending)

    def _settle(self, job: Job, ending: Ending) -> None:
        del self.tries[job.run.folder]
        self.endings[job.run.folder] = ending
        self.source.ended(job, ending)
        self.status.ended(job, ending)

    def look(self) -> None:
        now = time.monotonic()
        for one in self.running.values():
            if now - one.looked > LOOK:
                one.looked = now
                if reason := self.source.look(one.job):
                    self.launcher.stop(one.job, reason)

    def abandon(self, reason: str) -> None:
        """Stop all that runs; what waits is not begun."""
        self.again, self.retries = [], 0
        for one in self.running.values():
            self.launcher.stop(one.job, reason)
        self.launcher.close()
        self.collect()


@contextmanager
def _signals() -> Iterator[list[int]]:
    """The signals that came, noticed between two steps, so that none cuts a start in two.

    A second one raises KeyboardInterrupt where it comes. Outside the main thread nothing is caught.
    """
    caught: list[int] = []

    def note(number: int, frame: object) -> None:
        caught.append(number)
        if len(caught) > 1:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield caught
        return
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # no nohup
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _called(number: int) -> str:
    return "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
