"""Two systems of Lorenz.

    Lorenz63   ẋ = σ (y − x),   ẏ = x (ρ − z) − y,   ż = x y − β z           x, y, z channels
    Lorenz96   ẋ_i = (x_{i+1} − x_{i−2}) x_{i−1} − x_i + F                    i nodes, on a circle

Lorenz, Deterministic nonperiodic flow, J. Atmospheric Sciences 20 (1963); Lorenz, Predictability: a
problem partly solved, ECMWF Seminar on Predictability (1996).
"""

from __future__ import annotations

from dataclasses import dataclass

from stsfm.datasets.about import Array, Space, xp
from stsfm.datasets.equations.base import Equation


@dataclass(frozen=True, kw_only=True)
class Lorenz63(Equation):
    channels = ("x", "y", "z")

    sigma: float
    rho: float
    beta: float

    def rate(self, x: Array, space: Space) -> Array:
        x, y, z = x[..., 0], x[..., 1], x[..., 2]
        return xp(x).stack(
            [self.sigma * (y - x), x * (self.rho - z) - y, x * y - self.beta * z], -1
        )


@dataclass(frozen=True, kw_only=True)
class Lorenz96(Equation):
    channels = ("value",)

    forcing: float  # F; chaotic from about 8 on

    def rate(self, x: Array, space: Space) -> Array:
        roll = xp(x).roll
        return (roll(x, -1, -2) - roll(x, 2, -2)) * roll(x, 1, -2) - x + self.forcing
