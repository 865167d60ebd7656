"""Whether distances between codes are those that they should be.

    M = Σ_k mean over pairs (d_k(a, b) − δ(a, b))² / mean δ²

a and b are two samples of a batch. Of a metric layer d² = (a − b)ᵀ W (a − b), over what it saw; of
any other d = |z_a − z_b|, over its codes. δ is the distance of what the layer saw, or with `time`
that of their last stamps, which is measured in units of the mean distance of what the layer saw.
W of a metric layer that is not held may leave W ⪰ 0: relu(−λ_min)² / (tr W / n)² is added.
Xing, Ng, Jordan & Russell, Distance metric learning with application to clustering, NIPS (2002).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from stsfm.datasets.panel import Array
from stsfm.losses.base import Step
from stsfm.losses.structure.base import OfLayers, sample, step_of
from stsfm.losses.structure.pairs import distances, samples, upper


@dataclass(frozen=True, kw_only=True)
class Metric(OfLayers):
    """Layers of type metric: distances that are learned."""

    parts = frozenset({"codes", "inputs", "weights", "types"})
    holds = frozenset({"metric"})
    target: Literal["input", "time"]
    most: int  # samples of a batch, of which all pairs are taken

    def of(self, parts: Mapping[str, Array], k: int, step: Step) -> Tensor:
        learned = parts["types"][k] == "metric"
        seen, code = (samples(parts[name][k], self.most) for name in ("inputs", "codes"))
        apart = upper(distances(seen))
        wanted = apart if self.target == "input" else self._in_time(step, parts["inputs"][k], apart)
        if not learned:
            made = upper(distances(code))
            return ((made - wanted) ** 2).mean() / (wanted**2).mean()
        matrix = parts["weights"][k]
        made = upper(distances(seen, (matrix + matrix.mT) / 2))
        return ((made - wanted) ** 2).mean() / (wanted**2).mean() + negative(matrix)

    def _in_time(self, step: Step, inputs: Tensor, apart: Tensor) -> Tensor:
        """How far apart in time, in units of the mean distance."""
        assert step.past is not None
        stamps = step.past.time[:, -1]
        stamps = (stamps - stamps.min()).to(inputs.dtype)
        stamps = stamps.view(-1, *[1] * (inputs.ndim - 1)).expand(*inputs.shape[:-1], 1)
        wanted = upper(distances(samples(stamps, self.most)))
        return wanted * apart.mean() / (wanted.mean() + torch.finfo(wanted.dtype).eps)

    @classmethod
    def zero_case(cls) -> Step:
        """The identity as a metric, and codes that are a rotation of what was seen."""
        seen, eye = sample(6, 4), torch.eye(4, dtype=torch.float64)
        turn = torch.linalg.qr(sample(4, 4, seed=1))[0]
        return step_of({"inputs": [seen, seen], "codes": [seen, seen @ turn],
                        "weights": [eye, turn], "types": ["metric", "plain"]})  # fmt: skip


def negative(matrix: Tensor) -> Tensor:
    """relu(−λ_min)², over the square of the mean eigenvalue: 0 where x'Wx ≥ 0 for all x."""
    values = torch.linalg.eigvalsh((matrix + matrix.mT) / 2)
    scale = values.mean() ** 2 + torch.finfo(matrix.dtype).eps
    return torch.relu(-values[0]) ** 2 / scale
