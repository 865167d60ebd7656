"""What became of a command: its exit code, and the folders that it leaves to be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stsfm.record import Record


@dataclass
class Outcome:
    """What became of a command."""

    code: int = 0  # the worst of its jobs
    runs: list[Record] = field(default_factory=list)  # asked for, each once
    comparisons: list[Path] = field(default_factory=list)  # a folder per experiment or command

    @property
    def pages(self) -> list[Path]:
        """The folders whose reports answer the command: what was put side by side, else runs."""
        return self.comparisons or [run.folder for run in self.runs]
