"""A job under way, as who started it sees it: in the end its record is believed, not its exit code.

What every launcher needs, wherever its processes are: the command of a job, and the judgement.
"""

from __future__ import annotations

import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from stsfm.launchers.base import Ending
from stsfm.mistakes import Mistake
from stsfm.record.attempt import bury
from stsfm.sweeps.plan import Job

SAYS = "stsfm run: "  # how a command says in one line what stopped it
MISTAKEN = 2  # its exit code where that was a mistake of the user's


def command(job: Job) -> list[str]:
    """What makes a job in a process of its own, in the same environment and working folder."""
    words = [word for word in job.words if not word.lstrip("+").startswith("launcher")]
    return [sys.executable, "-m", "stsfm", "run", *words]  # which launches nothing itself


def log_of(job: Job) -> Path:
    """Where all that a job prints goes; its folder is made."""
    job.run.folder.mkdir(parents=True, exist_ok=True)
    return job.run.folder / "log.txt"


@dataclass
class Watched:
    """One attempt at a job, from just before its process is started."""

    job: Job
    began: float = field(default_factory=time.time)
    stopped: str = ""  # why it was asked to end: it is `interrupted`
    broke: str = ""  # which limit it broke, and was killed for: it is `failed`

    def __post_init__(self) -> None:
        self.after = self.job.run.status.get("attempt", 0)
        log = log_of(self.job)
        self.said = log.stat().st_size if log.exists() else 0

    def ending(self, code: int | None) -> Ending:
        """Judge an attempt whose processes are all gone, and record what it could not.

        code  its exit code, negative for a signal; None where nobody can tell
        """
        run, seconds = self.job.run, time.time() - self.began
        status, state = run.status, run.state
        mine = status.get("attempt", 0) > self.after
        if state == "finished" and (mine or not self.job.config["force"]):
            late = self.stopped or self.broke or (f"exit code {code}" if code else "")
            return Ending("finished", late and f"after its result was kept: {late}", seconds)
        if mine and state == "failed" and not (self.stopped or self.broke):
            return Ending("failed", status["error"], seconds)
        why = self.stopped or self.broke or self._died(code, status if mine else {})
        end: Literal["interrupted", "failed"] = "interrupted" if self.stopped else "failed"
        if code == MISTAKEN and not self.job.asked and not mine:
            # a baseline that can't be had here is left out, and is no failure
            return Ending(end, why, seconds)
        with suppress(OSError, Mistake):  # a full disk; the others go on
            bury(
                run, self.job.identity, self.job.about, why,
                after=self.after, began=self.began, state=end,
                config=self.job.config, words=self.job.words,
            )  # fmt: skip
        return Ending(end, why, seconds)

    def _died(self, code: int | None, status: dict[str, Any]) -> str:
        if code is not None and code < 0:
            names = {int(one): one.name for one in signal.Signals}
            memory = " (as the kernel does when memory runs out)" if code == -signal.SIGKILL else ""
            return f"killed by {names.get(-code, f'signal {-code}')}{memory}"
        if code == 128 + signal.SIGTERM and status.get("state") == "interrupted":
            return str(status["error"])
        said = self._said() if code in (1, MISTAKEN) else ""
        return said or f"ended without a result (exit code {'unknown' if code is None else code})"

    def _said(self) -> str:
        """The line that the command of this attempt ended with."""
        with suppress(OSError), log_of(self.job).open("rb") as log:
            log.seek(self.said)
            lines = log.read().decode(errors="replace").splitlines()
            found = next((x.removeprefix(SAYS) for x in lines[::-1] if x.startswith(SAYS)), "")
            return found.partition(" (STSFM_DEBUG")[0]
        return ""
