"""A smooth map from rows to rows, by Gaussian processes of what is standardised.

    y_i = m_i + s_i g_i((x − a) / b) + e_i,    g_i ~ GP,    i = 1 … m

a, b (p) and m, s (m) are means and deviations of the rows learned from. Each g_i has a kernel of
its own, or all share one, which takes the time of a single function, whatever m.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.models.numerics.gaussian_process import GaussianProcess

MANY = 8  # functions: above it they share a kernel


@dataclass(frozen=True, eq=False)
class Regression:
    """The rows learned from, and the kernels that explain them best.

    x       (n, p)
    y       (n, m)
    thetas  (m or 1, k), as in gaussian_process.py
    """

    x: Array
    y: Array
    thetas: Array

    @classmethod
    def learn(
        cls, x: Array, y: Array, *, lengths: Literal["each", "one"],
        shared: bool | Literal["auto"], restarts: int,
    ) -> Self:  # fmt: skip
        """Choose the kernels by evidence.

        lengths   one for each dimension of x, or one for all
        shared    whether all functions have one kernel; auto: above 8 functions
        restarts  starts of the optimiser after the first
        """
        one = y.shape[1] > MANY if shared == "auto" else shared
        draft = cls(x, y, np.empty((1 if one else y.shape[1], 0)))
        inputs, each = draft._inputs(x), lengths == "each"
        made = [
            GaussianProcess.learn(inputs, part, each=each, restarts=restarts)
            for part in draft._parts
        ]
        return cls(x, y, np.stack([process.theta for process in made]))

    def mean(self, at: Array) -> Array:
        """(q, p) → (q, m)."""
        at = self._inputs(at)
        made = np.concatenate([process.mean(at) for process in self._processes], 1)
        return made * self._out[1] + self._out[0]

    def variance(self, at: Array) -> Array:
        """Of an observation of y at (q, p) → (q, m): of what is believed, and of its noise."""
        at = self._inputs(at)
        made = np.stack([process.variance(at) + process.noise for process in self._processes], 1)
        return made * self._out[1] ** 2

    def slope(self, at: Array) -> Array:
        """∂y/∂x of the mean at (q, p) → (q, m, p)."""
        at = self._inputs(at)
        made = np.concatenate([process.slope(at) for process in self._processes], 1)
        return made * self._out[1][:, None] / self._in[1]

    def _inputs(self, at: Array) -> Array:
        return (at - self._in[0]) / self._in[1]

    @cached_property
    def _in(self) -> tuple[Array, Array]:
        return _moments(self.x)

    @cached_property
    def _out(self) -> tuple[Array, Array]:
        return _moments(self.y)

    @cached_property
    def _parts(self) -> list[Array]:
        """Standardised outputs, split by kernel."""
        return np.split((self.y - self._out[0]) / self._out[1], len(self.thetas), axis=1)

    @cached_property
    def _processes(self) -> list[GaussianProcess]:
        inputs = self._inputs(self.x)
        both = zip(self._parts, self.thetas, strict=True)
        return [GaussianProcess(inputs, part, theta) for part, theta in both]


def _moments(rows: Array) -> tuple[Array, Array]:
    """Mean and deviation of each column; a constant one has deviation 1."""
    deviation = rows.std(0)
    return rows.mean(0), np.where(deviation > 1e-12 * (1 + abs(rows).max(0)), deviation, 1)
