"""Weights by relative progress: what fell less counts more. No extra backward.

With Lᵢ(t) the loss of a batch t, and t′ either the first or the one before,

    ŵᵢ(t; t′) = m softmaxᵢ(Lᵢ(t) / τ Lᵢ(t′))
    wᵢ(t) = α (ρ wᵢ(t−1) + (1 − ρ) ŵᵢ(t; 0)) + (1 − α) ŵᵢ(t; t−1)

ρ is 1 or 0, drawn anew for each batch with mean E[ρ]: now and then it looks back to the start. The
m factors add up to m; they multiply the weights of the loss.

Bischof & Kraus, Multi-objective loss balancing for physics-informed deep learning,
arXiv:2110.09813 (2021).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from stsfm.losses.weighting.balance import Balance, Moving
from stsfm.losses.weighting.base import Active, Weighting

LEAST = 1e-12  # of a loss that others are divided by


@dataclass(frozen=True, kw_only=True)
class ReLoBRaLo(Weighting):
    """Relative loss balancing with random look-back."""

    alpha: float
    temperature: float
    rho: float

    def __post_init__(self) -> None:
        for name in ("alpha", "rho"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie within 0 … 1, got {getattr(self, name)}")
        if self.temperature <= 0:
            raise ValueError(f"temperature must be above 0, got {self.temperature}")

    def start(self, active: Active, epochs: int, net: nn.Module) -> Balance:
        return _ReLoBRaLo(active, self)


@final
class _ReLoBRaLo(Moving):
    first: Tensor  # (m,) losses of the first batch, and of the one before; NaN before any
    before: Tensor

    def __init__(self, active: Active, rule: ReLoBRaLo) -> None:
        super().__init__(active)
        self.rule = rule
        for name in ("first", "before"):
            self.register_buffer(name, torch.full((len(self.free),), torch.nan))
        self.begin(1, 0)

    def begin(self, epoch: int, seed: int) -> None:
        self.random = torch.Generator().manual_seed(seed)

    def move(self, means: Mapping[str, Tensor]) -> None:
        now, rule = self.measured(means), self.rule
        if self.first.isnan().any():
            self.first.copy_(now)
            self.before.copy_(now)
            return
        stays = bool(torch.rand((), generator=self.random) < rule.rho)
        kept = self.factors if stays else self._progress(now, self.first)
        moved = rule.alpha * kept + (1 - rule.alpha) * self._progress(now, self.before)
        self.factors.copy_(moved)
        self.before.copy_(now)

    def _progress(self, now: Tensor, then: Tensor) -> Tensor:
        ratio = now / (self.rule.temperature * then.clamp(min=LEAST))
        return len(now) * torch.softmax(ratio, 0)
