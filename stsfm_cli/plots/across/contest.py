"""What figures over several runs are drawn from: rivals over one truth, as plain arrays and words.

A contest is one task: one dataset under one protocol. An entry is one configuration of a model in
it, its seeds folded: a number per seed, or means over seeds where a figure shows no single one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.datasets.split import independent
from stsfm.losses.metrics import METRICS
from stsfm.plots.across.naming import explained, shorten
from stsfm.plots.dates import stamp
from stsfm.spatial import Place
from stsfm.words import count, listed, steps

IN_UNITS = [metric.label for metric in METRICS if metric.unit == "data"]


def nothing() -> Array:
    """The default of an array: it was not kept."""
    return np.zeros(0)


class Look(NamedTuple):
    """How a model is drawn in every figure of a comparison."""

    color: str
    dashes: Any  # of its lines
    marker: str  # of its dots
    star: bool = True  # False: one of many, in grey


class Pick(NamedTuple):
    """A window of a node, shown because of its rank in the error, and what was observed there."""

    quantile: float  # of the mean error over entries
    origin: int  # the row at which its future begins
    node: int
    mae: float  # over all entries


@dataclass(frozen=True, kw_only=True, eq=False)
class Entry:
    """One configuration. `val`, `test` and `lost` are in the contest's metric.

    What has no axis of seeds is a mean over them; of forecasts one seed is shown, that whose
    validation error is the median.
    """

    label: str
    model: str
    net: bool
    deterministic: bool  # it draws no random numbers, so that it has one run and no seeds
    look: Look
    val: Array  # (seed,) pooled error; NaN where it was not scored
    test: Array  # (seed,)
    by_step: Array = field(default_factory=nothing)  # (seed, step) test MAE, in data units
    by_node: Array = field(default_factory=nothing)  # (node,) test MAE; NaN: none observed
    lost: Array = field(default_factory=nothing)  # (origin,) test losses
    seconds: float = np.nan  # to fit and predict
    points: Array = field(default_factory=nothing)  # (pick, step) forecasts
    curves: tuple[Array, ...] = ()  # a seed's (epoch, 3): epoch, train and validation loss
    settings: Mapping[str, Any] = field(default_factory=dict)  # what tells it from its like
    terms: Mapping[str, tuple[Array, ...]] = field(default_factory=dict)
    # of its loss, if several: a seed's (epoch, 3): epoch, unweighted training loss, weight
    kept: tuple[int, ...] = ()  # a seed's epoch whose weights were kept

    @property
    def star(self) -> bool:
        return self.look.star

    @property
    def error(self) -> float:
        """The mean test error over seeds."""
        return float(self.test.mean()) if len(self.test) else np.nan

    @property
    def preference(self) -> float:
        """The mean validation error over seeds; infinite where there is none."""
        mean = float(self.val.mean()) if len(self.val) else np.nan
        return mean if np.isfinite(mean) else np.inf


@dataclass(frozen=True, kw_only=True, eq=False)
class Contest:
    """One task and its entries, in the order of their test error; channel 0 where one is shown."""

    data: str
    nodes: tuple[str, ...]
    channel: str
    unit: str  # of the channel
    units: str  # of all target channels
    step: str  # from row to row, in words; "" where there are no dates
    season: int
    horizon: int
    protocol: str  # name and fingerprint
    metric: str  # as it is printed: MASE
    entries: tuple[Entry, ...]
    failures: Mapping[str, str]  # label → reason, of those that have no entry
    control: str  # the label that others are measured against; "" where there is none
    exploratory: bool = False  # every configuration is an entry, not only validation's choice
    origins: Array  # int (origin,): the first row of each test future
    days: Array = field(default_factory=nothing)  # (row + 1,) since 1970, from origin 0
    picks: tuple[Pick, ...] = ()
    truth: Array = field(default_factory=nothing)  # (pick, row) of clock; NaN in gaps
    configurations: tuple[Entry, ...] = ()  # all that were tried, where several were
    composites: tuple[Entry, ...] = ()  # all whose loss has several terms, chosen or not
    place: Place | None = None  # where the nodes are
    end: int | None = None  # the row behind the last one of the data: futures may reach beyond

    def __post_init__(self) -> None:
        for entry in self.entries:
            held = {
                "by_step": (len(entry.test), self.horizon), "by_node": (len(self.nodes),),
                "lost": (len(self.origins),), "points": (len(self.picks), self.horizon),
            }  # fmt: skip
            for name, wanted in held.items():
                got = getattr(entry, name)
                if got.size and got.shape != wanted:
                    raise ValueError(f"{name} of {entry.label}: wanted {wanted}, got {got.shape}")
        if self.control and self.control not in {entry.label for entry in self.entries}:
            raise ValueError(f"the control {self.control} is none of the entries")

    @cached_property
    def stars(self) -> list[Entry]:
        """The entries with a colour of their own."""
        return [entry for entry in self.entries if entry.star]

    @property
    def many(self) -> bool:
        return len(self.nodes) > 1

    @property
    def dated(self) -> bool:
        return len(self.days) > 2

    @cached_property
    def clock(self) -> np.ndarray:
        """(row + 1,) days since 1970, or row numbers, from the first origin on; and the end."""
        if self.dated:
            return self.days
        rows = np.arange(self.origins[0], self.origins[-1] + self.horizon + 1)
        return rows.astype(float)

    @property
    def error_label(self) -> str:
        """The label of an axis of the contest's metric."""
        return self.in_units(self.metric) if self.metric in IN_UNITS else self.metric

    def in_units(self, name: str) -> str:
        return f"{name} ({self.units})" if self.units else name

    @property
    def quantity(self) -> str:
        """The label of an axis of data: "flow (veh/h)", "thousand passengers"."""
        if self.channel in self.unit:
            return self.unit
        return f"{self.channel} ({self.unit})" if self.unit else self.channel

    @property
    def ahead(self) -> str:
        """The label of an axis of steps: "months ahead", "steps of 5 min ahead"."""
        return f"{steps(2, self.step or 'step').removeprefix('2 ')} ahead"

    def at(self, row: int) -> str:
        """The stamp of a row of test in words."""
        if not self.dated:
            return f"row {row}"
        return stamp(self.clock[row - int(self.origins[0])], self.clock[:-1])

    @property
    def where(self) -> str:
        """The lines with which a caption says what the numbers are about."""
        n, free = len(self.origins), independent(self.origins, self.horizon)
        overlap = f" ({free} with futures that do not overlap)" if free < n else ""
        span = ""
        if self.dated:
            end = int(self.origins[-1]) + self.horizon
            end = end if self.end is None else min(end, self.end)
            span = f"{self.at(int(self.origins[0]))} … {self.at(end - 1)}, "
        test = f"test {span}{count(n, 'origin')}{overlap}" if n else "not scored on test"
        text = (
            f"Data: {self.data}, {count(len(self.nodes), 'node')}; {test}, "
            f"horizon {steps(self.horizon, self.step or 'step')}; protocol {self.protocol}."
        )
        names = explained(shorten(entry.label for entry in self.entries))
        return f"{text} {self.draws}{names}{self.stamp}"

    @property
    def draws(self) -> str:
        """How many seeds the numbers are means of."""
        sizes = sorted({len(entry.val) for entry in self.entries if not entry.deterministic})
        if not sizes:
            return "No model draws random numbers."
        most = f"{sizes[0]} to {sizes[-1]} seeds" if sizes[1:] else count(sizes[0], "seed")
        which = "Nets" if all(e.net for e in self.entries if not e.deterministic) else "Models"
        fixed = any(entry.deterministic for entry in self.entries)
        return f"{which} by {most}{'; the others draw no random numbers' * fixed}."

    @property
    def stamp(self) -> str:
        if not self.exploratory:
            return ""
        return " EXPLORATORY: every configuration is shown, so the best test score is optimistic."

    @property
    def rest(self) -> str:
        """The sentence on the entries that have no colour of their own; "" without such."""
        n = len(self.entries) - len(self.stars)
        others = "other model" if len({e.model for e in self.entries}) > 1 else "other"
        return f" Grey: the {count(n, others)}." if n else ""

    @property
    def failed(self) -> str:
        """The sentence on those that failed; "" where none did."""
        if not self.failures:
            return ""
        reasons = [f"{label} ({reason})" for label, reason in self.failures.items()]
        return f" Failed, and so not drawn: {listed(reasons)}."
