"""What the layers of a net lose of what they saw.

    E = Σ_k |z_{k−1} − r_k(z_k)|² / Var z_{k−1}

1 is what a layer costs that keeps nothing but the mean. The variance is that of the batch; codes
that shrink gain nothing by it. Where a net says what of its first inputs was `seen`, other cells
don't count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from stsfm.datasets.panel import Array
from stsfm.losses.base import Step
from stsfm.losses.structure.base import OfLayers, sample, step_of, variance


@dataclass(frozen=True, kw_only=True)
class Reconstruction(OfLayers):
    """Squared error of going back, over the variance of what was seen."""

    parts = frozenset({"inputs", "reconstructions", "types"})
    kind, on = "misfit", "way back"

    def of(self, parts: Mapping[str, Array], k: int, step: Step) -> Tensor:
        seen, made = parts["inputs"][k], parts["reconstructions"][k]
        error = (seen - made) ** 2
        if k == 0 and "seen" in parts:
            error = error * parts["seen"] * (parts["seen"].numel() / parts["seen"].sum())
        return error.mean() / variance(seen)

    @classmethod
    def zero_case(cls) -> Step:
        """Layers that lose nothing."""
        seen = [sample(6, 5), sample(6, 3)]
        return step_of({"inputs": seen, "reconstructions": [x.clone() for x in seen],
                        "types": ["plain", "plain"], "seen": seen[0] == seen[0]})  # fmt: skip
