"""When a model learns again while it is backtested: `protocol.refit`.

    never   the fit before a border serves all origins of its split
    k       before every k-th origin a model learns from every window whose future has ended by
            then, less the protocol's gap; each_origin is k = 1

Validation follows the rule as test does, so that what is chosen is what is scored. Nothing is
learned twice: before the first origin of validation, `fit` has seen all there was.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster


class Refits:
    """The refits of one model; `seconds` is what they took so far."""

    def __init__(self, model: Forecaster, rules: Mapping[str, Any]) -> None:
        self.model, self.gap = model, rules["gap"]
        self.every = None if rules["refit"] == "never" else int(rules["refit"])
        self.learned = rules["train"][1]  # rows
        self.seconds = 0.0

    def runs(self, windows: RollingWindows) -> Iterator[RollingWindows]:
        """The windows from one refit to the next; each run comes after its refit."""
        size = self.every or max(1, len(windows))
        for first in range(0, len(windows), size):
            run = windows.subset(slice(first, first + size))
            if self.every and (row := int(run.origins[0]) - self.gap) > self.learned:
                start = time.perf_counter()
                self.model.update(windows.upto(row))
                self.seconds += time.perf_counter() - start
                self.learned = row
            yield run


def often(rule: str | int) -> str:
    """Before which origins a model learns again; nothing where it does not."""
    if rule == "never":
        return ""
    return "each origin" if rule == 1 else f"every {_nth(int(rule))} origin"


def _nth(k: int) -> str:
    ending = "th" if 10 <= k % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(k % 10, "th")
    return f"{k}{ending}"
