"""Weights learned as the noise of each term: L = Σ wᵢ (½ e^{−sᵢ} Lᵢ + ½ sᵢ).

sᵢ is the logarithm of a variance, learned with the net and without weight decay; at rest it is
log Lᵢ, and the term counts by wᵢ / 2Lᵢ. The sum has no lower bound where Lᵢ → 0, so sᵢ stays
within −4 … 4. Only a misfit, to data or to an equation, has such a noise: a penalty of weights and
a log-density, which has its own, count as they are set.

Kendall, Gal & Cipolla, Multi-task learning using uncertainty to weigh losses, CVPR (2018).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import final

import torch
from torch import Tensor, nn

from stsfm.losses.weighting.balance import Balance
from stsfm.losses.weighting.base import Active, Weighting

WIDEST = 4.0  # |s|, the logarithm of a variance


@dataclass(frozen=True, kw_only=True)
class Uncertainty(Weighting):
    """Each misfit is measured by a noise of its own."""

    def check(self, active: Active) -> None:
        if not any(term.kind == "misfit" for _, term in active.values()):
            raise ValueError(
                "loss/weighting=uncertainty learns the noise of misfits, and none of the terms "
                f"{', '.join(active)} is one; take loss/weighting=fixed"
            )

    def start(self, active: Active, epochs: int, net: nn.Module) -> Balance:
        return _Uncertainty(active)


@final
class _Uncertainty(Balance):
    def __init__(self, active: Active) -> None:
        super().__init__(active)
        self.noisy = [name for name, (_, term) in active.items() if term.kind == "misfit"]
        self.s = nn.Parameter(torch.zeros(len(self.noisy)))

    def total(self, means: Mapping[str, Tensor]) -> Tensor:
        with torch.no_grad():
            self.s.clamp_(-WIDEST, WIDEST)  # in place: beyond it, s could not come back
        noise = dict(zip(self.noisy, self.s, strict=True))
        return reduce(add, [
            self.base[name] * (0.5 * torch.exp(-noise[name]) * mean + 0.5 * noise[name]
                               if name in noise else mean)
            for name, mean in means.items()
        ])  # fmt: skip

    def weights(self) -> dict[str, float]:
        found = self.s.detach().clamp(-WIDEST, WIDEST)
        half = dict(zip(self.noisy, (0.5 * torch.exp(-found)).tolist(), strict=True))
        return {name: weight * half.get(name, 1.0) for name, weight in self.base.items()}
