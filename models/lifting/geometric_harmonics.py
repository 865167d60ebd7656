"""Frames by the smoothest functions on the states: those that a Gaussian kernel reaches best.

    K_ij = exp(−|z_i − z_j|² / ε),   K φ_l = s_l φ_l,     Φ_l(z) = Σ_j k(z, z_j) φ_l(j) / s_l
    x(z) = x̄ + Σ_l ⟨x − x̄, φ_l⟩ Φ_l(z)    over l with s_l > δ s_0

φ_l are oscillations over the states, faster as s_l falls; δ leaves out those that a kernel of this
width can't reach from nearby, and so is what smooths. ε is `width` times the median squared
distance of states. Far from train x(z) falls back to the mean frame, which is bounded but wrong;
states are first drawn back to what was seen (numerics/clamp.py). Of more than `max_points` states
as many are taken, evenly spaced: the spectrum takes the cube of them.
Coifman & Lafon, Geometric harmonics, Applied and Computational Harmonic Analysis 21 (2006).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self, final

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.models.numerics.clamp import drawn_back, outside, radius
from stsfm.models.numerics.distances import median_square, spread, squares
from stsfm.models.parts import Lifting


@final
class GeometricHarmonics(Lifting):
    """Extension by eigenfunctions of a kernel."""

    cite = "coifman2006gh"
    classes = frozenset({"metric", "nonparametric"})

    def __init__(self, *, width: float, delta: float, max_points: int, reach: float | None) -> None:
        if width <= 0 or not 0 < delta < 1 or (reach is not None and reach <= 0):
            raise ValueError(
                "width and reach must be above 0 and delta between 0 and 1, got "
                f"{width}, {reach} and {delta}"
            )
        self.width, self.delta = width, delta
        self.max_points, self.reach = max_points, reach

    def fit(self, states: Array, frames: Array) -> Self:
        picked = spread(len(states), self.max_points)
        self.states_, self.mean_ = states[picked], frames.mean(0)
        self.radius_ = np.float64(radius(self.states_, self.reach))
        self.epsilon_ = np.float64(self.width * median_square(self.states_))
        strength, harmonics = np.linalg.eigh(self._kernel(self.states_))
        kept = strength > self.delta * strength[-1]
        strength, harmonics = strength[kept], harmonics[:, kept]
        onto = harmonics.T @ (frames[picked] - self.mean_)  # ⟨x − x̄, φ_l⟩
        self.weights_ = (harmonics / strength) @ onto  # (point, D)
        return self

    def lift(self, states: Array, back: Callable[[Array], Array]) -> Array:
        near = drawn_back(states, self.states_, float(self.radius_))
        return self._kernel(near) @ self.weights_ + self.mean_

    def outside(self, states: Array) -> Array:
        return outside(states, self.states_, float(self.radius_))

    def _kernel(self, states: Array) -> Array:
        """(…, d) → (…, point)."""
        return np.exp(-squares(states, self.states_) / self.epsilon_)
