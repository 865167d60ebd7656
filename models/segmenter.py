"""The face of every detector of change points: a panel goes in, where it changes comes out.

A detector looks at all rows that it is given, forecasts nothing, and never sees annotations.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from stsfm.datasets.panel import Array, Panel
from stsfm.models.analyser import Curve


class Change(NamedTuple):
    """A row at which something new begins, and how well it is known.

    `low` … `high` are the rows between which it lies at the level of its Segmentation; both are
    `row` where no interval is known. `p` is the chance of so strong a change where there is none;
    None where none is computed.
    """

    row: int
    low: int
    high: int
    p: float | None = None


@dataclass(frozen=True, kw_only=True)
class Track:
    """One series, or several that are taken to change together.

    name     as its series is called; "all series" where they are taken together
    series   its columns among the target series of the panel, in the order of `series_of`
    changes  by row, the first after row 0; () = none found
    signal   (t, s) what the search saw: without season, whitened, standardised
    fitted   (t, s) what is said of each segment, in units of the data: its level, or its line
    path     penalty → number of changes, over a range about the one that was taken; as a Curve
    facts    numbers that settle what was found: penalty, order of the AR, p of the gate, …
    """

    name: str
    series: tuple[int, ...]
    changes: tuple[Change, ...]
    signal: Array
    fitted: Array
    path: Curve | None = None
    facts: Mapping[str, float | int | str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Segmentation:
    """What a detector found.

    names   of the target series; a Track says which of them it is about
    tracks  each series by itself, or all together; at least one
    level   of the intervals, such as 0.9
    said    sentences that may stand in a paper; what was not found included
    noted   how it was done, and what was not tested
    """

    names: tuple[str, ...]
    tracks: tuple[Track, ...]
    level: float
    said: tuple[str, ...]
    noted: tuple[str, ...]


class Segmenter(ABC):
    """Looks at a panel, and says where it changes."""

    cite: ClassVar[str]  # key of an entry in references.bib

    @abstractmethod
    def segment(self, panel: Panel) -> Segmentation:
        """Where the target series of a panel (t, n, c), without batch, change."""

    @property
    def cites(self) -> tuple[str, ...]:
        """All that it goes back to, itself first."""
        return (self.cite,)
