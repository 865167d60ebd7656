"""Everything is a Window: a past, and the future that followed it.

Windows index a panel by the origins of their futures and are cut when asked for, many at once.
The look-back belongs to the model, the origins and targets to the protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np

from stsfm.datasets.panel import Array, Panel, Space
from stsfm.datasets.transform import IDENTITY, Transform

CELLS = 4_000_000  # of a batch of windows held at once


class Window(NamedTuple):
    past: Panel
    future: Panel  # target channels only

    def part(self, batch: slice) -> Window:
        return Window(self.past.part(batch), self.future.part(batch))


@dataclass(frozen=True, kw_only=True)
class Frame:
    """All that a net may know about the data before it sees any."""

    context: int  # rows of past
    horizon: int  # rows of future
    nodes: int
    channels: int  # of the past
    targets: tuple[int, ...]  # which of them are forecast
    covariates: int  # known ahead
    season: int = 1
    step: int = 0  # ns from row to row; 0 where they differ, as months do
    vocabulary: int = 0
    space: Space | None = None
    transform: Transform = IDENTITY  # what brought the targets into their units; of nets none
    needs: frozenset[str] = frozenset()  # the fields of a Forecast that the loss asks for
    levels: tuple[float, ...] = ()  # of the quantiles, where they are among the needs
    parts: frozenset[str] = frozenset()  # of what a net may publish, what the loss asks for


class Windows(Protocol):
    """Any indexed set of windows."""

    @property
    def frame(self) -> Frame: ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Window: ...
    def take(self, indices: Array) -> Window: ...


@dataclass(frozen=True, kw_only=True, eq=False)
class RollingWindows:
    """Windows whose futures start at `origins`.

    panel      rows up to the end of the split: what comes later does not exist here
    origins    int (window,): past = rows before it, future = `horizon` rows from origin + `offset`
    context    rows of past; None = all there are, the shorter ones padded on the left and masked
    transform  what brought the target channels of the panel into its units

    With ``offset = 1 − context`` and ``horizon = context`` the future is the past moved by one
    step: next-token prediction.
    """

    panel: Panel
    origins: Array
    horizon: int
    context: int | None = None
    offset: int = 0
    transform: Transform = IDENTITY

    def __post_init__(self) -> None:
        if not len(self.origins):
            return
        first, last = int(self.origins.min()), int(self.origins.max())
        if first + min(self.offset, 0) < 0 or last + self.offset + self.horizon > len(self.panel):
            need = f"rows {first + min(self.offset, 0)} … {last + self.offset + self.horizon}"
            raise ValueError(f"the windows need {need}, the panel has {len(self.panel)} rows")

    def __len__(self) -> int:
        return len(self.origins)

    def __getitem__(self, index: int) -> Window:
        if not -len(self) <= index < len(self):
            raise IndexError(f"wanted a window below {len(self)}, got {index}")
        return self._cut(self.origins[index])

    def __iter__(self) -> Iterator[Window]:
        return (self[i] for i in range(len(self)))

    def take(self, indices: Array) -> Window:
        """A whole batch in one vectorised gather, on the device where the panel lives."""
        return self._cut(self.origins[indices])

    def futures(self) -> Panel:
        """Every future, (window, time, node, target channel)."""
        return self.panel.runs(self.origins + self.offset, self.horizon).only_targets()

    def _cut(self, origins: Array) -> Window:
        back = self.context
        if back is None:
            back = int(origins.max()) if origins.shape != (0,) else 0
        past = self.panel.runs(origins - back, back, padded=not self._whole)
        future = self.panel.runs(origins + self.offset, self.horizon)
        return Window(past, future.only_targets())

    @cached_property
    def _step(self) -> int:
        apart = self.panel.time[1:] - self.panel.time[:-1]
        even = len(apart) and bool((apart == apart[0]).all())
        return int(apart[0]) if even else 0

    @cached_property
    def _whole(self) -> bool:
        """Does every past have all its rows?"""
        if self.context is None:
            return bool(len(self)) and int(self.origins.min()) == int(self.origins.max())
        return not len(self) or int(self.origins.min()) >= self.context

    def look_back(self, context: int | None) -> RollingWindows:
        """The same windows seen by a model that reads `context` rows of past (None = all)."""
        return replace(self, context=context)

    def subset(self, indices: Array) -> RollingWindows:
        return replace(self, origins=self.origins[indices])

    def upto(self, row: int) -> RollingWindows:
        """Every window whose future ends before `row`: what can be learned from by then."""
        origins = np.arange(1, row - self.horizon + 1)
        return replace(self, panel=self.panel.upto(row), origins=origins)

    def whole(self) -> RollingWindows:
        """Only the windows whose past is as long as the context."""
        return self.subset(self.origins >= (self.context or 1))

    def batches(self, reads: int | None, size: int = 0) -> Iterator[RollingWindows]:
        """These windows, `size` at a time; 0 = as many as CELLS allow a model that `reads` rows."""
        frame = self.look_back(reads).frame
        rows = frame.horizon + (0 if reads is None else frame.context)
        size = size or max(1, CELLS // (rows * frame.nodes * frame.channels))
        return (self.subset(slice(i, i + size)) for i in range(0, len(self), size))

    def map(self, fn: Callable[[Array], Array]) -> RollingWindows:
        """The same windows with `fn` applied to every array, such as a move to a device."""
        origins, transform = fn(self.origins), self.transform.map(fn)
        return replace(self, panel=self.panel.map(fn), origins=origins, transform=transform)

    @property
    def frame(self) -> Frame:
        panel, about = self.panel, self.panel.about
        return Frame(
            context=len(panel) if self.context is None else self.context,
            horizon=self.horizon,
            nodes=panel.nodes,
            channels=panel.channels,
            targets=tuple(about.target_index),
            covariates=len(about.covariates),
            season=about.season,
            step=self._step,
            vocabulary=len(about.vocabulary),
            space=panel.space,
            transform=self.transform,
        )
