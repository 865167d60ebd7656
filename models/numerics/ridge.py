"""Ridge regression from sums: what rows teach is a few moments, and moments add up.

    min over W, b of  Σ |y − b − xW|² + λ n v |W − W₀|²

n counts the rows and v is the mean variance of x, so λ has no units; b is not shrunk. The sums hold
all that is needed, of fit and of error: λ is chosen on validation without a forecast, and rows that
come later are added. One spectrum of the covariance serves every λ; at λ = 0 directions of no
variance are left out, which is the solution of least norm.
Hoerl & Kennard, Ridge regression: biased estimation for nonorthogonal problems, Technometrics 12
(1970).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stsfm.datasets.panel import Array

GRID = (0.0, *(10.0 ** (k / 2) for k in range(-18, 5)))  # of λ, where validation chooses
FIELDS = ("xx", "xy", "yy")


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Sums over the rows of a design (*part, row, k) and its targets (*part, row, m).

    A part has a map of its own. A map is [b; W] (*part, 1 + k, m), the constant in its first row.
    """

    xx: Array  # Σ [1, x]ᵀ [1, x], (*part, 1 + k, 1 + k)
    xy: Array  # Σ [1, x]ᵀ y, (*part, 1 + k, m)
    yy: Array  # Σ y², (*part, m)

    @classmethod
    def of(cls, x: Array, y: Array) -> Moments:
        """Of rows [1, x] (*part, row, 1 + k) and y (*part, row, m); a row of zeros is none."""
        turned = x.swapaxes(-1, -2)
        return cls(xx=turned @ x, xy=turned @ y, yy=(y**2).sum(-2))

    @classmethod
    def none(cls) -> Moments:
        """Of no rows: what others are added to."""
        return cls(xx=np.zeros((1, 1)), xy=np.zeros((1, 1)), yy=np.zeros(1))

    @classmethod
    def stack(cls, parts: Sequence[Moments], axis: int = 0) -> Moments:
        """Moments as parts along a new axis."""
        return cls(**{k: np.stack([getattr(p, k) for p in parts], axis) for k in FIELDS})

    def __add__(self, other: Moments) -> Moments:
        return Moments(**{k: getattr(self, k) + getattr(other, k) for k in FIELDS})

    def __getitem__(self, parts: Any) -> Moments:
        """Some of the parts."""
        return Moments(**{k: getattr(self, k)[parts] for k in FIELDS})

    @property
    def count(self) -> Array:
        """Rows of each part, (*part)."""
        return self.xx[..., 0, 0]

    def pooled(self) -> Moments:
        """All of the first axis of parts as one, of length 1."""
        return Moments(**{k: getattr(self, k).sum(0, keepdims=True) for k in FIELDS})

    def solve(self, ridge: float, towards: Array | None = None) -> Array:
        """The map of each part, shrunk `towards` that of another fit, or 0.

        A part without rows takes the map that it is shrunk towards.
        """
        level, variance, basis, xy = self._spectrum
        start = np.zeros_like(xy) if towards is None else towards[..., 1:, :] + 0 * xy
        inside = basis.swapaxes(-1, -2)
        left = inside @ xy - variance[..., None] * (inside @ start)
        strength = variance + ridge * variance.mean(-1, keepdims=True)
        least = (
            np.finfo(float).eps * variance.shape[-1] * variance.max(-1, keepdims=True, initial=0)
        )
        inverse = np.divide(1, strength, out=np.zeros_like(strength), where=strength > least)
        weight = start + basis @ (inverse[..., None] * left)
        mean, target = level[..., : weight.shape[-2]], level[..., weight.shape[-2] :]
        bias = target - (mean[..., None, :] @ weight)[..., 0, :]
        if towards is not None:
            bias = np.where(self.count[..., None] > 0, bias, towards[..., 0, :])
        return np.concatenate([bias[..., None, :], weight], -2)

    def error(self, maps: Array) -> Array:
        """Σ |y − b − xW|² of maps (*part, 1 + k, m), (*part, m)."""
        along = (maps * (self.xx @ maps - 2 * self.xy)).sum(-2)
        return self.yy + along

    @cached_property
    def _spectrum(self) -> tuple[Array, Array, Array, Array]:
        """Means of [x, y], variances along a basis, the basis, and the covariance of x and y."""
        count = np.maximum(self.count, 1)[..., None, None]
        xx, xy = self.xx / count, self.xy / count
        mean, target = xx[..., 0, 1:], xy[..., 0, :]
        covariance = xx[..., 1:, 1:] - mean[..., :, None] * mean[..., None, :]
        variance, basis = np.linalg.eigh(covariance)
        level = np.concatenate([mean, target], -1)
        return (
            level,
            variance.clip(0),
            basis,
            xy[..., 1:, :] - mean[..., None] * target[..., None, :],
        )


def best(losses: Callable[[float], float], grid: Sequence[float] = GRID) -> float:
    """The λ of least loss; of equals, the first."""
    return grid[int(np.argmin([losses(ridge) for ridge in grid]))]
