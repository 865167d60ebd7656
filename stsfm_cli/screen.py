"""What a user sees of a run: a bar on a terminal, plain lines in a log, nothing with -q."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stsfm.tables.grid import Grid
    from stsfm.tables.sheet import Sheet
    from stsfm.tables.table import Table


class Screen:
    """Results go to standard output, progress to standard error."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.live = sys.stderr.isatty() and not quiet
        self.warned: set[str] = set()

    def say(self, line: str) -> None:
        if self.quiet:
            return
        try:
            print(line, flush=True)
        except OSError:  # `… | head`, a terminal that was closed: nobody reads on, the work goes on
            self.quiet = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def warn(self, line: str) -> None:
        """Once per command: the jobs of a sweep often share what there is to say."""
        if line not in self.warned:
            with suppress(OSError):
                print(line, file=sys.stderr, flush=True)
        self.warned.add(line)

    @contextmanager
    def training(self, name: str, epochs: int | None) -> Iterator[Any]:
        """Yields a monitor, which draws a bar of epochs on a terminal and nothing elsewhere."""
        if not self.live or epochs is None:
            yield lambda row: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        parts = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[words]}"))
        bar = Progress(
            *parts, TimeElapsedColumn(), console=Console(stderr=True), refresh_per_second=8
        )
        with bar:
            task = bar.add_task(f"training {name}", total=epochs, words="")

            def monitor(row: Mapping[str, Any]) -> None:
                judged = f" · val {row['val']:.4g}" if "val" in row else ""
                stage = f"{row['stage']} · " if "stage" in row else ""
                words = f"{stage}epoch {row['epoch']}/{epochs}{judged}"
                bar.update(task, completed=row["epoch"], words=words)

            yield monitor

    def table(self, shown: Table | Grid | Sheet) -> None:
        """A table, a grid or a sheet, and what it says."""
        from stsfm.tables.render import as_text
        from stsfm.tables.sheets import sheets

        for line in as_text(shown):
            self.say(f"  {line}")
        for sheet in sheets(shown, brief=True):
            for note in sheet.notes:
                self.say(note)
