"""How far the codes of vae layers are from standard normal.

    KL = Σ_k mean over a code's numbers of ½ (μ² + s² − log s² − 1)

In nats for each number of a code. Kingma & Welling, Auto-encoding variational Bayes, ICLR (2014).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from stsfm.datasets.panel import Array
from stsfm.losses.base import Step
from stsfm.losses.structure.base import OfLayers, step_of


@dataclass(frozen=True, kw_only=True)
class Divergence(OfLayers):
    """Layers of type vae: codes ~ N(0, I)."""

    parts, holds = frozenset({"posteriors", "types"}), frozenset({"vae"})

    def chosen(self, types: Sequence[str]) -> tuple[int, ...]:
        """Of other layers there is nothing to price."""
        found = tuple(k for k in super().chosen(types) if types[k] == "vae")
        if not found:
            raise ValueError("the term divergence is of vae layers, and there is none: "
                             "model.types=vae")  # fmt: skip
        return found

    def of(self, parts: Mapping[str, Array], k: int, step: Step) -> Tensor:
        mean, log_variance = parts["posteriors"][k]
        return 0.5 * (mean**2 + log_variance.exp() - log_variance - 1).mean()

    @classmethod
    def zero_case(cls) -> Step:
        """Codes that are believed to be standard normal."""
        zero = torch.zeros(6, 3, dtype=torch.float64)
        return step_of({"posteriors": [(zero, zero)], "types": ["vae"]})
