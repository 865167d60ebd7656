"""Jobs in this process, one after the other: for many that take less than a process to start.

What a job gives is the same, to the last digit. It can be neither stopped nor limited, so that this
is for those that are known to be quick, under a budget that decides nothing.
"""

from __future__ import annotations

from contextlib import redirect_stderr, redirect_stdout
from typing import final

from stsfm import job as jobs
from stsfm.launchers.base import Ending, Launcher
from stsfm.launchers.watched import Watched, log_of
from stsfm.mistakes import tell
from stsfm.screen import Screen
from stsfm.sweeps.plan import Job


@final
class Inline(Launcher):
    """A launcher whose jobs have ended when they were started."""

    n_jobs = 1

    def __init__(self) -> None:
        self._gone: list[tuple[Job, Ending]] = []

    def start(self, job: Job) -> None:
        watched = Watched(job)
        with log_of(job).open("a") as log, redirect_stdout(log), redirect_stderr(log):
            try:
                jobs.make(job, Screen(quiet=True))
                code = 0
            except Exception as error:
                code = tell("run", error)
        self._gone.append((job, watched.ending(code)))

    def ended(self) -> list[tuple[Job, Ending]]:
        gone, self._gone = self._gone, []
        return gone

    def stop(self, job: Job, reason: str) -> None:
        """Nothing: it has ended."""

    def close(self) -> None:
        """Nothing is left."""
