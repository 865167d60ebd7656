"""Frames by a Gaussian process of states.

    x_i = g_i(z) + e_i,    g_i ~ GP,    i = 1 … D

All numbers of a frame share one kernel, C · RBF with a length for each number of a state, and white
noise, chosen by evidence on train: no width and no smoothing is set. Far from train a frame falls
back to the mean one; states are first drawn back to what was seen (numerics/clamp.py).
Rasmussen & Williams, Gaussian Processes for Machine Learning (2006).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Self, final

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.models.numerics.clamp import drawn_back, outside, radius
from stsfm.models.numerics.distances import spread
from stsfm.models.numerics.gaussian_regression import Regression
from stsfm.models.parts import Lifting


@final
class GPR(Lifting):
    """Gaussian process regression of frames on states."""

    cite = "rasmussen2006"
    classes = frozenset({"nonparametric"})

    def __init__(self, *, restarts: int, max_points: int, reach: float | None) -> None:
        if restarts < 0 or (reach is not None and reach <= 0):
            raise ValueError(
                f"restarts must be at least 0 and reach above 0, got {restarts} and {reach}"
            )
        self.restarts, self.max_points, self.reach = restarts, max_points, reach

    def fit(self, states: Array, frames: Array) -> Self:
        picked = spread(len(states), self.max_points)
        self._map = Regression.learn(
            states[picked], frames[picked], lengths="each", shared=True, restarts=self.restarts
        )
        self.states_, self.frames_, self.theta_ = self._map.x, self._map.y, self._map.thetas
        self.radius_ = np.float64(radius(self.states_, self.reach))
        return self

    def lift(self, states: Array, back: Callable[[Array], Array]) -> Array:
        near = drawn_back(states, self.states_, float(self.radius_))
        made = self._map.mean(near.reshape(-1, near.shape[-1]))
        return made.reshape(*states.shape[:-1], -1)

    def outside(self, states: Array) -> Array:
        return outside(states, self.states_, float(self.radius_))

    def load(self, folder: Path) -> Self:
        super().load(folder)
        self._map = Regression(self.states_, self.frames_, self.theta_)
        return self
