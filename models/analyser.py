"""The face of every analysis: a panel goes in, what can be said of it comes out.

An analysis forecasts nothing and is scored by nothing; it looks at all rows that it is given.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import numpy as np

from stsfm.datasets.panel import Array, Panel

FEW = 6  # names that a sentence lists


class Link(NamedTuple):
    """From one named thing to another."""

    source: int
    target: int
    strength: float


class Curve(NamedTuple):
    """A line, and the band about it."""

    name: str
    x: Array
    y: Array
    low: Array
    high: Array


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """What an analysis found.

    columns, rows  its table: words, whole numbers, numbers, or None where there is nothing
    said           sentences that may stand in a paper, what was not found included
    noted          how it was done, and what it cannot tell
    names, at      what links are between, and the node of each (name,); () = it looks for none
    links          those that were found; `directed` or not, of a `strength` in words
    curves         what was found over `across`; the strength over it
    states, first  where the data are, (t, d), and the row of the panel of the first; None = unsaid
    arrays         all numbers, for other programs
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | float | None, ...], ...]
    said: tuple[str, ...]
    noted: tuple[str, ...]
    names: tuple[str, ...] = ()
    at: tuple[int, ...] = ()
    links: tuple[Link, ...] = ()
    directed: bool = False
    strength: str = ""
    curves: tuple[Curve, ...] = ()
    across: str = ""
    states: Array | None = None
    first: int = 0
    arrays: Mapping[str, Array] = field(default_factory=dict)


class Analyser(ABC):
    """Looks at a panel, and says what it finds."""

    cite: ClassVar[str]  # key of an entry in references.bib

    @abstractmethod
    def analyse(self, panel: Panel) -> Analysis:
        """What there is between the series of a panel (t, n, c), without batch."""

    @property
    def cites(self) -> tuple[str, ...]:
        """All that it goes back to, itself first."""
        return (self.cite,)


def series_of(panel: Panel, most: int) -> tuple[Array, tuple[str, ...], tuple[int, ...], str]:
    """The last `most` rows of the target series (t, s), their names, the node of each, a note.

    Gaps are filled by straight lines, since neighbours in time are; the note counts them.
    ValueError where a series has fewer than two values there, or is constant.
    """
    panel = panel.history().only_targets()
    panel = panel[slice(max(0, len(panel) - most), None)]
    about, names, columns, at = panel.about, [], [], []
    for n, c in np.ndindex(panel.nodes, panel.channels):
        name = _name(about.nodes[n], about.channels[c], panel.nodes, panel.channels)
        seen = np.flatnonzero(panel.mask[:, n, c])
        x = panel.values[:, n, c].astype(float)
        if len(seen) < 2 or np.ptp(x[seen]) == 0:
            raise ValueError(f"{name} does not change in {len(panel)} rows: there is nothing to it")
        columns.append(np.interp(np.arange(len(x)), seen, x[seen]))
        names.append(name)
        at.append(n)
    gaps = int((~panel.mask).sum())
    note = f"{gaps:,} of {panel.mask.size:,} cells were missing, and lie on straight lines." * (
        gaps > 0
    )
    return np.stack(columns, 1), tuple(names), tuple(at), note


def listed(names: Sequence[str]) -> str:
    """The first few of many names."""
    more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    return ", ".join(names[:FEW]) + more


def _name(node: str, channel: str, nodes: int, channels: int) -> str:
    """A series by what tells it from the others."""
    return channel if nodes == 1 else node if channels == 1 else f"{node} {channel}"
