"""What the numbers of a panel mean and where they were taken: About, Space."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from stsfm.datasets.equations.base import Equation

Array = Any  # np.ndarray or torch.Tensor: both speak + * abs, slicing and .shape

DAY = 86_400 * 10**9  # ns, in which stamps count
GRAPHS = ("given", "none", "shuffled", "learned")  # what a model is shown of the graph
KINDS = ("calendar", "planned", "forecast", "oracle")  # how a covariate comes to be known ahead


def xp(x: Array) -> ModuleType:
    """numpy or torch, whichever made `x`; torch is never imported for numpy's sake."""
    if isinstance(x, np.ndarray):
        return np
    import torch

    return torch


class Arrays:
    """An immutable bundle of arrays that move together."""

    def arrays(self) -> dict[str, Array]:
        """The arrays of the bundle by name, without those of the bundles in it."""
        held = {name: getattr(self, name) for name in self.__dataclass_fields__}  # type: ignore[attr-defined]
        return {name: value for name, value in held.items() if hasattr(value, "shape")}

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

    adjacency  float (node, node), (time, node, node) where the graph changes; [i, j] weighs i → j
    coords     float (node, dim), in `units`
    geometry   what the coordinates mean: plane or sphere (longitude, latitude); lattice.py tells
               whether they are the points of a rectangular grid, and arranges them as an image
    graph      one of GRAPHS: what became of the graph that was given (ablation.py)
    """

    adjacency: Array | None = None
    coords: Array | None = None
    geometry: str = "plane"
    units: str = ""
    graph: str = "given"

    @property
    def changes(self) -> bool:
        return self.adjacency is not None and self.adjacency.ndim > 2

    def at(self, rows: Array | slice) -> Space:
        """The space at some rows of time: the same one, unless the graph changes."""
        graph: Array = self.adjacency
        return replace(self, adjacency=graph[rows]) if self.changes else self


@dataclass(frozen=True)
class Finding:
    """Something odd in a file, and what is done about it."""

    what: str  # "text in numbers"
    where: str  # "load: 'n/a' (3)"
    count: int
    done: str  # "masked"


@dataclass(frozen=True, kw_only=True, eq=False)
class About:
    """What the numbers mean. Nothing here depends on time.

    `suggests` holds protocol values (horizon, transform, …) that apply where the protocol says
    `auto`. `season` counts steps (1 = none; 0 = the protocol infers it from its training rows).
    `family` groups datasets that are no independent replicates of each other. `physics` is
    the law that the data obey, in their units; `given` is one that a user states of them, which is
    no part of the data and is followed instead. `findings` is what was odd in a user's file.
    `changes` are the rows at which people say that something new begins, by annotator; for scores.
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
    physics: Equation | None = None
    given: Equation | None = None
    suggests: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    changes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

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

    @property
    def law(self) -> Equation | None:
        """The law to be followed: that which is given, else that of the data."""
        return self.physics if self.given is None else self.given

    @property
    def states(self) -> frozenset[str]:
        """What is known of the law, for terms of a loss: equation, energy."""
        return frozenset() if self.law is None else self.law.offers

    def only_targets(self) -> About:
        units = tuple(self.units[i] for i in self.target_index)
        return replace(self, channels=self.targets, units=units)
