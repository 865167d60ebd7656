"""Polynomial maps of a few variables, by ridge regression.

    p(z) = b + Σ_α w_α z^α,    z^α = z₁^α₁ ⋯ z_d^α_d,   1 ≤ |α| ≤ order

z should be of the order of 1, so that its powers are. b is not shrunk.
"""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import NamedTuple, Self

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.models.numerics.ridge import Moments

STEPS, FAR, CLOSE = 50, 10.0, 1e-9  # of Newton's method


class Polynomial(NamedTuple):
    """A map (…, d) → (…, m)."""

    exponents: Array  # int (term, d), by degree
    weights: Array  # (1 + term, m), the constant first

    @classmethod
    def of(cls, z: Array, x: Array, order: int, ridge: float) -> Self:
        """From pairs z (t, d) and x (t, m); `ridge` is in units of the powers' variance."""
        exponents = powers(z.shape[1], order)
        rows = np.column_stack([np.ones(len(z)), monomials(z, exponents)])
        return cls(exponents, Moments.of(rows, x).solve(ridge))

    def __call__(self, z: Array) -> Array:
        return self.weights[0] + monomials(z, self.exponents) @ self.weights[1:]

    def slope(self, z: Array) -> Array:
        """How p moves with z (d,), (m, d)."""
        less = (self.exponents - np.eye(len(z), dtype=int)[:, None]).clip(0)  # (d, term, d)
        moved = self.exponents.T * (z**less).prod(-1)  # of each variable, (d, term)
        return (moved @ self.weights[1:]).T

    def equilibrium(self) -> Array | None:
        """z with p(z) = z, by Newton's method from 0; None where that finds none in |z| ≤ 1."""
        z = np.zeros(self.exponents.shape[1])
        for _ in range(STEPS):
            z = z - np.linalg.lstsq(self.slope(z) - np.eye(len(z)), self(z) - z, rcond=None)[0]
            if abs(z).max() > FAR:
                return None
        return z if abs(self(z) - z).max() < CLOSE and abs(z).max() <= 1 else None


def powers(variables: int, order: int) -> Array:
    """Every α with 1 ≤ |α| ≤ order, (term, d)."""
    degrees = range(1, order + 1)
    terms = [c for k in degrees for c in combinations_with_replacement(range(variables), k)]
    return np.array([np.bincount(term, minlength=variables) for term in terms])


def monomials(z: Array, exponents: Array) -> Array:
    """z^α, (…, d) → (…, term)."""
    return (z[..., None, :] ** exponents).prod(-1)
