"""What a command asks for, before anything runs: its jobs, and what of them is there already."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stsfm.identity import Identity
    from stsfm.record import Record


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run that is wanted, and all that it takes to make it."""

    config: Mapping[str, Any]  # resolved plain values, with `choices`
    words: tuple[str, ...]  # after `stsfm run`: what makes this run alone
    run: Record  # its folder
    identity: Identity
    about: Mapping[str, Any]  # its task, as a status tells it: for one who died before writing any
    asked: bool = True  # False: a baseline that others are put beside
    seconds: float | None = None  # how long it may take, from earlier runs

    @property
    def command(self) -> str:
        """What to type to make it again."""
        return shlex.join(["stsfm", "run", *self.words])
