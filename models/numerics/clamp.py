"""How near states must be to those learned from, since a lifting knows nothing beyond them.

    ρ = reach · Q₉₉(d),    d_i = min_j≠i |z_i − z_j|
    z ← z_j + ρ (z − z_j) / |z − z_j|    where |z − z_j| > ρ,    z_j the state of train nearest to z

What is farther from train than `reach` times the gaps that train itself leaves, but for the widest
hundredth of them, is drawn back along the straight line to its nearest state. Distances and not the
convex hull: a cycle is a thin curve, whose hull is all that it encloses, where no frame ever was;
a hull in many dimensions takes time exponential in them; and one stray state moves a hull, where it
does not move a quantile.
"""

from __future__ import annotations

import numpy as np

from stsfm.datasets.panel import Array

QUANTILE = 0.99  # of the gaps between states of train


def radius(states: Array, reach: float | None) -> float:
    """ρ of the states (t, d) of train; ∞ where `reach` is None."""
    if reach is None:
        return np.inf
    from scipy.spatial import cKDTree

    gaps = cKDTree(states).query(states, k=min(2, len(states)))[0].reshape(len(states), -1)[:, -1]
    return float(reach * np.quantile(gaps, QUANTILE))


def outside(states: Array, train: Array, radius: float) -> Array:
    """Which of the states (…, d) are farther than ρ from all of train, bool (…)."""
    return _nearest(states, train)[0] > radius


def drawn_back(states: Array, train: Array, radius: float) -> Array:
    """The states (…, d), none farther than ρ from train."""
    if np.isinf(radius):
        return states
    apart, nearest = _nearest(states, train)
    far = apart > radius
    shrunk = np.where(far, radius / np.where(far, apart, 1), 1)[..., None]
    return np.where(far[..., None], nearest + (states - nearest) * shrunk, states)


def _nearest(states: Array, train: Array) -> tuple[Array, Array]:
    """Distances (…) to the nearest states of train, and those (…, d)."""
    from scipy.spatial import cKDTree

    apart, at = cKDTree(train).query(states)
    return apart, train[at]
