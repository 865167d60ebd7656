"""A job on another machine: the local launcher does it there, and its ending is sent home.

Every node has the same stsfm and sees the sweep's folder under the same path, so a run is written
where it would be written here; only the ending travels.
"""

from __future__ import annotations

import os
import socket
import time
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stsfm.launchers.base import Ending, Launcher
from stsfm.launchers.local import Local
from stsfm.launchers.needs import Needs
from stsfm.launchers.processes import Command, kill
from stsfm.launchers.watched import Watched, log_of
from stsfm.sweeps.plan import Job

GRACE = 8.5  # seconds for those that were told to stop; the local launcher there takes 7
LAG = 60.0  # seconds after which a network file system has told all machines the same
PERIOD = 0.05  # seconds between two looks at a job, on its node
RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "GROUP_RANK", "WORLD_SIZE", "MASTER_ADDR")


@dataclass(frozen=True)
class Errand:
    """What is sent to a node: called there, it does the job and returns how that ended."""

    job: Job
    folder: str  # of the sweep
    timeout: float | str | None
    memory: float | str | None

    def __call__(self) -> Ending | str:
        try:
            os.chdir(self.folder)
        except OSError as error:
            why = f"{socket.gethostname()} does not see {self.folder} ({error.strerror})"
            return Ending("failed", why)
        if Needs.of(self.job).nodes > 1:
            return self._share()
        _forget_ranks()
        with Local(n_jobs=1, timeout=self.timeout, memory=self.memory) as here:
            here.start(self.job)
            while not (ended := here.ended()):
                time.sleep(PERIOD)
        ((_, ending),) = ended
        return ending

    def _share(self) -> str:
        """Be one of the ranks that a queue has started on several nodes."""
        process = Command(self.job, os.environ, log_of(self.job))
        try:
            code = process.process.wait()
        finally:
            kill(process)
        if code:
            raise RuntimeError(f"a rank on {socket.gethostname()} ended with exit code {code}")
        return "its ranks ended without a result"


@dataclass
class _Away:
    """A job that was sent, as it is seen from home."""

    watched: Watched
    ticket: Any  # what the engine knows it by
    answer: Ending | str | None = None  # its ending; or why there will be none
    missed: float = float("inf")  # since when something of it should be here


class Remote(Launcher):
    """What all engines have in common; each sends, asks, cancels and leaves in its own words."""

    def __init__(self, *, timeout: float | str | None, memory: float | str | None) -> None:
        self.timeout, self.memory = timeout, memory
        self._away: list[_Away] = []
        self._gone: list[tuple[Job, Ending]] = []

    @abstractmethod
    def send(self, errand: Errand) -> Any:
        """Hand an errand to the engine; a ticket to ask after it."""

    @abstractmethod
    def answer(self, ticket: Any) -> Ending | str | None:
        """Its ending; in words why none will come; None while it waits or runs."""

    @abstractmethod
    def cancel(self, ticket: Any) -> None:
        """Take it out of the queue, or ask it to end."""

    @abstractmethod
    def leave(self) -> None:
        """Take back all that was started, with whatever still runs in it."""

    def start(self, job: Job) -> None:
        watched = Watched(job)
        errand = Errand(job, str(Path.cwd()), self.timeout, self.memory)
        self._away.append(_Away(watched, self.send(errand)))

    def ended(self) -> list[tuple[Job, Ending]]:
        for away in list(self._away):
            away.answer = away.answer or self.answer(away.ticket)
            if away.answer is not None and (ending := _judged(away)):
                self._away.remove(away)
                self._gone.append((away.watched.job, ending))
        gone, self._gone = self._gone, []
        return gone

    def stop(self, job: Job, reason: str) -> None:
        for away in self._away:
            if away.watched.job is job and not away.watched.stopped:
                away.watched.stopped = reason
                self.cancel(away.ticket)

    def close(self) -> None:
        for away in self._away:
            self.stop(away.watched.job, "stopped with its sweep")
        gone, end = [], time.monotonic() + GRACE
        try:
            while self._away and time.monotonic() < end:
                gone += self.ended()
                time.sleep(PERIOD)
        finally:  # a second Ctrl-C ends the patience
            self.leave()
            gone += [(away.watched.job, _lost(away.watched, "")) for away in self._away]
            self._away, self._gone = [], gone


def _judged(away: _Away) -> Ending | None:
    """What a job came to; None while its record may still be on its way home."""
    watched, answer = away.watched, away.answer
    assert answer is not None
    if isinstance(answer, str):
        return None if watched.job.run.locked and _soon(away) else _lost(watched, answer)
    if answer.state != "finished":
        stopped = watched.stopped and answer.state == "interrupted"
        return Ending("interrupted", watched.stopped, answer.seconds) if stopped else answer
    if watched.job.run.state == "finished":
        return answer
    if _soon(away):
        return None
    return Ending(
        "failed",
        f"finished, but {watched.job.run.folder} is not here: its node writes elsewhere, or sees "
        "other data; runs_dir has to be on a file system that all nodes share",
        answer.seconds,
    )


def _soon(away: _Away) -> bool:
    """May what is missed of it still come?"""
    away.missed = min(away.missed, time.monotonic())
    return time.monotonic() - away.missed < LAG


def _lost(watched: Watched, why: str) -> Ending:
    """The end of a job that can't tell of it: its node died, or it never got one."""
    status = watched.job.run.status
    begun = status.get("attempt", 0) > watched.after
    if watched.stopped and not begun:
        return Ending("interrupted", watched.stopped)  # it was still waiting: no attempt at all
    told = begun and status["state"] in ("finished", "failed")  # it came to its end before
    watched.broke = "" if told else why
    watched.began = status["started"] if begun else time.time()
    return watched.ending(None)


def _forget_ranks() -> None:
    """Who serves a cluster may be a rank in its queue, which the job is not."""
    for name in list(os.environ):
        if name in RANKS or name.startswith("SLURM_"):
            del os.environ[name]
