"""What prices a forecast: a Step goes in, a Cost (value and weight of every cell) comes out."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Literal, NamedTuple

from stsfm.datasets.panel import Array, Forecast, Panel, unbroken
from stsfm.datasets.transform import Transform
from stsfm.datasets.windows import RollingWindows
from stsfm.losses.weighting.base import Weighting


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """A forecast beside what happened.

    Loss terms see transformed units, metrics see data units; `transform` goes between them.
    """

    past: Panel | None
    future: Panel  # target channels, the shape of the forecast
    forecast: Forecast
    transform: Transform
    net: Any = None  # the net, for terms that price its weights


class Cost(NamedTuple):
    """Values and weights of one shape; a weight of 0 does not count."""

    value: Array
    weight: Array

    def mean(self) -> Array:
        """The weighted mean; NaN, said aloud, where nothing counts."""
        if unbroken(self.weight):
            return self.value.mean()
        return (self.value * self.weight).sum() / self.weight.sum()

    def mean_or_zero(self) -> Array:
        """The weighted mean; 0 where nothing counts."""
        if unbroken(self.weight):
            return self.value.mean()
        whole = self.weight.sum()
        return (self.value * self.weight).sum() / (whole + (whole == 0))


class Term(ABC):
    """One term of a loss, in transformed units."""

    needs: ClassVar[frozenset[str]] = frozenset()  # fields of the Forecast that must be there
    parts: ClassVar[frozenset[str]] = frozenset()  # of Forecast.parts, what must be there
    data: frozenset[str] = frozenset()  # of About.states, what must be stated
    frames: ClassVar[bool] = False  # does it price frames of the data alone, and no states?
    levels: tuple[float, ...] = ()  # the quantiles it prices
    # a misfit to data or to an equation; a penalty, never below 0 either; a negative log-density
    kind: ClassVar[Literal["misfit", "penalty", "density"]] = "penalty"

    def ready(self, windows: RollingWindows) -> Term:
        """The term for a training on these windows; what it learns of them ends with `_`."""
        return self

    def acts_on(self, types: Sequence[str]) -> dict[str, Any]:
        """What of a net it prices, for a drawing: `on` is forecast, codes, layers or way back;
        of these two `layers` are the numbers, from 1.

        types  of the net's layers, first to last
        """
        return {"on": "codes" if self.parts else "forecast"}

    @abstractmethod
    def __call__(self, step: Step) -> Cost:
        """Price the step; the author of a term decides what its mask is."""


@dataclass(frozen=True, kw_only=True)
class Loss:
    """Named terms and their weights; a weight of 0 means that the term is not computed.

    How the weights move in the course of a training is the rule of `weighting`; None: not at all.
    Every term and weight keeps its name, so that each can be logged. The term called `task` is the
    one that validation is judged by.
    """

    terms: Mapping[str, Term]
    weights: Mapping[str, float] = field(default_factory=dict)
    weighting: Weighting | None = None

    def __post_init__(self) -> None:
        if "task" not in self.terms:
            raise ValueError(f"a loss needs a term named 'task', got {sorted(self.terms)}")
        if unknown := set(self.weights) - set(self.terms):
            raise ValueError(f"weights {sorted(unknown)} name no term of {sorted(self.terms)}")
        for name, weight in self.weights.items():
            if not 0 <= weight < math.inf:
                raise ValueError(
                    f"weights.{name} must be 0 or more, and finite, got {weight}: what a loss "
                    "prices is to fall"
                )
        if "task" not in self.active:
            raise ValueError("validation is judged by the term 'task': its weight cannot be 0")
        if self.weighting:
            self.weighting.check(self.active)

    @cached_property
    def active(self) -> dict[str, tuple[float, Term]]:
        """The terms that count, with their weights."""
        weighed = {name: (self.weights.get(name, 1.0), term) for name, term in self.terms.items()}
        return {name: (weight, term) for name, (weight, term) in weighed.items() if weight}

    @property
    def needs(self) -> frozenset[str]:
        return frozenset().union(*(term.needs for _, term in self.active.values()))

    @property
    def parts(self) -> frozenset[str]:
        return frozenset().union(*(term.parts for _, term in self.active.values()))

    @property
    def levels(self) -> tuple[float, ...]:
        return tuple(sorted({x for _, term in self.active.values() for x in term.levels}))

    def ready(self, windows: RollingWindows) -> Loss:
        """The loss for a training on these windows: each active term made ready."""
        made = {name: term.ready(windows) for name, (_, term) in self.active.items()}
        return replace(self, terms={**self.terms, **made})

    def means(self, step: Step) -> dict[str, Array]:
        """What each active term says of a step, before any weight.

        That is 0 where the step has nothing that it prices, such as an energy of broken rows; but
        the task always has.
        """
        costs = {name: term(step) for name, (_, term) in self.active.items()}
        return {name: cost.mean() if name == "task" else cost.mean_or_zero()
                for name, cost in costs.items()}  # fmt: skip
