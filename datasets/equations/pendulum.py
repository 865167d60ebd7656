"""A pendulum.

    dx/dt = v,   dv/dt = −c sin x          energy v²/2 + c (1 − cos x), per m l²

x (rad) and v (rad/s) are the channels, c = g/l; every node is a pendulum of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from stsfm.datasets.about import Array, Space, xp
from stsfm.datasets.equations.base import Conservative, Motion


@dataclass(frozen=True, kw_only=True)
class Pendulum(Conservative, Motion):
    channels = ("angle", "velocity")

    pull: float  # c = g / l, s⁻²

    def rate(self, x: Array, space: Space) -> Array:
        return xp(x).stack([x[..., 1], -self.pull * xp(x).sin(x[..., 0])], -1)

    def energy(self, x: Array, space: Space) -> Array:
        return x[..., 1] ** 2 / 2 + self.pull * (1 - xp(x).cos(x[..., 0]))
