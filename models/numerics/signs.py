"""A direction has no sign of its own: all take the one that makes their largest entry positive."""

from __future__ import annotations

import numpy as np

from stsfm.datasets.panel import Array


def signs(columns: Array) -> Array:
    """What the columns (n, m) are to be multiplied by, (m,)."""
    largest = np.take_along_axis(columns, abs(columns).argmax(0)[None], 0)[0]
    return np.where(largest < 0, -1.0, 1.0)
