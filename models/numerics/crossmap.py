"""Cross mapping: what the delays of one series tell of another.

    M_y[t] = (y[t], y[t−τ], …, y[t−(E−1)τ]),    x̂[t] = Σ_i w_i x[t_i]

t_i are the E + 1 rows of a library next to M_y[t], and w_i ∝ exp(−d_i / d_1): the simplex
projection (neighbours.py), of x in place of y. Sugihara et al., Detecting causality in complex
ecosystems, Science 338 (2012).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.models.numerics.delays import delayed
from stsfm.models.numerics.neighbours import nearest, weigh


@dataclass(frozen=True, kw_only=True)
class Shadow:
    """The shadow manifold of one series."""

    states: Array  # (n, E), n = t − first
    first: int  # row of the first state
    theiler: int  # rows within which states are no neighbours

    @classmethod
    def of(cls, y: Array, dim: int, tau: int, theiler: int) -> Shadow:
        """Of a series (t)."""
        return cls(states=delayed(y[:, None], dim, tau), first=(dim - 1) * tau, theiler=theiler)

    @property
    def dim(self) -> int:
        return int(self.states.shape[1])

    @property
    def need(self) -> int:
        """States of a library, so that each has its neighbours."""
        return self.dim + 2 + 2 * self.theiler

    def estimates(self, x: Array, library: Array | None = None, lag: int = 0) -> Array:
        """x̂ (n, s) of series x (t, s), `lag` rows after each state.

        library  states that may be neighbours, increasing; None = all
        """
        at = np.arange(len(self.states))
        rows = at if library is None else library
        rows = rows[(rows + self.first + lag >= 0) & (rows + self.first + lag < len(x))]
        near, apart = nearest(
            self.states, self.states[rows], self.dim + 1, at=at, rows=rows, theiler=self.theiler
        )
        weights, rows = weigh(apart, "distance"), rows[near] + self.first + lag
        made: Array = sum(weights[:, [k]] * x[rows[:, k]] for k in range(self.dim + 1))
        return made

    def skill(self, x: Array, library: Array | None = None, lag: int = 0) -> Array:
        """ρ (s) of series x (t, s) and what is estimated of them, over all rows that have both."""
        rows = np.arange(len(self.states)) + self.first + lag
        there = (rows >= 0) & (rows < len(x))
        return correlation(x[rows[there]], self.estimates(x, library, lag)[there])


def correlation(a: Array, b: Array) -> Array:
    """Of the columns (s) of a and b (t, s); 0 where one does not change."""
    a, b = a - a.mean(0), b - b.mean(0)
    size = np.sqrt((a**2).sum(0) * (b**2).sum(0))
    return np.divide((a * b).sum(0), size, out=np.zeros_like(size), where=size > 0)
