"""A table as it is printed: headings, cells of text, marks and notes; every format draws this."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from stsfm.tables.row import Value

NONE = "—"
EXPLORATORY = (
    "EXPLORATORY: configurations that validation did not choose are shown, so the best test score "
    "is optimistic."
)
Mark = Literal["best", "second", ""]
Better = Literal["low", "high", ""]


@dataclass(frozen=True, kw_only=True)
class Cell:
    text: str
    number: float | None = None  # what it sorts by
    mark: Mark = ""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Rows and columns of cells.

    heads  the headings, topmost first, one per column each; equal neighbours above the last are one
    words  the columns that begin at the left; the others hold numbers
    last   how many rows are failures, which stay at the end however the others are sorted
    """

    title: str
    heads: tuple[tuple[str, ...], ...]
    body: tuple[tuple[Cell, ...], ...]
    words: frozenset[int]
    last: int = 0
    caption: str = ""  # what a reader needs to know of the columns
    notes: tuple[str, ...] = ()  # what the table says
    footnotes: tuple[str, ...] = ()  # those of the notes that belong under it in a paper
    exploratory: bool = False

    @property
    def spans(self) -> list[list[tuple[str, int]]]:
        """Each heading but the last, topmost first, as text and the columns that it is over."""
        merged = []
        for depth in range(len(self.heads) - 1):
            level: list[tuple[str, int]] = []
            above = list(zip(*self.heads[: depth + 1], strict=True))
            for k, path in enumerate(above):
                if k and path == above[k - 1] and path[-1]:
                    level[-1] = (path[-1], level[-1][1] + 1)
                else:
                    level.append((path[-1], 1))
            merged.append(level)
        return merged


def marks(values: Sequence[Value | None], better: Better) -> list[Mark]:
    """The best and the second best of some values; equal ones share their mark."""
    if not better:
        return [""] * len(values)
    sign = 1 if better == "low" else -1
    order = sorted({sign * value.mean for value in values if value})
    names: dict[float, Mark] = dict(zip(order, ("best", "second"), strict=False))
    return [names.get(sign * value.mean, "") if value else "" for value in values]


def digits_of(values: Iterable[Value | None], scale: float = 1) -> int:
    """Decimals: two figures of the smallest deviation between seeds, else three of the smallest."""
    seen = [value for value in values if value]
    spreads = [value.sd for value in seen if value.sd]
    sizes = spreads or [abs(value.mean) / 10 for value in seen if value.mean]
    if not sizes:
        return 0
    return max(0, min(4, 1 - math.floor(math.log10(min(sizes) * scale))))


def rank_text(rank: float | None) -> str:
    """1, 2.5"""
    return NONE if rank is None else f"{rank:.2f}".rstrip("0").rstrip(".")
