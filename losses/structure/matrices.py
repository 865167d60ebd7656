"""How far the matrices W (n, m) of a net's layers are from a kind of matrix.

orthogonality  Σ_k |WᵀW − I|² / m      columns of length 1 at right angles; rows where m > n
skip           Σ_k |W − I|² / n        the input passes as it is; eye(n, m) where not square

Squares are Frobenius norms; each is about 1 where W is far.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from stsfm.datasets.panel import Array
from stsfm.losses.base import Step
from stsfm.losses.structure.base import OfLayers, sample, step_of


@dataclass(frozen=True, kw_only=True)
class Orthogonality(OfLayers):
    """Layers of type pca: WᵀW = I."""

    parts, holds = frozenset({"weights", "types"}), frozenset({"pca", "multilinear"})

    def of(self, parts: Mapping[str, Array], k: int, step: Step) -> Tensor:
        matrix = parts["weights"][k]
        tall = matrix if matrix.shape[1] <= matrix.shape[0] else matrix.mT
        return _apart(tall.mT @ tall) / tall.shape[1]

    @classmethod
    def zero_case(cls) -> Step:
        """A rotation, and some of the columns of one."""
        square, tall = (torch.linalg.qr(sample(*shape))[0] for shape in ((4, 4), (5, 2)))
        return step_of({"weights": [square, tall], "types": ["pca", "pca"]})


@dataclass(frozen=True, kw_only=True)
class Skip(OfLayers):
    """Layers of type skip: W = I."""

    parts, holds = frozenset({"weights", "types"}), frozenset({"skip"})

    def of(self, parts: Mapping[str, Array], k: int, step: Step) -> Tensor:
        matrix = parts["weights"][k]
        return _apart(matrix) / len(matrix)

    @classmethod
    def zero_case(cls) -> Step:
        """The identity, and as much of it as goes into fewer columns."""
        eyes = [torch.eye(4, dtype=torch.float64), torch.eye(5, 2, dtype=torch.float64)]
        return step_of({"weights": eyes, "types": ["skip", "skip"]})


def _apart(matrix: Tensor) -> Tensor:
    """|W − I|²."""
    eye = torch.eye(*matrix.shape, dtype=matrix.dtype, device=matrix.device)
    return ((matrix - eye) ** 2).sum()
