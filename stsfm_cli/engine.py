"""Jobs from a source through a launcher, each until it has ended for good."""

from __future__ import annotations

from typing import Protocol

from stsfm.launchers.base import Ending
from stsfm.plan import Job


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
