"""What a prompt comes to: a request that is understood, one that may mean several, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stsfm.asking.spec import RunSpec
from stsfm.mistakes import Mistake


@dataclass(frozen=True)
class Understood:
    """A request, how each of its slots was found, and how sure that is."""

    spec: RunSpec
    found: Mapping[str, str]  # slot → the words that said it, and how they were matched
    confidence: float  # of the least sure part, in [0, 1]


class Ambiguous(Mistake):
    """It is clear what is asked for, but not of what: a slot is missing, or fits several."""

    def __init__(self, slot: str, candidates: Sequence[str], line: str) -> None:
        super().__init__(line)
        self.slot, self.candidates = slot, tuple(candidates)


class Refused(Mistake):
    """Nothing that there is was asked for."""
