"""Where the checkpoints of a run lie until it is finished: the Store that a training is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stsfm.files import write

if TYPE_CHECKING:
    from stsfm.models.checkpoint import Store


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


@dataclass(frozen=True)
class OfMember:
    """What a member of an ensemble keeps in the store of all: another, which is the same net and
    learns otherwise, must not go on from there."""

    store: Store
    member: str

    def read(self, name: str) -> bytes | None:
        return self.store.read(f"{self.member}-{name}")

    def write(self, name: str, content: bytes) -> None:
        self.store.write(f"{self.member}-{name}", content)

    def say(self, line: str) -> None:
        self.store.say(f"{self.member}: {line}")
