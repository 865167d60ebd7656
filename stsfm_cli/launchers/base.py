"""Where jobs run: started without waiting, asked after, stopped.

A launcher knows nothing of what was cached, of retries, or of why a job is wanted; the engine does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal, Self

from stsfm.sweeps.plan import Job


@dataclass(frozen=True)
class Ending:
    """What became of a job."""

    state: Literal["finished", "failed", "interrupted"]
    reason: str = ""  # in one line: an exception, "killed by SIGSEGV", "took longer than 60 s", …
    seconds: float = 0.0  # by the clock, from its start


class Launcher(ABC):
    """A context manager: leaving it stops, within 10 s, all that still runs."""

    n_jobs: int  # how many may run at a time

    @abstractmethod
    def start(self, job: Job) -> None:
        """Start a job and return at once. It writes its own record."""

    @abstractmethod
    def ended(self) -> list[tuple[Job, Ending]]:
        """Those that ended since last asked; returns at once. Limits are enforced here, too.

        A job whose process died has been recorded as failed, with its reason, when it is listed.
        """

    @abstractmethod
    def stop(self, job: Job, reason: str) -> None:
        """Ask a running job to end; it is listed as `interrupted` with this reason once gone."""

    @abstractmethod
    def close(self) -> None:
        """Stop everything, within 10 s, and leave no process; `ended` lists it."""

    def advice(self, job: Job) -> str:
        """What is worth saying, once, before a job is started; "" where nothing is."""
        return ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
