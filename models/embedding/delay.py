"""A state is a frame beside earlier frames, which tell what the frame alone does not.

    z[t] = (x[t], x[t−τ], …, x[t−(m−1)τ])    x (D), z (m·D)

With m more than twice the dimension of what the frames are seen of, z has a state for each of its
states (Takens). auto takes for τ the first minimum of the mutual information of a series and
itself τ rows before, and for m, up to 10, the least dimension of less than 1 % of false nearest
neighbours (numerics/delays.py), both the mean over the series of train. Takens, Detecting strange
attractors in turbulence (1981). Theiler, Spurious dimension from correlation algorithms applied to
limited time-series data, Physical Review A 34 (1986).
"""

from __future__ import annotations

from typing import Literal, Self, final

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.datasets.windows import Frame
from stsfm.models.numerics.delays import (
    delayed,
    enough,
    false_neighbours,
    first_minimum,
    mutual_information,
)
from stsfm.models.parts import Embedding

DIM, TAU = 10, 100  # the most that auto takes
ROWS = 20  # of train, for each row of a delay that auto takes


@final
class Delay(Embedding):
    """Delay coordinates, the newest frame first."""

    cite = "takens1981"
    offers = frozenset({"inverse"})

    def __init__(
        self,
        *,
        dim: int | Literal["auto"],
        tau: int | Literal["auto"],
        theiler: int | Literal["auto"],
    ) -> None:
        for name, value, least in (("dim", dim, 1), ("tau", tau, 1), ("theiler", theiler, 0)):
            if value != "auto" and value < least:
                raise ValueError(f"{name} must be at least {least} or auto, got {value}")
        self.dim, self.tau, self.theiler = dim, tau, theiler

    def fit(self, frames: Array, frame: Frame) -> Self:
        most = min(TAU, len(frames) // ROWS)
        tau = self.tau
        if tau == "auto":
            tau = first_minimum(mutual_information(frames, most)) if most > 1 else 1
        dim = self.dim
        if dim == "auto":
            theiler = tau if self.theiler == "auto" else self.theiler
            most = max(1, min(DIM, len(frames) // (2 * tau) - 1))  # half the rows remain
            dim = enough(false_neighbours(frames, most, tau, theiler))
        self.tau_, self.dim_ = np.int64(tau), np.int64(dim)
        self.lost_ = (dim - 1) * tau
        self.width_ = np.int64(frames.shape[-1])  # D
        self.size_ = dim * frames.shape[-1]
        if len(frames) <= self.lost_ + 1:
            raise ValueError(
                f"{dim} delays of {tau} rows reach over {self.lost_ + 1} rows, and there are "
                f"{len(frames)}; lower dim or tau"
            )
        return self

    def encode(self, frames: Array) -> Array:
        return delayed(frames, int(self.dim_), int(self.tau_))

    def decode(self, states: Array) -> Array:
        return states[..., : int(self.width_)]

    def seen(self, mask: Array) -> Array:
        return delayed(mask, int(self.dim_), int(self.tau_))
