"""The frames of the states next to a state of train, in their mean.

    x̂ = Σ_i w_i x_i,    z_1 … z_k the states of train next to z,    Σ w_i = 1

As a mean of frames that were seen it never leaves their hull. Weights are those of
numerics/neighbours.py: equal, or w_i ∝ exp(−d_i / d_1) as in the simplex projection; then a state
of train has its own frame. Sugihara & May, Nonlinear forecasting as a way of distinguishing chaos
from measurement error in time series, Nature 344 (1990).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Self, final

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.models.numerics.neighbours import Weights, nearest, weigh
from stsfm.models.parts import Lifting


@final
class KNN(Lifting):
    """Nearest neighbours, from states to frames."""

    cite = "sugihara1990"
    classes = frozenset({"metric", "nonparametric"})

    def __init__(self, *, neighbours: int | Literal["auto"], weights: Weights) -> None:
        if neighbours != "auto" and neighbours < 1:
            raise ValueError(f"neighbours must be at least 1 or auto, got {neighbours}")
        self.neighbours, self.weights = neighbours, weights

    def fit(self, states: Array, frames: Array) -> Self:
        self.states_, self.frames_ = states, frames
        return self

    def lift(self, states: Array, back: Callable[[Array], Array]) -> Array:
        size = states.shape[-1]
        k = size + 1 if self.neighbours == "auto" else self.neighbours
        near, apart = nearest(states.reshape(-1, size), self.states_, k)
        weights = weigh(apart, self.weights)
        frames: Array = np.einsum("qk,qkd->qd", weights, self.frames_[near])
        return frames.reshape(*states.shape[:-1], -1)
