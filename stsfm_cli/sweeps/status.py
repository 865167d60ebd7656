"""How a sweep is doing: a table that lives on a terminal, a line per job that ended elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from stsfm.identity import nets
from stsfm.launchers.base import Ending
from stsfm.screen import Screen
from stsfm.sweeps.plan import Job
from stsfm.words import count

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

REFRESH = 0.4  # seconds between two pictures
SHOWN = 12  # running jobs in a picture


class Status:
    """Told by the engine what happens; what is said once stays on the screen."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.words, self.total = "", 0
        self.counts: Counter[str] = Counter()
        self.failures: list[Job] = []
        self.best: dict[str, tuple[float, str]] = {}  # protocol → error, in words
        self.starts: dict[Path, float] = {}
        self.told: set[Path] = set()
        self.began = self.drawn = time.monotonic()
        self.live: Live | None = None

    def begin(self, plan_words: str, total: int) -> None:
        """Say the plan, and how many jobs are to be run by it."""
        self.words, self.total, self.began = plan_words, total, time.monotonic()
        self.screen.say(plan_words)
        if self.screen.live:
            from rich.console import Console
            from rich.live import Live

            self.live = Live(
                console=Console(stderr=True), auto_refresh=False, transient=True,
                redirect_stdout=sys.stdout.isatty(),
            )  # fmt: skip
            self.live.start()

    def started(self, job: Job) -> None:
        self.starts[job.run.folder] = time.monotonic()

    def again(self, job: Job, ending: Ending) -> None:
        """It failed and is tried again."""
        self._say(f"{'again':12} {os.path.relpath(job.run.folder):44} {ending.reason}")

    def ended(self, job: Job, ending: Ending) -> None:
        """A line: its scores, or why it failed and how it is repeated."""
        from stsfm.present import line

        if ending.state == "finished" and job.run.folder in self.told:
            return  # its page was drawn anew; the run was told of
        self.told.add(job.run.folder)
        if not job.asked and job.run.state == "missing":  # it can't read these data, say
            self.total -= 1
            self.warn(f"without the baseline {job.identity.model}: {ending.reason}")
            return
        self.counts[ending.state] += 1
        if ending.state == "finished":
            self._judge(job)
            self._say(line(job.run) + (f"  ({ending.reason})" if ending.reason else ""))
            return
        place = os.path.relpath(job.run.folder)
        lines = [f"{ending.state:12} {place:44} {ending.reason}"]
        if ending.state == "failed":
            self.failures.append(job)
            lines += [f"{'':12} repeat: {job.command}", f"{'':12} its log: {place}/log.txt"]
        for text in lines if not self.screen.quiet or ending.state == "failed" else []:
            (self.screen.warn if self.screen.quiet else self._say)(text)

    def warn(self, line: str) -> None:
        self.screen.warn(line)

    def tick(self, running: list[Job]) -> None:
        """Draw anew, if there is a terminal and it is time to."""
        if self.live is not None and time.monotonic() - self.drawn > REFRESH:
            self.drawn = time.monotonic()
            with self._terminal() as live:
                live.update(self._picture(running), refresh=True)

    def end(self) -> None:
        """Only lines stay; the last ones are what to type to repeat what failed."""
        if self.live is not None:
            with self._terminal() as live:
                live.stop()
            self.live = None
        if len(self.failures) > 1:
            self.screen.say(f"{len(self.failures)} jobs failed; each is repeated by")
            for job in self.failures:
                self.screen.say(f"  {job.command}")
        self.failures = []

    def _say(self, line: str) -> None:
        """Above the table, where there is one: whole, for a terminal breaks it where it must."""
        if self.live is None or not sys.stdout.isatty():
            self.screen.say(line)
        else:
            with self._terminal() as live:
                live.console.print(line, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def _terminal(self) -> Iterator[Live]:
        """The table, for something to be done with it; it goes with a terminal that is closed."""
        assert self.live is not None
        try:
            yield self.live
        except OSError:
            live, self.live = self.live, None
            with suppress(OSError):
                live.stop()

    def _judge(self, job: Job) -> None:
        val = job.run.pooled("val")
        metric = job.run.metric
        if metric in val:
            from stsfm.losses.metrics import METRIC  # numpy comes with it

            protocol = str(job.run.status.get("fingerprint"))
            words = f"{METRIC[metric].label}: {job.identity.model} {val[metric]:.3f}"
            found = (val[metric], words)
            self.best[protocol] = min(self.best.get(protocol, found), found)

    def _picture(self, running: list[Job]) -> RenderableType:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        for job in running[:SHOWN]:
            since = time.monotonic() - self.starts.get(job.run.folder, time.monotonic())
            table.add_row(
                Text(job.identity.model, style="bold"),
                Text(f"{job.identity.data}/{job.identity.run_id}", style="dim"),
                Text(_progress(job)),
                Text(_clock(since), style="dim"),
            )
        if len(running) > SHOWN:
            table.add_row(f"and {len(running) - SHOWN} more")
        pages = sum(job.run.folder in self.told for job in running)
        words = self._summary(len(running) - pages, pages)
        return Group(table, Text(words, style="bold", no_wrap=True, overflow="ellipsis"))

    def _summary(self, running: int, pages: int) -> str:
        """5 done · 1 failed · 2 running · 12 to go · about 3:00 left · best val MASE: linear 0.229

        What matters least comes last, for a narrow terminal cuts it off.
        """
        ended = self.counts.total()
        left = max(self.total - ended, running)
        parts = [f"{self.counts['finished']} done"]
        parts += [f"{self.counts['failed']} failed"] if self.counts["failed"] else []
        parts += [f"{running} running", f"{left - running} to go"]
        parts += [f"{count(pages, 'page')} being drawn"] if pages else []
        if ended and left:
            rest = (time.monotonic() - self.began) / ended * left
            parts.append(f"about {_clock(rest)} left")
        if len(self.best) == 1:  # errors under different protocols are not compared
            parts.append(f"best val {next(iter(self.best.values()))[1]}")
        return " · ".join(parts)


def _progress(job: Job) -> str:
    """epoch 12/300 · val 0.0121, as its history tells; in the end its figures are drawn."""
    if job.run.read("status.json").get("state") == "finished":
        return "its page"
    try:
        row = job.run.history()[-1]
        epochs = nets(job.config["model"])[0]["trainer"]["epochs"]
    except (LookupError, OSError, ValueError):  # no net, or it has not begun
        return ""
    judged = f" · val {row['val']:.4g}" if "val" in row else ""
    stage = f"{row['stage']} · " if "stage" in row else ""
    return f"{stage}epoch {row['epoch']:.0f}/{epochs}{judged}"


def _clock(seconds: float) -> str:
    """8 s, 3:05, 2:10:00."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours}:{minutes:02}:{whole % 60:02}"
    return f"{minutes}:{whole % 60:02}" if minutes else f"{whole} s"
