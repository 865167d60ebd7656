"""Nearest neighbours of states, those close in time left out."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from stsfm.datasets.panel import Array


def nearest(
    queries: Array, library: Array, k: int, *, at: Array | None = None, theiler: int = 0
) -> tuple[Array, Array]:
    """The k rows of library (n, d) next to each query (q, d), and how far they are, (q, k) both.

    at       the row of library that each query stands at; rows at most `theiler` away from it are
             no neighbours, itself the first of them
    theiler  Theiler's window, in rows: what is close in time is close for that alone

    Where fewer than k are left the distance is infinite, and the row 0.
    """
    more = 0 if at is None else 2 * theiler + 1
    asked = min(k + more, len(library))
    apart, rows = KDTree(library).query(queries, k=np.arange(1, asked + 1))
    if at is not None:
        apart = np.where(abs(rows - at[:, None]) <= theiler, np.inf, apart)
        order = np.argsort(apart, axis=1, kind="stable")
        apart, rows = (np.take_along_axis(x, order, 1) for x in (apart, rows))
    rows, apart = rows[:, :k], apart[:, :k]
    lacking = ((0, 0), (0, k - rows.shape[1]))
    apart = np.pad(apart, lacking, constant_values=np.inf)
    return np.where(apart < np.inf, np.pad(rows, lacking), 0), apart
