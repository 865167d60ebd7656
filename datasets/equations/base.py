"""What an Equation is: the law by which a state moves, with its constants.

    dx/dt = N(x)        x (…, node, channel), t in seconds: as stamps count, 1 = 10⁹ ns

Simulated data state the equation that they were made with; loss terms price a forecast by it, and
transforms and teachers step along it. It speaks numpy and torch alike, and is differentiable.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from stsfm.datasets.about import Array, Space


class Equation(ABC):
    """An autonomous law of motion; its constants are the fields of a frozen dataclass.

    channels  what the last axis of a state holds
    needs     of: graph (`rate` reads space.adjacency)
    offers    of: equation, energy (it is Conservative)
    """

    channels: ClassVar[tuple[str, ...]]
    offers: ClassVar[frozenset[str]] = frozenset({"equation"})
    needs: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def rate(self, x: Array, space: Space) -> Array:
        """dx/dt of states (…, node, channel), the same shape."""


class Conservative(Equation):
    """An equation along which a number stays what it is."""

    offers = frozenset({"equation", "energy"})

    @abstractmethod
    def energy(self, x: Array, space: Space) -> Array:
        """(…, node, channel) → (…), or (…, node) where each node has an energy of its own."""


class Motion(Equation):
    """An equation of two channels: where something is, and the velocity at which that changes."""


class Linear(Equation):
    """An equation whose rate is a matrix: it is solved exactly, x(t) = exp(t M) x(0)."""

    def matrix(self, nodes: int, space: Space) -> np.ndarray:
        """M over flattened states, (node · channel, node · channel)."""
        size = nodes * len(self.channels)
        basis = np.eye(size).reshape(size, nodes, len(self.channels))
        return self.rate(basis, space).reshape(size, size).T

    def propagator(self, seconds: float, nodes: int, space: Space) -> np.ndarray:
        """exp(t M), what brings a flattened state `seconds` on."""
        from scipy.linalg import expm

        return expm(seconds * self.matrix(nodes, space))
