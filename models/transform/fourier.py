"""States as waves along their numbers, of which the slow ones are kept.

    z′ = Fᵀ z,    z ≈ F z′     F (d, k), FᵀF = I: 1/√d, then √(2/d) cos and sin of 2π f i / d

With keep: all nothing is lost and |z′| = |z|; else what comes back has no wave of more than `keep`
periods. It means something where neighbouring numbers of a state do: a line or ring of nodes, a
field. Of several channels each has its waves, where the states are the frames. Cooley & Tukey, An
algorithm for the machine calculation of complex Fourier series, Mathematics of Computation 19
(1965).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self, final

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.datasets.windows import Frame
from stsfm.models.parts import Transform

if TYPE_CHECKING:
    from stsfm.models.layers.projection import Projection


@final
class Fourier(Transform):
    """Real Fourier coefficients of a state."""

    cite = "cooley1965"
    offers = frozenset({"inverse", "gradient"})

    def __init__(self, *, keep: int | Literal["all"]) -> None:
        if keep != "all" and keep < 0:
            raise ValueError(f"keep must be at least 0 or all, got {keep}")
        self.keep = keep

    def fit(self, states: Array, frame: Frame) -> Self:
        size = states.shape[-1]
        channels = frame.channels if size == frame.nodes * frame.channels else 1
        points = size // channels
        most = points // 2
        keep = most if self.keep == "all" else self.keep
        if keep > most:
            raise ValueError(f"{points} numbers have no wave of {keep} periods; lower keep")
        self.basis_ = np.kron(_waves(points, keep), np.eye(channels))  # F (d, k)
        return self

    def forward(self, states: Array) -> Array:
        return states @ self.basis_

    def inverse(self, states: Array) -> Array:
        return states @ self.basis_.T

    def net(self) -> Projection:
        from stsfm.models.layers.projection import Projection

        return Projection(self.basis_, self.basis_.T, np.zeros(len(self.basis_)))


def _waves(points: int, keep: int) -> Array:
    """Orthonormal columns (points, 1 + 2 · keep), one fewer where the last has two points each."""
    at = 2 * np.pi * np.arange(points)[:, None] * np.arange(1, keep + 1) / points
    pairs = np.stack([np.cos(at), np.sin(at)], -1).reshape(points, -1) * np.sqrt(2 / points)
    if 2 * keep == points:  # its sine is 0 at every point
        pairs = np.column_stack([pairs[:, :-2], pairs[:, -2] / np.sqrt(2)])
    return np.column_stack([np.full(points, points**-0.5), pairs])
