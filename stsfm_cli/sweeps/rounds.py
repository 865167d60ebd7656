"""The jobs of a plan as the engine takes them: the runs first, then the pages that wait for others.

A run's page is drawn beside its baselines, which are jobs of the same plan. Where all have ended
by then it is drawn at once; else in a second round, when all runs have ended.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from pathlib import Path

from stsfm.launchers.base import Ending
from stsfm.sweeps.plan import PAGE, Job, Plan
from stsfm.sweeps.planner import page_is_there


class Rounds:
    """A Source for the engine. Nobody waits for a lock, so nobody can wait forever."""

    def __init__(self, plan: Plan) -> None:
        beside = {folder for job in plan.to_do for folder in job.beside}
        runs = [job for job in plan.to_do if job.why != PAGE]
        first = [job for job in runs if job.run.folder in beside]  # even if it was asked for
        self.waiting = deque(first + [job for job in runs if job.run.folder not in beside])
        anew = {job.run.folder for job in runs}
        self.pages = [j for j in plan.jobs if j.asked and (j.why or anew.intersection(j.beside))]
        self.under_way = 0
        self.lost: set[Path] = set()  # baselines that could not even begin

    def __len__(self) -> int:
        """How many are known to be left; pages are counted when it is known which are needed."""
        return len(self.waiting)

    def next(self) -> Job | None:
        if not self.waiting and not self.under_way:
            self._turn()
        if not self.waiting:
            return None
        self.under_way += 1
        job = self.waiting.popleft()
        return replace(job, beside=self._there(job))

    def over(self) -> bool:
        if not self.waiting and not self.under_way:
            self._turn()
        return not self.waiting and not self.under_way

    def ended(self, job: Job, ending: Ending) -> None:
        self.under_way -= 1
        if not job.asked and job.run.state == "missing":
            self.lost.add(job.run.folder)

    def look(self, job: Job) -> str | None:
        return None

    def _turn(self) -> None:
        """To the second round, once: the pages that are not there yet, of runs that are."""
        pages, self.pages = self.pages, []
        for job in pages:
            job = replace(job, config={**job.config, "force": False}, beside=self._there(job))
            if job.run.state == "finished" and not page_is_there(job):
                self.waiting.append(job)

    def _there(self, job: Job) -> tuple[Path, ...]:
        return tuple(folder for folder in job.beside if folder not in self.lost)
