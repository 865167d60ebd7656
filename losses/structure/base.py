"""What terms that look inside a net have in common: the layers that they act on."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from stsfm.datasets.panel import About, Array, Forecast, Panel
from stsfm.datasets.transform import IDENTITY
from stsfm.losses.base import Cost, Step, Term

Layers = Literal["auto", "all"] | Sequence[int]


@dataclass(frozen=True, kw_only=True)
class OfLayers(Term):
    """Σ over layers of what each costs.

    layers  numbers from 1; all; or auto, the layers of the types that it `holds`, and where there
            are none, all
    """

    holds: ClassVar[frozenset[str]] = frozenset()  # types of layers whose soft constraint it is
    on: ClassVar[Literal["layers", "way back"]] = "layers"
    layers: Layers

    def chosen(self, types: Sequence[str]) -> tuple[int, ...]:
        """The layers that it acts on, from 0. ValueError where it is to act on what isn't there."""
        every = tuple(range(len(types)))
        if self.layers == "all":
            return every
        if self.layers == "auto":
            return tuple(k for k in every if types[k] in self.holds) or every
        if wrong := [k for k in self.layers if not 1 <= int(k) <= len(types)]:
            raise ValueError(f"layers {wrong}: the net has layers 1 … {len(types)}")
        return tuple(int(k) - 1 for k in self.layers)

    def acts_on(self, types: Sequence[str]) -> dict[str, Any]:
        return {"on": self.on, "layers": [k + 1 for k in self.chosen(types)]}

    def __call__(self, step: Step) -> Cost:
        parts = step.forecast.parts
        return whole(sum(self.of(parts, k, step) for k in self.chosen(parts["types"])))

    @abstractmethod
    def of(self, parts: Mapping[str, Array], k: int, step: Step) -> Tensor:
        """What layer k, from 0, costs: one number of order 1."""


def whole(value: Array) -> Cost:
    """The cost of all, where there are no cells."""
    return Cost(value.reshape(1), value.new_ones(1))


def variance(x: Tensor) -> Tensor:
    """That about the mean of a batch, of all features together; above 0."""
    flat = x.flatten(0, -2)
    return ((flat - flat.mean(0)) ** 2).mean() + torch.finfo(x.dtype).eps


def step_of(parts: Mapping[str, Array], point: Tensor | None = None) -> Step:
    """A step that publishes `parts`, at the truth: what a zero case is made of."""
    batch = len(parts["inputs"][0]) if "inputs" in parts else 4
    point = torch.zeros(batch, 4, 1, 1, dtype=torch.float64) if point is None else point
    time = torch.arange(len(point))[:, None] + torch.arange(point.shape[1])
    about = About(name="zero", nodes=tuple(map(str, range(point.shape[2]))), channels=("y",))
    future = Panel(values=point, mask=torch.ones_like(point).bool(), time=time, about=about)
    return Step(past=future, future=future, forecast=Forecast(point=point, parts=parts),
                transform=IDENTITY)  # fmt: skip


def sample(*shape: int, seed: int = 0) -> Tensor:
    """Numbers for a zero case, always the same."""
    made = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=made, dtype=torch.float64)
