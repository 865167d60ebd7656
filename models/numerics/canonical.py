"""Canonical directions of two groups: what of the one goes with what of the other.

    ρ_1 ≥ … ≥ ρ_k = singular values of K_xᵀ K_y,    K_x = U S (S² + λ n v)^−½,  X = U S Vᵀ

X (n, p) and Y (n, q) are centred rows, v is the mean variance of a column, so that λ has no units:
at λ = 0 the ρ are the canonical correlations, the same for any invertible maps of X and Y. With
more columns than rows these are all 1, whatever the data; λ > 0 shrinks directions of little
variance. Signs are those of X (signs.py).
Hotelling, Relations between two sets of variates, Biometrika 28 (1936). Vinod, Canonical ridge and
econometrics of joint production, Journal of Econometrics 4 (1976).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.models.numerics.signs import signs


@dataclass(frozen=True, kw_only=True)
class Canonical:
    """The first k pairs of directions."""

    rho: Array  # (k,)
    mean_x: Array  # (p,)
    mean_y: Array  # (q,)
    x: Array  # directions (p, k); scores have unit variance at λ = 0
    y: Array  # (q, k)

    @classmethod
    def of(cls, x: Array, y: Array, *, dim: int, ridge: float) -> Canonical:
        """Of rows x (n, p) and y (n, q): at most `dim` pairs."""
        mean_x, mean_y = x.mean(0), y.mean(0)
        (kernel_x, back_x), (kernel_y, back_y) = (_whitened(x - mean_x, ridge),
                                                  _whitened(y - mean_y, ridge))  # fmt: skip
        left, rho, right = np.linalg.svd(kernel_x.T @ kernel_y, full_matrices=False)
        wx, wy = back_x @ left[:, :dim], back_y @ right[:dim].T
        sign = signs(wx) * (len(x) - 1) ** 0.5
        return cls(rho=rho[:dim].clip(max=1), mean_x=mean_x, mean_y=mean_y, x=wx * sign,
                   y=wy * sign)  # fmt: skip

    def scores(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Rows (…, p) and (…, q) along the directions, (…, k) both."""
        return (x - self.mean_x) @ self.x, (y - self.mean_y) @ self.y


def _whitened(x: Array, ridge: float) -> tuple[Array, Array]:
    """K (n, r), and the map (p, r) that makes it of x; directions of no variance are left out."""
    u, s, v = np.linalg.svd(x, full_matrices=False)
    kept = s > s.max(initial=0) * max(x.shape) * np.finfo(float).eps
    u, s, v = u[:, kept], s[kept], v[kept]
    size = np.sqrt(s**2 + ridge * (s**2).sum() / x.shape[1])
    return u * (s / size), v.T / size
