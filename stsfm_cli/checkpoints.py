"""Where the checkpoints of a run lie until it is finished: the Store that a training is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stsfm.files import write


@dataclass(frozen=True)
class Checkpoints:
    """Files of one folder, and a voice."""

    folder: Path
    say: Callable[[str], None]

    def read(self, name: str) -> bytes | None:
        path = self.folder / name
        return path.read_bytes() if path.is_file() else None

    def write(self, name: str, content: bytes) -> None:
        write(self.folder / name, content)
