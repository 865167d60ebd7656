"""The weights of a loss in the course of one training.

What a rule keeps from batch to batch is in buffers and parameters: a checkpoint has it, and a
training that was killed goes on with it. What is measured on a batch is averaged over all ranks
before it moves a weight, so that every rank has the same ones.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import reduce
from operator import add

import torch
from torch import Tensor, nn

from stsfm.losses.weighting.base import Active


class Balance(nn.Module, ABC):
    """The weights of the active terms, m of them, and their sum."""

    def __init__(self, active: Active) -> None:
        super().__init__()
        self.base = {name: weight for name, (weight, _) in active.items()}
        self.everywhere: Callable[[Tensor], Tensor] = lambda measured: measured  # mean over ranks

    def begin(self, epoch: int, seed: int) -> None:
        """An epoch begins, counted from 1; `seed` is its own, and the same on all ranks."""

    @abstractmethod
    def total(self, means: Mapping[str, Tensor]) -> Tensor:
        """What a batch costs, of its unweighted terms ()."""

    @abstractmethod
    def weights(self) -> dict[str, float]:
        """By what the next batch's terms would be multiplied."""


def weighted(means: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """The sum by weights that are plain numbers; one of 1 costs nothing."""
    return reduce(add, [mean if weights[name] == 1 else weights[name] * mean
                        for name, mean in means.items()])  # fmt: skip


class Moving(Balance):
    """Factors (m,) of the weights that move with the losses, of the terms that may be balanced.

    A term that can fall below zero, such as a log-density, has no size that others could be held
    against: its factor stays 1.
    """

    factors: Tensor

    def __init__(self, active: Active) -> None:
        super().__init__(active)
        free = [name for name, (_, term) in active.items() if term.kind != "density"]
        self.free = free if len(free) > 1 else []
        self.register_buffer("factors", torch.ones(len(self.free)))

    @abstractmethod
    def move(self, means: Mapping[str, Tensor]) -> None:
        """Let a batch move the factors, before it is priced by them."""

    def total(self, means: Mapping[str, Tensor]) -> Tensor:
        if self.free:
            self.move(means)
        factors = dict(zip(self.free, self.factors, strict=True))
        parts = [self.base[name] * factors.get(name, 1) * mean for name, mean in means.items()]
        return reduce(add, parts)

    def weights(self) -> dict[str, float]:
        factors = dict(zip(self.free, self.factors.tolist(), strict=True))
        return {name: weight * factors.get(name, 1.0) for name, weight in self.base.items()}

    def measured(self, means: Mapping[str, Tensor]) -> Tensor:
        """The losses of a batch (m,) over all ranks, as numbers."""
        return self.everywhere(torch.stack([means[name].detach() for name in self.free]).float())
