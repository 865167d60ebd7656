"""Frames by radial functions of the nearest states that were seen.

    x(z) = Σ_j w_j φ(|z − z_j|) + a + B z,    over the k nearest states z_j of train to z
    (Φ + λ 1) w + P [a; B] = x,    Pᵀ w = 0

φ is r³ (cubic) or r² log r (thin_plate_spline), which need no width; λ smooths, and at 0 the frames
of train are met exactly. Frames that are linear in z are met for any λ. Away from train x(z) grows
without bound: states that are dynamics' own, and unstable ones above all, are first drawn back to
what was seen (numerics/clamp.py).
Hardy, Multiquadric equations of topography and other irregular surfaces, Journal of Geophysical
Research 76 (1971); by scipy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Self, final

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.models.numerics.clamp import drawn_back, outside, radius
from stsfm.models.parts import Lifting


@final
class RBF(Lifting):
    """Interpolation by radial basis functions."""

    cite = "hardy1971"
    classes = frozenset({"metric", "nonparametric"})

    def __init__(
        self,
        *,
        kernel: Literal["cubic", "thin_plate_spline"],
        neighbours: int,
        smoothing: float,
        reach: float | None,
    ) -> None:
        if kernel not in ("cubic", "thin_plate_spline"):
            raise ValueError(f"kernel must be cubic or thin_plate_spline, got {kernel!r}")
        if smoothing < 0 or (reach is not None and reach <= 0):
            raise ValueError(
                f"smoothing must be at least 0 and reach above 0, got {smoothing} and {reach}"
            )
        self.kernel, self.neighbours = kernel, neighbours
        self.smoothing, self.reach = smoothing, reach

    def fit(self, states: Array, frames: Array) -> Self:
        least = states.shape[1] + 1  # for a plane through them
        if self.neighbours < least:
            raise ValueError(
                f"rbf of {least - 1} states needs {least} neighbours, got {self.neighbours}; "
                "raise model.lifting.neighbours"
            )
        self.states_, self.frames_ = states, frames
        self.radius_ = np.float64(radius(states, self.reach))
        return self

    def lift(self, states: Array, back: Callable[[Array], Array]) -> Array:
        from scipy.interpolate import RBFInterpolator

        near = drawn_back(states, self.states_, float(self.radius_))
        surface = RBFInterpolator(
            self.states_, self.frames_, neighbors=min(self.neighbours, len(self.states_)),
            kernel=self.kernel, smoothing=self.smoothing, degree=1,
        )  # fmt: skip
        try:
            made = surface(near.reshape(-1, near.shape[-1]))
        except np.linalg.LinAlgError as error:
            raise ValueError(
                "rbf: the states nearest to a forecast lie on a line, or are equal; raise "
                "model.lifting.smoothing or model.lifting.neighbours, or lower the states' dim"
            ) from error
        return made.reshape(*states.shape[:-1], -1)

    def outside(self, states: Array) -> Array:
        return outside(states, self.states_, float(self.radius_))
