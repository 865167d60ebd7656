"""Each number of a state as the others tell it: convergent cross mapping.

    z′_k = Σ_i w_i z_k[t_i],    t_1 … t_m the rows of train next to z in all numbers but the k-th

What the numbers of a state do not share, noise above all, is averaged away. A row is no neighbour
of itself. Nothing takes it back: what it makes stands for the state. Sugihara et al., Detecting
causality in complex ecosystems, Science 338 (2012).
"""

from __future__ import annotations

from typing import Literal, Self, final

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.datasets.windows import Frame
from stsfm.models.numerics.neighbours import nearest, weigh
from stsfm.models.parts import Transform


@final
class CCM(Transform):
    """Cross-mapped states."""

    cite = "sugihara2012"
    offers = frozenset({"inverse", "frames"})

    def __init__(self, *, neighbours: int | Literal["auto"]) -> None:
        if neighbours != "auto" and neighbours < 1:
            raise ValueError(f"neighbours must be at least 1 or auto, got {neighbours}")
        self.neighbours = neighbours

    def fit(self, states: Array, frame: Frame) -> Self:
        if states.shape[-1] < 2:
            raise ValueError("a state of one number has no others that could tell it")
        self.states_ = states
        return self

    def forward(self, states: Array) -> Array:
        size = states.shape[-1]
        many = size if self.neighbours == "auto" else self.neighbours  # of size − 1 numbers
        flat: Array = states.reshape(-1, size)
        made = np.empty_like(flat)
        for k in range(size):
            rest = np.arange(size) != k
            near, apart = nearest(flat[:, rest], self.states_[:, rest], many + 1)
            itself = apart[:, :1] == 0
            near = np.where(itself, near[:, 1:], near[:, :-1])
            weights = weigh(np.where(itself, apart[:, 1:], apart[:, :-1]), "distance")
            made[:, k] = (weights * self.states_[near, k]).sum(1)
        return made.reshape(states.shape)

    def inverse(self, states: Array) -> Array:
        return states
