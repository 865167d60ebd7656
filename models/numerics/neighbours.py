"""Nearest neighbours of states, those close in time left out, and what they say together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.spatial import KDTree

from stsfm.datasets.panel import Array, Panel
from stsfm.models.numerics.gaps import carried

Weights = Literal["equal", "distance"]


def nearest(
    queries: Array,
    library: Array,
    k: int,
    *,
    at: Array | None = None,
    rows: Array | None = None,
    theiler: int = 0,
) -> tuple[Array, Array]:
    """The k of library (n, d) next to each query (q, d), and how far they are, (q, k) both.

    at, rows  where in time queries and library stand, in rows; None = nowhere, and 0 … n − 1
    theiler   Theiler's window: what is at most so many rows away is close for that alone, and no
              neighbour; itself the first of them

    Where fewer than k are left the distance is infinite, and the neighbour is 0.
    """
    more = 0 if at is None else 2 * theiler + 1
    asked = min(k + more, len(library))
    apart, near = KDTree(library).query(queries, k=np.arange(1, asked + 1))
    if at is not None:
        rows = np.arange(len(library)) if rows is None else rows
        apart = np.where(abs(rows[near] - at[:, None]) <= theiler, np.inf, apart)
        order = np.argsort(apart, axis=1, kind="stable")
        apart, near = (np.take_along_axis(x, order, 1) for x in (apart, near))
    near, apart = near[:, :k], apart[:, :k]
    lacking = ((0, 0), (0, k - near.shape[1]))
    apart = np.pad(apart, lacking, constant_values=np.inf)
    return np.where(apart < np.inf, np.pad(near, lacking), 0), apart


def weigh(apart: Array, weights: Weights) -> Array:
    """Weights (q, k) of neighbours by how far they are: equal, or exp(−d / d₁); they sum to 1.

    Of a query that stands on neighbours, these alone count.
    """
    there = apart < np.inf
    if weights == "distance":
        first = apart[:, :1]
        with np.errstate(divide="ignore", invalid="ignore"):
            there = np.where(first > 0, np.exp(-apart / first), apart == 0)
    return there / there.sum(1, keepdims=True)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The rows of a panel of states in time, gaps filled, and which were seen whole."""

    states: Array  # (t, D)
    whole: Array  # bool (t,)
    time: Array  # ns since 1970 (t,)

    @classmethod
    def of(cls, panel: Panel, mean: Array) -> Rows:
        whole = panel.mask.all((-2, -1))
        return cls(states=carried(panel, mean), whole=whole, time=panel.time)

    def library(self, horizon: int, least: int) -> Array:
        """The rows that were seen with the `horizon` rows after them, (n,).

        Where these are fewer than `least`, all that have so many rows after them; a ValueError
        where these are too few as well.
        """
        starts = np.arange(len(self.whole) - horizon)
        if len(starts) < least:
            raise ValueError(
                f"{least} neighbours and {horizon} rows ahead need {least + horizon} rows to learn "
                f"from, got {len(self.whole)}"
            )
        unseen = np.concatenate([[0], np.cumsum(~self.whole)])
        clear = starts[unseen[starts + horizon + 1] == unseen[starts]]
        return clear if len(clear) >= least else starts

    def at(self, time: Array) -> Array:
        """Where stamps stand among the rows, in rows; those after the last go on as these did."""
        step = np.median(np.diff(self.time)) if len(self.time) > 1 else 1
        later = len(self.time) - 1 + (time - self.time[-1]) / step
        return np.where(time > self.time[-1], later, np.searchsorted(self.time, time))
