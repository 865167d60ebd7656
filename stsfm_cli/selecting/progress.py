"""A race on the screen: a line per run that ended, and who went on after each round."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stsfm.launchers.base import Ending
from stsfm.selecting.race import UNFIT, is_unfit
from stsfm.sweeps.plan import Job
from stsfm.sweeps.status import Status

if TYPE_CHECKING:
    from stsfm.screen import Screen


class Progress(Status):
    """A sweep's picture; a run of a race has no test score, and a failure stops nobody."""

    def __init__(self, screen: Screen, metric: str, label: str) -> None:
        super().__init__(screen)
        self.metric, self.label = metric, label

    def ended(self, job: Job, ending: Ending) -> None:
        self.counts[ending.state] += 1
        block = job.config["protocol"]["fold"]
        where = f"  {job.identity.model:22} block {block}"
        if ending.state == "finished":
            error = job.run.pooled("test").get(self.metric)
            told = "—" if error is None else f"{error:.4g}"
            self._say(f"{where}  {self.label} {told:>8}  {ending.seconds:5.1f} s")
        else:
            unfit = ending.state == "failed" and is_unfit(job, ending)
            state = "left out" if unfit else ending.state
            self._say(f"{where}  {state}: {ending.reason.removeprefix(UNFIT)}")
