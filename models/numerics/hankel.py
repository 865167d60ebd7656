"""Singular spectrum analysis: the windows of a series, and the directions in which they lie.

    X = [s[W], s[W+1], …]ᵀ = A diag(σ) Vᵀ,    s[t] = (y[t], …, y[t−W+1]),   X (K, W k)

The rows s of the trajectory matrix hold the last W rows of k series, newest first: for k > 1 the
series are stacked (multichannel SSA). A component is the part of X along one column of V, averaged
over all the places at which X holds a row; all components add up to the series. Broomhead & King,
Physica D 20 (1986); Golyandina, Nekrutkin & Zhigljavsky, Analysis of Time Series Structure (2001).
"""

from __future__ import annotations

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.models.numerics.delays import delayed
from stsfm.models.numerics.signs import signs

ENERGY = 0.95  # of the squared singular values, held by the directions that count
ROUNDS = 20  # of filling gaps
LEAST = 1e-8  # of 1 − ν²; below it the newest row is no function of those before it


def directions(rows: Array, window: int) -> tuple[Array, Array]:
    """V (W k, m) and σ (m,) of rows (t, k), the strongest first; of silence V is 0."""
    triangle = np.linalg.qr(delayed(rows, window), mode="r")
    singular, turned = np.linalg.svd(triangle, full_matrices=False)[1:]
    return turned.T * signs(turned.T) * bool(singular[0]), singular


def energetic(singular: Array) -> int:
    """How many directions hold 95 % of the energy."""
    share = (singular**2).cumsum() / max((singular**2).sum(), np.finfo(float).tiny)
    return int(np.searchsorted(share, ENERGY)) + 1


def components(rows: Array, basis: Array) -> Array:
    """The part of rows (t, k) along each column of V (W k, m), (m, t, k)."""
    length, series = rows.shape
    window = len(basis) // series
    states = delayed(rows, window) @ basis  # (K, m)
    total = np.zeros((basis.shape[1], length, series))
    for lag, block in enumerate(basis.reshape(window, series, -1)):
        first = window - 1 - lag  # the row of the first state's lag
        total[:, first : first + len(states)] += states.T[..., None] * block.T[:, None]
    reach = np.minimum(np.arange(length) + 1, length - np.arange(length))
    return total / np.minimum(reach, min(window, length - window + 1))[:, None]


def recurrence(basis: Array, series: int) -> Array | None:
    """The map of the W − 1 rows before a row on it, (k, (W − 1) k); None where there is none.

    ŷ = (I − Π Πᵀ)⁻¹ Π Uᵀ s,  Π (k, m) the newest block of V and U the others: for k = 1
    R = Σᵢ πᵢ Uᵢ / (1 − ν²), ν² = Σᵢ πᵢ².
    """
    newest, others = basis[:series], basis[series:]
    left = np.eye(series) - newest @ newest.T
    if np.linalg.eigvalsh(left)[0] < LEAST:
        return None
    return np.linalg.solve(left, newest @ others.T)


def without_gaps(rows: Array, seen: Array, window: int) -> Array:
    """Rows (t, k) whose gaps are filled by the strongest components of all, in turn with them.

    Kondrashov & Ghil, Spatio-temporal filling of missing points in geophysical data sets,
    Nonlinear Processes in Geophysics 13 (2006).
    """
    if seen.all():
        return rows
    at, rows = np.arange(len(rows)), rows.copy()
    for k, known in enumerate(seen.T):
        rows[:, k] = np.interp(at, at[known], rows[known, k]) if known.any() else 0.0
    for _ in range(ROUNDS):
        basis, singular = directions(rows, window)
        strong = components(rows, basis[:, : energetic(singular)]).sum(0)
        rows = np.where(seen, rows, strong)
    return rows
