"""Distances between rows, and which rows stand for many."""

from __future__ import annotations

import numpy as np

from stsfm.datasets.panel import Array


def squares(here: Array, there: Array) -> Array:
    """|x − y|² of rows (…, d) and (n, d) → (…, n)."""
    apart = (here**2).sum(-1)[..., None] + (there**2).sum(-1) - 2 * here @ there.T
    return apart.clip(0)


def median_square(rows: Array) -> float:
    """The median squared distance of two different rows; 1 where more than half are equal."""
    apart = squares(rows, rows)[np.triu_indices(len(rows), 1)]
    return float(np.median(apart)) or 1.0


def spread(rows: int, most: int) -> Array:
    """The indices of at most so many rows, evenly over all of them."""
    return np.linspace(0, rows - 1, min(most, rows)).round().astype(int)
