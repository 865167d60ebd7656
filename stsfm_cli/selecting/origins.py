"""Rolling origins inside the rows before the test border: what candidates are judged on.

    rows  0 ……… train ……… | stop | block 1 | block 2 | block 3 | block 4 |  test …
                                  └──────── half of the development ─────┘ until

Each block is the test of a task of its own (protocol.folds), whose train is all before it: a
candidate is fitted, stopped and refitted there just as the chosen one will be before the test
border, on rows that its fit has not seen. Nets stop early on the rows before the block, and not on
those that judge them. From `until` on there are no rows: not in scales, not in seasons, not in the
digest by which the runs are named. Tashman, Int. J. Forecasting 16 (2000).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from stsfm.mistakes import Mistake

MOST = 4  # blocks


@dataclass(frozen=True, kw_only=True)
class Origins:
    """The blocks of one selection, in rows."""

    until: int  # the test border, less the gap
    first: int  # of the first block
    stop: int  # rows before a block, on which nets stop
    horizon: int
    blocks: int
    rules: Mapping[str, Any]  # of the task that the chosen one is tested on

    @classmethod
    def of(cls, rules: Mapping[str, Any], data: str) -> Origins:
        """Those of a task. Mistake where the rows before its test border are too few."""
        until, horizon = rules["val"][1], rules["horizon"]
        region = until // 2
        blocks = min(MOST, region // horizon)
        first = until - region
        stop = max(horizon, min(rules["val"][1] - rules["val"][0], first // 4))
        if blocks < 1 or first - stop - rules["gap"] * 2 < horizon + 1:
            raise Mistake(
                f"{data} has {until} rows before the test border, too few to judge forecasts of "
                f"{horizon} rows on: protocol.horizon=…, or stsfm run model=… baselines=[…]"
            )
        return cls(until=until, first=first, stop=stop, horizon=horizon, blocks=blocks, rules=rules)

    @property
    def least(self) -> int:
        """Rows to learn from before the first block, which are the fewest."""
        return self.first - self.stop - int(self.rules["gap"])

    @property
    def rounds(self) -> list[list[int]]:
        """The blocks that each adds: the last, which is most like test; one amid; the others."""
        first = list(dict.fromkeys([self.blocks, max(1, self.blocks // 2)]))
        others = [block for block in range(1, self.blocks + 1) if block not in first]
        return [*([block] for block in first), *([others] if others else [])]

    def words(self, block: int) -> list[str]:
        """What makes a run on one block, after those that make the task."""
        keys = {
            "horizon": self.horizon, "until": self.until, "test": self.first,
            "val": self.first - self.stop, "folds": self.blocks, "fold": block,
        }  # fmt: skip
        return [f"protocol.{key}={value}" for key, value in keys.items()]

    def facts(self) -> dict[str, Any]:
        """In numbers, for the record."""
        rows = self.until - self.first
        ends = [self.first + k * rows // self.blocks for k in range(self.blocks + 1)]
        sizes = [b - a for a, b in pairwise(ends)]
        return {
            "until": self.until, "horizon": self.horizon, "stop": self.stop,
            "blocks": self.blocks, "rows": [self.first, self.until],
            "count": sum(size - self.horizon + 1 for size in sizes),
            "independent": sum(size // self.horizon for size in sizes),
        }  # fmt: skip
