"""Delays of series: how they are stacked, how long they should be, and how many.

I(τ) = Σ p(x[t], x[t−τ]) log p(x[t], x[t−τ]) / (p(x[t]) p(x[t−τ])), in bins of equal counts, is what
a series tells of its past; at its first minimum a delayed value is news, and not yet noise.
A neighbour in m dimensions is false if the value τ rows later, δ apart, takes it away: |δ| > 15 R_m
or R_{m+1} > 2 σ, R_m its distance in m dimensions and σ the deviation of the series. Backwards in
time even true neighbours part, as fast as the flow contracts.
Fraser & Swinney, Independent coordinates for strange attractors from mutual information, Physical
Review A 33 (1986). Kennel, Brown & Abarbanel, Determining embedding dimension for phase-space
reconstruction using a geometrical construction, Physical Review A 45 (1992).
"""

from __future__ import annotations

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.models.numerics.neighbours import nearest

FAR = 15.0  # R_tol of Kennel et al.
LARGE = 2.0  # A_tol
FEW = 0.01  # of false neighbours that are none
SERIES, QUERIES = 20, 2000  # at most looked at, evenly spaced


def delayed(rows: Array, dim: int, tau: int = 1) -> Array:
    """(*b, t, D) → (*b, t − (m−1)τ, m·D): x[t], x[t−τ], …, the newest first."""
    left = rows.shape[-2] - (dim - 1) * tau
    starts = [(dim - 1 - k) * tau for k in range(dim)]
    return np.concatenate([rows[..., s : s + left, :] for s in starts], -1)


def mutual_information(series: Array, most: int) -> Array:
    """I(τ) in nats for τ = 0 … most, the mean over series (t, D), (most + 1)."""
    size = max(2, round((len(series) / 5) ** 0.5))  # five pairs a cell, were they independent
    bins = [_binned(x, size) for x in _some(series).T]
    return np.mean([[_information(x, tau, size) for tau in range(most + 1)] for x in bins], 0)


def first_minimum(information: Array) -> int:
    """The least τ ≥ 1 at which I is lower than at both sides; without one that of the least I."""
    for tau in range(1, len(information) - 1):
        if information[tau - 1] >= information[tau] < information[tau + 1]:
            return tau
    return 1 + int(np.argmin(information[1:]))


def false_neighbours(series: Array, most: int, tau: int, theiler: int) -> Array:
    """The share of false nearest neighbours in 1 … most dimensions, over series (t, D), (most).

    theiler  neighbours are more than so many rows apart
    """
    return np.mean([_false(x[:, None], most, tau, theiler) for x in _some(series).T], 0)


def enough(shares: Array) -> int:
    """The least dimension of few false neighbours; without one that of the fewest."""
    few = np.flatnonzero(shares < FEW)
    return 1 + int(few[0] if len(few) else np.argmin(shares))


def _false(x: Array, most: int, tau: int, theiler: int) -> list[float]:
    """Of one series (t, 1)."""
    whole, shares, deviation = delayed(x, most + 1, tau)[:, ::-1], [], x.std()  # oldest first
    rows = np.arange(0, len(whole), max(1, len(whole) // QUERIES))
    for m in range(1, most + 1):
        states, news = whole[:, :m], whole[:, m]
        near, apart = nearest(states[rows], states, 1, at=rows, theiler=theiler)
        near, apart = near[:, 0], apart[:, 0]
        step = abs(news[rows] - news[near])
        false = (step > FAR * apart) | (np.hypot(apart, step) > LARGE * deviation)
        shares.append(float(false[apart < np.inf].mean()) if (apart < np.inf).any() else 0.0)
    return shares


def _information(x: Array, tau: int, size: int) -> float:
    joint = np.zeros((size, size))
    np.add.at(joint, (x[tau:], x[: len(x) - tau]), 1)
    joint /= joint.sum()
    apart = joint.sum(1)[:, None] * joint.sum(0)
    cells = joint > 0
    return float((joint[cells] * np.log(joint[cells] / apart[cells])).sum())


def _binned(x: Array, size: int) -> Array:
    """The bin of each value, equal values in one bin; bins hold about as many each."""
    edges = np.quantile(x, np.linspace(0, 1, size + 1)[1:-1])
    return np.searchsorted(edges, x, side="right")


def _some(series: Array) -> Array:
    """Not all of very many series."""
    picked = np.linspace(0, series.shape[1] - 1, min(series.shape[1], SERIES))
    return series[:, picked.round().astype(int)]
