"""A selector of intents: how much a text asks for each, or for nothing that there is.

text → {intent → score in [0, 1], "reject" → score}, which sum to 1
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, Protocol

from stsfm.asking.spec import Intent

Reject = Literal["reject"]
REJECT: Final[Reject] = "reject"


class Selector(Protocol):
    """Says what a text is about. It reads text and returns numbers: it does nothing else."""

    def scores(self, text: str) -> Mapping[Intent | Reject, float]:
        """One score for each intent and for `REJECT`; deterministic; any text will do."""
        ...
