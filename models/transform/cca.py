"""The coordinates in which a state tells most of the next one.

    z′[t] = W_xᵀ (z[t] − m),    W_x the directions of z[t] that correlate most with z[t+lag]

Canonical correlation of the states with themselves `lag` rows later (numerics/canonical.py), on
train alone. Going back is least squares. Hotelling, Relations between two sets of variates,
Biometrika 28 (1936); of a series and its own past Pérez-Hernández et al., Identification of slow
molecular order parameters for Markov model construction, Journal of Chemical Physics 139 (2013).
"""

from __future__ import annotations

from typing import Literal, Self, final

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.datasets.windows import Frame
from stsfm.models.numerics.canonical import Canonical
from stsfm.models.parts import Transform


@final
class CCA(Transform):
    """Canonical coordinates of states and later states."""

    cite = "hotelling1936"
    offers = frozenset({"inverse"})

    def __init__(self, *, dim: int | Literal["all"], lag: int, ridge: float) -> None:
        if (dim != "all" and dim < 1) or lag < 1 or ridge < 0:
            raise ValueError(
                "wanted dim of at least 1 or all, lag of at least 1 and ridge of at least 0, got "
                f"{dim}, {lag} and {ridge}"
            )
        self.dim, self.lag, self.ridge = dim, lag, ridge

    def fit(self, states: Array, frame: Frame) -> Self:
        size = states.shape[-1]
        if self.dim != "all" and self.dim > size:
            raise ValueError(f"states of {size} numbers have no {self.dim} directions; lower dim")
        dim = size if self.dim == "all" else self.dim
        found = Canonical.of(states[: -self.lag], states[self.lag :], dim=dim, ridge=self.ridge)
        self.mean_, self.there_ = found.mean_x, found.x
        made = (states - self.mean_) @ self.there_
        self.back_ = np.linalg.lstsq(made, states - self.mean_, rcond=None)[0]
        return self

    def forward(self, states: Array) -> Array:
        return (states - self.mean_) @ self.there_

    def inverse(self, states: Array) -> Array:
        return states @ self.back_ + self.mean_
