"""The vocabulary: a Panel is what was observed, a Forecast is what is believed.

Every array has the axes (*batch, time, node, channel); code calls them b t n c.
A single series has one node and one channel; sensors on a graph or points of a field are nodes.
What is missing has ``mask == False`` and the value 0: NaN never travels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import numpy as np

from stsfm.datasets.about import About, Array, Arrays, Space, xp
from stsfm.datasets.storage.rows import chunks, runs

TIME_AXIS = {"values": -3, "mask": -3, "time": -1, "known": -3, "privileged": -3}

__all__ = ["About", "Array", "Arrays", "Forecast", "Panel", "Space", "xp"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel(Arrays):
    """Values observed in space and time.

    Invariants (structure is checked always; contents where the arrays are numpy's, because
    tensors are gathered from checked arrays and looking at them would stall the device):

    - values and mask have one shape; time has values' batch and time axes; known and privileged
      have them too, with a node axis of 1 (shared) or of all nodes;
    - names in `about` count nodes, channels and covariates;
    - values are finite, and 0 where the mask is False; what is known ahead is finite everywhere;
    - time increases over the rows where anything is observed.

    Raises ValueError that says what was wanted and what came.
    """

    values: Array  # float (*batch, time, node, channel); 0 where ~mask
    mask: Array  # bool (*batch, time, node, channel); True = observed
    time: Array  # int64 (*batch, time); ns since 1970
    about: About
    known: Array = None  # float (*batch, time, node | 1, covariate); known ahead
    privileged: Array | None = (
        None  # float (*batch, time, node | 1, feature); seen in training only
    )
    space: Space = field(default_factory=Space)

    def __post_init__(self) -> None:
        if self.known is None:
            empty = (*self.values.shape[:-2], 1, 0)
            new = self.values.new_zeros if xp(self.values) is not np else np.zeros
            object.__setattr__(self, "known", new(empty))
        self._check_structure()
        if isinstance(self.values, np.ndarray):
            self._check_contents()

    def _check_structure(self) -> None:
        shape, about = tuple(self.values.shape), self.about
        if tuple(self.mask.shape) != shape:
            raise ValueError(f"mask must match values {shape}, got {tuple(self.mask.shape)}")
        if tuple(self.time.shape) != shape[:-2]:
            raise ValueError(f"time must be {shape[:-2]}, got {tuple(self.time.shape)}")
        if shape[-2:] != (len(about.nodes), len(about.channels)):
            names = f"{len(about.nodes)} nodes × {len(about.channels)} channels"
            raise ValueError(f"{about.name} names {names}, but values are {shape}")
        for name in ("known", "privileged"):
            extra = getattr(self, name)
            if extra is None:
                continue
            if tuple(extra.shape[:-2]) != shape[:-2] or extra.shape[-2] not in (1, shape[-2]):
                wanted = (*shape[:-2], f"1 or {shape[-2]}", "feature")
                raise ValueError(f"{name} must be {wanted}, got {tuple(extra.shape)}")
        if self.known.shape[-1] != len(about.covariates):
            raise ValueError(f"wanted covariates {about.covariates}, got {self.known.shape[-1]}")

    def _check_contents(self) -> None:
        for rows in chunks(self.values):
            values, mask = self.values[rows], self.mask[rows]
            if not np.isfinite(values).all() or (values[~mask] != 0).any():
                raise ValueError("values must be finite, and 0 where they are not observed")
        whole = np.isfinite(self.known)
        if not whole.all():
            covariates = enumerate(self.about.covariates)
            gaps = [name for k, name in covariates if not whole[..., k].all()]
            raise ValueError(
                f"what is known ahead has no gaps, and {', '.join(gaps)} has some; fill them in "
                "the data, or take it as a past-only channel"
            )
        seen = self.mask.any((-2, -1))
        if not seen.all():  # unobserved rows may carry any stamp
            stamps = [t[s] for t, s in zip(_rows(self.time), _rows(seen), strict=True)]
            increasing = all((np.diff(t) > 0).all() for t in stamps)
        else:
            increasing = bool((np.diff(self.time, axis=-1) > 0).all())
        if not increasing:
            raise ValueError("time must increase from row to row; sort the rows or drop duplicates")

    @property
    def nodes(self) -> int:
        return int(self.values.shape[-2])

    @property
    def channels(self) -> int:
        return int(self.values.shape[-1])

    def __len__(self) -> int:
        return int(self.values.shape[-3])

    def __getitem__(self, rows: slice) -> Panel:
        """The same panel over some rows of time."""
        cut = lambda x, axis: x[(..., rows) + (slice(None),) * (-1 - axis)]  # noqa: E731
        held = {k: cut(v, TIME_AXIS[k]) for k, v in self.timed()}
        return self._derive(**held, space=self.space.at(rows))

    def upto(self, row: int) -> Panel:
        """All that was known before `row`: what may be fitted on when the border is `row`."""
        return self[slice(0, row)]

    def history(self) -> Panel:
        """The rows up to the last where a target was observed; those after it are a future.

        Of an unbatched panel. A file may end with rows that hold known covariates alone.
        """
        end = 0
        for part in reversed(list(chunks(self.mask))):  # most often the last row is observed
            seen = self[part].only_targets().mask.any((-2, -1)).nonzero()[0]
            if len(seen):
                end = part.start + int(seen[-1]) + 1
                break
        return self if end == len(self) else self.upto(end)

    def runs(self, starts: Array, length: int, *, padded: bool = False) -> Panel:
        """Runs of `length` rows from each of `starts` (*batch), of an unbatched panel.

        Where `padded`, rows below 0 stand for what was never observed.
        """
        held = {} if padded else {k: _runs(v, starts, length) for k, v in self.timed()}
        if not padded and not self.space.changes:
            return self._derive(**held)
        rows = starts[..., None] + _count_up(starts, length)
        if padded:
            real, rows = (rows >= 0)[..., None, None], rows.clip(0)
            held = {k: v[rows] if k == "time" else v[rows] * real for k, v in self.timed()}
        return self._derive(**held, space=self.space.at(rows))

    def part(self, batch: slice | tuple[int, ...] | None) -> Panel:
        """Some of a batch of panels, as views; None makes a batch of one."""
        return self._derive(**{k: v[batch] for k, v in self.timed()})

    def _derive(self, **fields: Any) -> Panel:
        """A panel cut from this one: what was checked once holds for its parts."""
        new = object.__new__(Panel)
        new.__dict__.update(self.__dict__, **fields)
        return new

    def timed(self) -> Iterator[tuple[str, Array]]:
        """The arrays that have a time axis."""
        return ((k, v) for k in TIME_AXIS if (v := getattr(self, k)) is not None)

    def only_targets(self) -> Panel:
        """The channels to be forecast; the others are past-only covariates."""
        if self.about.targets == self.about.channels:
            return self
        index, about = self.about.target_index, self.about.only_targets()
        cut = {"values": self.values[..., index], "mask": self.mask[..., index]}
        return self._derive(**cut, about=about)

    def blank(self) -> Panel:
        """The frame alone: what a model may know of the future. Outages leak: the mask goes too."""
        new = xp(self.values)
        values, mask = new.zeros_like(self.values), new.zeros_like(self.mask)
        return self._derive(values=values, mask=mask, privileged=None)


def unbroken(mask: Array) -> bool:
    """Is it a tensor in which one True cell stands for all? Others are not looked at."""
    return not isinstance(mask, np.ndarray) and mask.ndim > 0 and not any(mask.stride())


def _count_up(like: Array, length: int) -> Array:
    """0 … length − 1, where `like` lives."""
    if isinstance(like, np.ndarray | np.integer):
        return np.arange(length)
    return xp(like).arange(length, device=like.device)


def _runs(x: Array, starts: Array, length: int) -> Array:
    """x[start : start + length] for each start (*batch), as one copy of overlapping views."""
    if isinstance(x, np.ndarray):
        return runs(x, starts, length)
    inner = x.shape[1:]
    width = prod(inner)
    shape, views = (*starts.shape, length, *inner), (x.shape[0] - length + 1, length * width)
    if not width:
        return x.new_zeros(shape)
    if unbroken(x):
        return x[(0,) * x.ndim].expand(shape)
    return (
        x.contiguous().as_strided(views, (width, 1)).index_select(0, starts.reshape(-1)).view(shape)
    )


def _rows(x: np.ndarray) -> np.ndarray:
    return x.reshape(-1, x.shape[-1])


@dataclass(frozen=True, kw_only=True, eq=False)
class Forecast(Arrays):
    """A belief about a future. Arrays are (*batch, time, node, channel) over the target channels.

    `point` is scored by absolute errors; `mean`, else `point`, by squared ones: after a log
    transform the exponential of a mean is a median. `quantiles` has a last axis over `levels`.
    `parts` is what a net publishes for its loss terms: codes, reconstructions, layer weights.
    """

    point: Array
    mean: Array | None = None
    scale: Array | None = None  # predictive standard deviation, in the transform's units
    quantiles: Array | None = None  # (*batch, time, node, channel, level)
    levels: tuple[float, ...] = ()
    logits: Array | None = None  # (*batch, time, node, token)
    parts: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        got = 0 if self.quantiles is None else self.quantiles.shape[-1]
        if got != len(self.levels):
            raise ValueError(f"wanted a quantile for each of the levels {self.levels}, got {got}")

    def part(self, batch: slice | Array) -> Forecast:
        """Some of a batch of forecasts."""
        return self.map(lambda array: array[batch])

    @classmethod
    def concat(cls, forecasts: Sequence[Forecast]) -> Forecast:
        """Join batches along their first axis; `parts` are left behind."""
        first = forecasts[0]
        join = np.concatenate if isinstance(first.point, np.ndarray) else xp(first.point).cat
        joined = {name: join([getattr(f, name) for f in forecasts]) for name in first.arrays()}
        return replace(first, **joined, parts={})  # type: ignore[arg-type]
