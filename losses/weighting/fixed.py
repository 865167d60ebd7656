"""Weights that stay as they are set: L = Σ wᵢ Lᵢ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from torch import Tensor, nn

from stsfm.losses.weighting.balance import Balance, weighted
from stsfm.losses.weighting.base import Active, Weighting


@dataclass(frozen=True, kw_only=True)
class Fixed(Weighting):
    """Each term counts by its own of `loss.weights`, from the first batch to the last."""

    def start(self, active: Active, epochs: int, net: nn.Module) -> Balance:
        return _Fixed(active)


@final
class _Fixed(Balance):
    def total(self, means: Mapping[str, Tensor]) -> Tensor:
        return weighted(means, self.base)

    def weights(self) -> dict[str, float]:
        return dict(self.base)
