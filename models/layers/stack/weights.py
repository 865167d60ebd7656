"""The matrices W (n, m) of a stack, and what each is constrained to.

    pca          WᵀW = I                by Householder reflections or a matrix exponential
    skip         W = I                  eye(n, m) where it is not square
    metric       W = L Lᵀ + ε I         L lower triangular, its diagonal softplus(·): W ⪰ ε I
    multilinear  W = A ⊗ B ⊗ C          over time × node × channel, never written out to be applied

d²(x, y) = (x − y)ᵀ W (x − y) is the squared distance that a metric learns. X ×₁ Aᵀ ×₂ Bᵀ ×₃ Cᵀ is
the core of Tucker's decomposition: Tucker, Psychometrika 31 (1966). Orthogonality without a penalty
is Lezcano-Casado's trivialization (NeurIPS 2019), as torch has it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import orthogonal
from torch.nn.utils.parametrize import register_parametrization

EPSILON = 1e-3  # of a metric, whose smallest eigenvalue it is at least


class Dense(nn.Module):
    """W (n, m), that starts as its type likes it; held, it stays so."""

    matrix: Tensor

    def __init__(self, kind: str, inputs: int, outputs: int, *, hard: bool) -> None:
        super().__init__()
        self.shape = (inputs,), (outputs,)
        start = _start(kind, inputs, outputs)
        if kind == "skip" and hard:
            self.register_buffer("matrix", start)
            return
        self.matrix = nn.Parameter(start)
        if kind == "pca" and hard:
            orthogonal(self, "matrix")
        elif kind == "metric" and hard:
            register_parametrization(self, "matrix", Gram())

    def forward(self, x: Tensor) -> Tensor:
        """Wᵀ x: (…, n) → (…, m)."""
        return x @ self.matrix

    def back(self, z: Tensor) -> Tensor:
        """W z: (…, m) → (…, n)."""
        return z @ self.matrix.mT


class Tucker(nn.Module):
    """W = A ⊗ B ⊗ C: each axis of a tensor has a matrix of its own."""

    def __init__(self, inputs: Sequence[int], outputs: Sequence[int], *, hard: bool) -> None:
        super().__init__()
        self.shape = tuple(inputs), tuple(outputs)
        self.factors = nn.ModuleList(
            Dense("pca", n, m, hard=hard) for n, m in zip(inputs, outputs, strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """X ×₁ Aᵀ ×₂ Bᵀ ×₃ Cᵀ, flat before and after."""
        return self._modes(x, self.shape[0], self._matrices())

    def back(self, z: Tensor) -> Tensor:
        """Z ×₁ A ×₂ B ×₃ C, flat before and after."""
        return self._modes(z, self.shape[1], [matrix.mT for matrix in self._matrices()])

    @property
    def matrix(self) -> Tensor:
        """A ⊗ B ⊗ C (n, m), written out."""
        a, b, c = self._matrices()
        return torch.kron(torch.kron(a, b), c)

    def _matrices(self) -> list[Tensor]:
        return [cast(Dense, factor).matrix for factor in self.factors]

    @staticmethod
    def _modes(x: Tensor, shape: tuple[int, ...], matrices: list[Tensor]) -> Tensor:
        x = x.unflatten(-1, shape)  # (…, t, n, c)
        return torch.einsum("...tnc,tx,ny,cz->...xyz", x, *matrices).flatten(-3)


class Gram(nn.Module):
    """Any square matrix → L Lᵀ + ε I, of which it holds L; torch calls it when W is asked for."""

    def forward(self, raw: Tensor) -> Tensor:
        lower = raw.tril(-1) + torch.diag(nn.functional.softplus(raw.diagonal()))
        return lower @ lower.mT + EPSILON * torch.eye(len(raw), dtype=raw.dtype, device=raw.device)

    def right_inverse(self, matrix: Tensor) -> Tensor:
        less = matrix - EPSILON * torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device)
        lower = torch.linalg.cholesky(less)
        return lower.tril(-1) + torch.diag(lower.diagonal().expm1().log())


def _start(kind: str, inputs: int, outputs: int) -> Tensor:
    """Where W starts: orthogonal, as the identity, or at random with the variance kept."""
    start = torch.empty(inputs, outputs)
    if kind in ("pca", "multilinear"):
        return nn.init.orthogonal_(start)
    if kind in ("skip", "metric"):
        return nn.init.eye_(start)
    return nn.init.normal_(start, std=math.sqrt(2 / (inputs + outputs)))
