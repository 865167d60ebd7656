"""Weights that go from a first to a last factor, in a straight line over the first epochs.

A term that leads, such as a physics residual or a teacher, enters slowly; one that only prepares,
such as a reconstruction, leaves. With n a share of all epochs, rounded, epoch e has

    wᵢ(e) = wᵢ (first + (last − first) min(1, (e − 1) / (n − 1)))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from torch import Tensor, nn

from stsfm.losses.weighting.balance import Balance, weighted
from stsfm.losses.weighting.base import Active, Weighting


@dataclass(frozen=True, kw_only=True)
class Schedule(Weighting):
    """[first, last, share of the epochs] by the name of a term; other terms keep their weight."""

    ramps: Mapping[str, Sequence[float]]

    def __post_init__(self) -> None:
        for name, ramp in self.ramps.items():
            if len(ramp) != 3 or min(ramp) < 0 or not 0 < ramp[2] <= 1:
                raise ValueError(
                    f"ramps.{name}: wanted [first factor, last factor, share of the epochs], such "
                    f"as [0, 1, 0.2], got {list(ramp)}"
                )

    def factor(self, name: str, epoch: int, epochs: int) -> float:
        """What a weight is multiplied by in an epoch, counted from 1."""
        first, last, share = self.ramps.get(name, (1, 1, 1))
        steps = round(share * epochs) - 1
        gone = min(1.0, (epoch - 1) / steps) if steps > 0 else 1.0
        return first * (1 - gone) + last * gone

    def start(self, active: Active, epochs: int, net: nn.Module) -> Balance:
        return _Schedule(active, self, epochs)


@final
class _Schedule(Balance):
    def __init__(self, active: Active, rule: Schedule, epochs: int) -> None:
        super().__init__(active)
        self.rule, self.epochs = rule, epochs
        self.begin(1, 0)

    def begin(self, epoch: int, seed: int) -> None:
        self.now = {
            name: weight * self.rule.factor(name, epoch, self.epochs)
            for name, weight in self.base.items()
        }

    def total(self, means: Mapping[str, Tensor]) -> Tensor:
        return weighted(means, self.now)

    def weights(self) -> dict[str, float]:
        return dict(self.now)
