"""What the figures of a run are drawn from: plain arrays and words, in the units of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from stsfm.datasets.about import DAY
from stsfm.datasets.panel import About, Array
from stsfm.datasets.split import independent
from stsfm.plots.dates import stamp
from stsfm.spatial import Place
from stsfm.words import count, steps


@dataclass(frozen=True, kw_only=True, eq=False)
class Story:
    """One model, one dataset, one protocol, its scored test windows. Channels are the targets.

    A window's truth is no field: it is the `horizon` rows of the panel from its origin on.
    Curves and bars show the first channel; MAE by step is whatever the record pooled.
    """

    model: str
    about: About
    values: Array  # (time, node, channel)
    mask: Array  # bool (time, node, channel); True = observed
    time: Array  # int64 (time,), ns since 1970
    borders: Mapping[str, Sequence[int]]  # train, val, test → rows [first, end)
    horizon: int
    origins: Array  # int (window,): first row of each test future
    point: Array  # (window, step, node, channel), of all windows or of those in `kept`
    kept: Array | None = None  # int: the windows whose forecasts were kept; None = all
    missed: Array | None = None  # (window, node) residuals one step ahead, where not all were kept
    quantiles: Array | None = None  # (window, step, node, channel, level), like `point`
    levels: Sequence[float] = ()
    intervals: str = ""  # where the quantiles come from: native or conformal
    reference: Array | None = None  # seasonal naive's point forecasts, like `point`
    context: int | None = None  # rows that the model reads; None = all before the origin
    mae: Mapping[str, Sequence[float | None]]  # model → MAE by step; this model's among them
    history: Sequence[Mapping[str, float]] = ()  # a net's epochs: epoch, train and perhaps val
    protocol: str = ""  # name and fingerprint: "rolling 3f9c2a"
    place: Place | None = None  # where the nodes are
    sums: Mapping[str, Array] = field(default_factory=dict)  # absolute, residual, count over
    #   windows (step, node)
    space: Mapping[str, Any] | None = None  # what the record says of residuals in space
    states: Mapping[str, Array] = field(default_factory=dict)  # as Forecaster.states names them
    drawing: Mapping[str, Any] = field(default_factory=dict)  # as Forecaster.drawing has it

    def __post_init__(self) -> None:
        wanted = (len(self.drawn), self.horizon, *self.values.shape[1:])
        for name in ("point", "reference", "quantiles"):
            got = getattr(self, name)
            if got is not None and got.shape[:4] != wanted:
                raise ValueError(f"{name} must be (window, step, node, channel) {wanted}, "
                                 f"got {got.shape[:4]}")  # fmt: skip
        got_levels = 0 if self.quantiles is None else self.quantiles.shape[-1]
        if got_levels != len(self.levels):
            raise ValueError(f"wanted a quantile per level {self.levels}, got {got_levels}")

    @cached_property
    def drawn(self) -> np.ndarray:
        """The origins of the windows whose forecasts were kept."""
        return self.origins if self.kept is None else self.origins[self.kept]

    @property
    def of_all(self) -> str:
        """How many windows a figure is of, where it is not all: " of 85 evenly spaced windows"."""
        few = len(self.drawn) < len(self.origins)
        return f" of {count(len(self.drawn), 'evenly spaced window')}" if few else ""

    @cached_property
    def series(self) -> np.ndarray:
        """(time, node), NaN where nothing was observed, so that a gap is drawn as a gap."""
        return np.where(self.mask[..., 0], self.values[..., 0], np.nan)

    @cached_property
    def clock(self) -> np.ndarray:
        """(time + 1,) days since 1970, or row numbers where there is no step; and the end."""
        return clock(self.time, self.mask.any((1, 2)), dated=self.dated)

    @property
    def dated(self) -> bool:
        return bool(self.about.step) and self.mask.any((1, 2)).sum() > 1

    def at(self, row: int) -> str:
        """The stamp of a row in words, as fine as the stamps of the data."""
        return stamp(self.clock[row], self.clock[:-1]) if self.dated else f"row {row}"

    def future(self, window: int) -> slice:
        """The rows of the future of a window that was kept."""
        return slice(first := int(self.drawn[window]), first + self.horizon)

    @cached_property
    def residuals(self) -> np.ndarray:
        """(window, node) truth − forecast, one step ahead: the only step whose errors are new."""
        if self.missed is not None:
            return self.missed
        residuals = self.series[self.origins] - self.point[:, 0, :, 0]
        return np.where(np.isfinite(residuals), residuals, np.nan)

    @cached_property
    def node(self) -> int:
        """The node whose error one step ahead is the median one: it stands for all."""
        seen = np.isfinite(self.residuals)
        error = np.where(seen, abs(self.residuals), 0).sum(0) / seen.sum(0).clip(1)
        order = np.argsort(np.where(seen.any(0), error, np.inf), kind="stable")
        return int(order[max(0, int(seen.any(0).sum()) - 1) // 2])

    def per_node(self, name: str) -> np.ndarray:
        """(node,) the mean of `absolute` or `residual` over windows and steps; NaN without any."""
        total, n = self.sums[name].sum(0), self.sums["count"].sum(0)
        return np.where(n > 0, total / np.maximum(n, 1), np.nan)

    @property
    def first_state(self) -> int:
        """The row of the data that the first of its states stands for."""
        return int(self.states.get("first_row", 0))

    @property
    def many(self) -> bool:
        return len(self.about.nodes) > 1

    @property
    def unit(self) -> str:
        return self.about.units[0]

    @property
    def quantity(self) -> str:
        """The label of an axis of data: "flow (veh/h)", "thousand passengers"."""
        name = self.about.channels[0]
        return self.unit if name in self.unit else self.in_unit(name)

    def in_unit(self, name: str) -> str:
        """The label of an axis: what, and in which unit; on two lines where it is long."""
        if not self.unit:
            return name
        return f"{name}{' ' if len(name + self.unit) < 32 else chr(10)}({self.unit})"

    @property
    def ahead(self) -> str:
        """The label of an axis of steps: "months ahead", "steps of 5 min ahead"."""
        return f"{self.in_steps} ahead"

    @property
    def in_steps(self) -> str:
        """What lengths are counted in: "months", "steps of 5 min"."""
        return self.steps(2).removeprefix("2 ")

    def steps(self, length: int) -> str:
        """A length in words: "12 months", "1 hour", "3 steps of 5 min"."""
        return steps(length, self.about.step or "step")

    @property
    def where(self) -> str:
        """The line with which a caption says what the numbers are about."""
        first, end = self.borders["test"]
        origins, free = len(self.origins), independent(self.origins, self.horizon)
        overlap = f" ({free} with futures that do not overlap)" if free < origins else ""
        data = f"{self.about.name}, {count(len(self.about.nodes), 'node')}"
        if len(self.about.channels) > 1:
            data += f", channel {self.about.channels[0]} of {len(self.about.channels)}"
        return (
            f"Data: {data}; test {self.at(first)} … {self.at(end - 1)}, "
            f"{count(origins, 'origin')}{overlap}, "
            f"horizon {self.steps(self.horizon)}"
            f"{'; protocol ' * bool(self.protocol)}{self.protocol}."
        )


def clock(time: np.ndarray, seen: np.ndarray, *, dated: bool) -> np.ndarray:
    """Stamps (time,) in ns as days since 1970, or as row numbers; and the end of the last row.

    seen  rows with an observation: others may carry any stamp
    """
    rows = np.arange(len(time))
    if not dated:
        return np.append(rows, len(rows)).astype(float)
    days = time / DAY
    if not (np.diff(days) > 0).all():
        days = np.interp(rows, rows[seen], days[seen])
    return np.append(days, days[-1] + np.median(np.diff(days)))
