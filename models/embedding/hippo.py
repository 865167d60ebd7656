"""The course of the last rows of each series, as coefficients in Legendre polynomials.

    z_t = M [x_{t−L+1}, …, x_t]ᵀ,    x̂ = Σ_n z_n √(2n+1) P_n,    M (N, L), of a series z (N)

A state holds the N coefficients of each of the D series in turn, d = D · N; the first is its mean
over the window, the next its slope. legs weighs all rows of the window the same, legt is the filter
that forgets what lies more than L rows back. Going back gives the value of the polynomial at the
newest row. Gu et al., HiPPO: recurrent memory with optimal polynomial projections, NeurIPS (2020).
"""

from __future__ import annotations

from typing import Self, final

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.datasets.windows import Frame
from stsfm.models.numerics.hippo import Measure, Method, middles, polynomials, weights
from stsfm.models.parts import Embedding


@final
class HiPPO(Embedding):
    """Legendre coefficients of a window."""

    cite = "gu2020hippo"
    offers = frozenset({"inverse"})

    def __init__(
        self, *, coefficients: int, context: int, measure: Measure, method: Method
    ) -> None:
        if not 1 <= coefficients <= context:
            raise ValueError(
                f"coefficients must be between 1 and context={context}, got {coefficients}"
            )
        if measure not in ("legs", "legt") or method not in ("exact", "bilinear"):
            raise ValueError(
                f"measure must be legs or legt and method exact or bilinear, "
                f"got {measure!r} and {method!r}"
            )
        self.coefficients, self.context = coefficients, context
        self.measure, self.method = measure, method
        self.lost_ = context - 1
        self._weights = weights(measure, coefficients, context, method)  # M
        self._polynomials = polynomials(coefficients, middles(context))  # (L, N)

    def fit(self, frames: Array, frame: Frame) -> Self:
        self.size_ = frames.shape[-1] * self.coefficients
        return self

    def encode(self, frames: Array) -> Array:
        many = frames.shape[-2] - self.lost_
        states = np.zeros((*frames.shape[:-2], many, frames.shape[-1], self.coefficients))
        for row, column in enumerate(self._weights.T):  # a pass for each row saves all windows
            states += frames[..., row : row + many, :, None] * column
        return states.reshape(*states.shape[:-2], -1)

    def decode(self, states: Array) -> Array:
        return self._series(states) @ self._polynomials[-1]

    def windows(self, states: Array) -> Array:
        """(*b, t, d) → the rows that each state stands for, (*b, t, L, D)."""
        return (self._series(states) @ self._polynomials.T).swapaxes(-1, -2)

    def _series(self, states: Array) -> Array:
        return states.reshape(*states.shape[:-1], -1, self.coefficients)
