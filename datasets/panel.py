"""The vocabulary: a Panel is what was observed, a Forecast is what is believed.

Every array has the axes (*batch, time, node, channel); code calls them b t n c.
A single series has one node and one channel; sensors on a graph or points of a field are nodes.
What is missing has ``mask == False`` and the value 0: NaN never travels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from types import ModuleType
from typing import Any, Self

import numpy as np

Array = Any  # np.ndarray or torch.Tensor: both speak + * abs, slicing and .shape

KINDS = ("calendar", "planned", "forecast", "oracle")  # how a covariate comes to be known ahead
TIME_AXIS = {"values": -3, "mask": -3, "time": -1, "known": -3, "privileged": -3}


def xp(x: Array) -> ModuleType:
    """numpy or torch, whichever made `x`; torch is never imported for numpy's sake."""
    if isinstance(x, np.ndarray):
        return np
    import torch

    return torch


class Arrays:
    """An immutable bundle of arrays that move together."""

    def map(self, fn: Callable[[Array], Array]) -> Self:
        """A copy with `fn` applied to every array of the bundle, and of the bundles in it."""
        new = {}
        for name in self.__dataclass_fields__:  # type: ignore[attr-defined]
            value = getattr(self, name)
            if isinstance(value, Arrays):
                new[name] = value.map(fn)
            elif hasattr(value, "shape"):
                new[name] = fn(value)
        return replace(self, **new)  # type: ignore[type-var]


@dataclass(frozen=True, kw_only=True, eq=False)
class Space(Arrays):
    """Where the nodes are; any part may be absent.

    adjacency  float (node, node), or (time, node, node) where the graph changes; [i, j] weighs i → j
    coords     float (node, dim), in `units`
    geometry   what the coordinates mean: plane, sphere (longitude, latitude) or grid
    """

    adjacency: Array | None = None
    coords: Array | None = None
    geometry: str = "plane"
    units: str = ""

    def at(self, rows: Array | slice) -> Space:
        """The space at some rows of time: the same one, unless the graph changes."""
        if self.adjacency is None or self.adjacency.ndim == 2:
            return self
        return replace(self, adjacency=self.adjacency[rows])


@dataclass(frozen=True, kw_only=True, eq=False)
class About:
    """What the numbers mean. Nothing here depends on time.

    `suggests` holds protocol values (horizon, transform, …) that apply where the protocol says
    `auto`. `season` counts steps (1 = none). `family` groups datasets that are no independent
    replicates of each other. `physics` holds constants in the units of the data.
    """

    name: str
    nodes: tuple[str, ...]
    channels: tuple[str, ...]
    targets: tuple[str, ...] = ()  # () = every channel
    units: tuple[str, ...] = ()  # one per channel
    covariates: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()  # one of KINDS per covariate
    static: Mapping[str, Array] = field(default_factory=dict)  # name → (node,)
    season: int = 1
    step: str = ""  # the sampling step in words: "month", "5 min"
    vocabulary: tuple[str, ...] = ()
    family: str = ""
    source: str = ""
    licence: str = ""
    digest: str = ""  # sha256 of the file it came from
    physics: Mapping[str, float] = field(default_factory=dict)
    suggests: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "targets", self.targets or self.channels)
        object.__setattr__(self, "units", self.units or ("",) * len(self.channels))
        if unknown := set(self.targets) - set(self.channels):
            raise ValueError(f"targets must be channels {self.channels}, got {sorted(unknown)}")
        if len(self.units) != len(self.channels):
            raise ValueError(f"wanted a unit for each of {self.channels}, got {self.units}")
        if len(self.kinds) != len(self.covariates) or set(self.kinds) - set(KINDS):
            raise ValueError(f"wanted one of {KINDS} per covariate, got {self.kinds}")

    @property
    def target_index(self) -> list[int]:
        return [self.channels.index(name) for name in self.targets]

    def only_targets(self) -> About:
        units = tuple(self.units[i] for i in self.target_index)
        return replace(self, channels=self.targets, units=units)


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel(Arrays):
    """Values observed in space and time.

    Invariants (structure is checked always; contents where the arrays are numpy's, because
    tensors are gathered from checked arrays and looking at them would stall the device):

    - values and mask have one shape; time has values' batch and time axes; known and privileged
      have them too, with a node axis of 1 (shared) or of all nodes;
    - names in `about` count nodes, channels and covariates;
    - values are finite, and 0 where the mask is False;
    - time increases over the rows where anything is observed.

    Raises ValueError that says what was wanted and what came.
    """

    values: Array  # float (*batch, time, node, channel); 0 where ~mask
    mask: Array  # bool (*batch, time, node, channel); True = observed
    time: Array  # int64 (*batch, time); ns since 1970
    about: About
    known: Array = None  # float (*batch, time, node | 1, covariate); known ahead
    privileged: Array | None = None  # float (*batch, time, node | 1, feature); seen in training only
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
            wanted = f"{len(about.nodes)} nodes × {len(about.channels)} channels"
            raise ValueError(f"{about.name} names {wanted}, but values are {shape}")
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
        if not np.isfinite(self.values).all() or (self.values[~self.mask] != 0).any():
            raise ValueError("values must be finite, and 0 where they are not observed")
        seen = self.mask.any((-2, -1))
        if not seen.all():  # unobserved rows may carry any stamp
            rows = [t[s] for t, s in zip(_rows(self.time), _rows(seen), strict=True)]
            increasing = all((np.diff(t) > 0).all() for t in rows)
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
        return self._timed(lambda x, axis: x[(..., rows) + (slice(None),) * (-1 - axis)], rows)

    def upto(self, row: int) -> Panel:
        """All that was known before `row`: what may be fitted on when the border is `row`."""
        return self[slice(0, row)]

    def gather(self, rows: Array, *, padded: bool = False) -> Panel:
        """Rows (*batch, time) of an unbatched panel; where `padded`, rows below 0 are unobserved."""
        if not padded:
            return self._timed(lambda x, _: x[rows], rows)
        real = (rows >= 0)[..., None, None]
        cut = {k: getattr(self, k)[rows.clip(0)] for k in TIME_AXIS if getattr(self, k) is not None}
        for name in cut.keys() - {"time"}:
            cut[name] = cut[name] * real
        return replace(self, **cut, space=self.space.at(rows.clip(0)))

    def part(self, batch: slice | None) -> Panel:
        """Some of a batch of panels, as views; None makes a batch of one."""
        held = {k: v[batch] for k in TIME_AXIS if (v := getattr(self, k)) is not None}
        return replace(self, **held)

    def _timed(self, cut: Callable[[Array, int], Array], rows: Any) -> Panel:
        cuts = {k: cut(v, ax) for k, ax in TIME_AXIS.items() if (v := getattr(self, k)) is not None}
        return replace(self, **cuts, space=self.space.at(rows))

    def only_targets(self) -> Panel:
        """The channels to be forecast; the others are past-only covariates."""
        if self.about.targets == self.about.channels:
            return self
        index, about = self.about.target_index, self.about.only_targets()
        cut = {"values": self.values[..., index], "mask": self.mask[..., index]}
        return replace(self, **cut, about=about)

    def blank(self) -> Panel:
        """The frame alone: what a model may know of the future. Outages leak, so the mask goes too."""
        new = xp(self.values)
        values, mask = new.zeros_like(self.values), new.zeros_like(self.mask)
        return replace(self, values=values, mask=mask, privileged=None)


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

    @classmethod
    def concat(cls, forecasts: Sequence[Forecast]) -> Forecast:
        """Join batches along their first axis; `parts` are left behind."""
        first = forecasts[0]
        join = np.concatenate if isinstance(first.point, np.ndarray) else xp(first.point).cat
        held = [f.name for f in fields(cls) if hasattr(getattr(first, f.name), "shape")]
        joined = {name: join([getattr(f, name) for f in forecasts]) for name in held}
        return replace(first, **joined, parts={})
