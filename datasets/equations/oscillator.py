"""A mass on a spring.

    dx/dt = v,   dv/dt = −(k/m) x          energy (k x² + m v²) / 2

x (m) and v (m/s) are the channels; every node is an oscillator of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from stsfm.datasets.about import Array, Space, xp
from stsfm.datasets.equations.base import Conservative, Linear, Motion


@dataclass(frozen=True, kw_only=True)
class Oscillator(Conservative, Linear, Motion):
    channels = ("position", "velocity")

    stiffness: float  # k, N/m
    mass: float  # m, kg

    def rate(self, x: Array, space: Space) -> Array:
        position, velocity = x[..., 0], x[..., 1]
        return xp(x).stack([velocity, -self.stiffness / self.mass * position], -1)

    def energy(self, x: Array, space: Space) -> Array:
        return (self.stiffness * x[..., 0] ** 2 + self.mass * x[..., 1] ** 2) / 2
