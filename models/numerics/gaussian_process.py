"""Gaussian processes by Cholesky: what all functions that a kernel allows say of one point.

    k(x, x′) = c exp(−½ Σ_d (x_d − x′_d)² / ℓ_d²),    K = k(X, X) + σ² 1 = L Lᵀ
    μ(x) = k(x, X) K⁻¹ Y,    v(x) = c − |L⁻¹ k(X, x)|²
    log p(Y) = −½ tr(Yᵀ K⁻¹ Y) − m log |L| − ½ n m log 2π

X (n, p), Y (n, m): m functions that share one kernel. θ = (log c, log ℓ (p or 1), log σ²) is where
log p(Y) is largest, found by L-BFGS-B from several starts that are always the same ones. The
gradient takes one n × n matrix W: Σ_ij W_ij (x_id − x_jd)² of all d is one product of matrices, so
that p = 80 lengths cost little more than two. Rasmussen & Williams, Gaussian Processes for Machine
Learning (2006), §2.2, §5.4.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from scipy import linalg
from scipy.optimize import minimize

from stsfm.datasets.panel import Array

SCALE = np.log((1e-3, 1e5))  # of c, where y is standardised
LENGTH = np.log((1e-2, 1e3))  # of ℓ, where x is
NOISE = np.log((1e-9, 1e1))  # of σ²
STEPS = 100  # of L-BFGS-B, for each start
CELLS = 4_000_000  # of a kernel held at once


@dataclass(frozen=True, eq=False)
class GaussianProcess:
    """The process given what was seen.

    x      (n, p)
    y      (n, m)
    theta  (2 + p) or, of one length for all, (3): log c, log ℓ, log σ²
    """

    x: Array
    y: Array
    theta: Array

    @classmethod
    def learn(cls, x: Array, y: Array, *, each: bool, restarts: int) -> Self:
        """Choose θ: `each` dimension of x its own length, the best of 1 + `restarts` starts."""
        lengths = x.shape[1] if each else 1
        spread = np.log(np.sqrt(x.shape[1]))  # of what is standardised, two rows are √p apart
        bounds = [tuple(SCALE), *[tuple(LENGTH)] * lengths, tuple(NOISE)]
        best = (np.inf, np.zeros(0))
        for start in range(1 + restarts):
            length, noise = spread - start * np.log(3), np.log(1e-2) - start * np.log(10)
            theta = np.array([0, *[length] * lengths, noise])
            made = minimize(
                _surprise, theta, (x, y), jac=True, bounds=bounds, method="L-BFGS-B",
                options={"maxiter": STEPS},
            )  # fmt: skip
            best = min(best, (float(made.fun), made.x), key=lambda found: found[0])
        return cls(x, y, best[1])

    @property
    def noise(self) -> float:
        """σ²."""
        return float(np.exp(self.theta[-1]))

    @cached_property
    def factor(self) -> Array:
        """L (n, n)."""
        return _factor(self._kernel(self.x), self.noise)

    @cached_property
    def weights(self) -> Array:
        """K⁻¹ Y (n, m)."""
        return linalg.cho_solve((self.factor, True), self.y)

    @property
    def evidence(self) -> float:
        """log p(Y)."""
        return -_surprise(self.theta, self.x, self.y)[0]

    def mean(self, at: Array) -> Array:
        """μ at (q, p) → (q, m)."""
        return np.concatenate([self._kernel(part) @ self.weights for part in self._parts(at)])

    def variance(self, at: Array) -> Array:
        """v at (q, p) → (q); the σ² of an observation is not in it."""
        scale = np.exp(self.theta[0])
        found = []
        for part in self._parts(at):
            inner = linalg.solve_triangular(self.factor, self._kernel(part).T, lower=True)
            found.append(scale - (inner**2).sum(0))
        return np.concatenate(found).clip(0)

    def slope(self, at: Array) -> Array:
        """∂μ/∂x at (q, p) → (q, m, p)."""
        inverse = np.exp(-2 * np.broadcast_to(self.theta[1:-1], at.shape[-1:]))
        found = []
        for part in self._parts(at):
            near = self._kernel(part)  # (q, n)
            moved = np.stack([near @ (self.x * w[:, None]) for w in self.weights.T], 1)
            here = (near @ self.weights)[..., None] * part[:, None]
            found.append((moved - here) * inverse)
        return np.concatenate(found)

    def _kernel(self, at: Array) -> Array:
        """k(at, X) (q, n)."""
        return _kernel(self.theta, at, self.x)

    def _parts(self, at: Array) -> list[Array]:
        return np.array_split(at, max(1, -(-at.shape[0] * len(self.x) // CELLS)))


def _kernel(theta: Array, at: Array, x: Array) -> Array:
    lengths = np.exp(theta[1:-1])
    here, there = at / lengths, x / lengths
    apart = (here**2).sum(1)[:, None] + (there**2).sum(1) - 2 * here @ there.T
    return np.exp(theta[0] - apart.clip(0) / 2)


def _factor(kernel: Array, noise: float) -> Array:
    kernel = kernel.copy()
    kernel.flat[:: len(kernel) + 1] += noise
    return linalg.cholesky(kernel, lower=True, check_finite=False)


def _inverse(factor: Array) -> Array:
    """(L Lᵀ)⁻¹ by LAPACK's own routine: in half the time of two triangular systems."""
    lower = np.tril(linalg.lapack.dpotri(factor, lower=True)[0])
    return lower + np.tril(lower, -1).T


def _surprise(theta: Array, x: Array, y: Array) -> tuple[float, Array]:
    """−log p(Y) and its gradient by θ; ∞ where K is singular to rounding."""
    kernel = _kernel(theta, x, x)
    try:
        factor = _factor(kernel, float(np.exp(theta[-1])))
    except linalg.LinAlgError:
        return np.inf, np.zeros_like(theta)
    rows, outputs = y.shape
    weights = linalg.cho_solve((factor, True), y, check_finite=False)
    evidence = (
        -(y * weights).sum() / 2
        - outputs * np.log(np.diag(factor)).sum()
        - rows * outputs * np.log(2 * np.pi) / 2
    )
    inverse = _inverse(factor)
    outer = weights @ weights.T - outputs * inverse  # 2 ∂ log p / ∂K
    pull = outer * kernel  # W, symmetric
    scaled = x / np.exp(theta[1:-1])
    apart = 2 * (pull.sum(1) @ scaled**2 - (scaled * (pull @ scaled)).sum(0))  # (p,)
    lengths = apart if len(theta) == x.shape[1] + 2 else apart.sum(keepdims=True)
    slope = np.array([pull.sum(), *lengths, np.exp(theta[-1]) * np.trace(outer)]) / 2
    return -evidence, -slope
