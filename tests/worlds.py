"""Worlds in which models are equally accurate, so that every rejection is a mistake."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

Draw = np.ndarray  # (draws, n): loss differences at consecutive origins, mean zero


def overlap(rng: np.random.Generator, draws: int, n: int, horizon: int, tails: int = 0) -> Draw:
    """Averages over the rows of overlapping futures: MA(h − 1) with equal weights.

    No difference of h-step losses depends more on its neighbours. `tails`: degrees of freedom of
    Student's t that rows are drawn from (3: no fourth moment); 0 for normal.
    """
    shape = draws, n + horizon - 1
    return _averaged(rng.standard_t(tails, shape) if tails else rng.standard_normal(shape), horizon)


def heavy(rng: np.random.Generator, draws: int, n: int, horizon: int) -> Draw:
    """The same, of rows with heavy tails."""
    return overlap(rng, draws, n, horizon, tails=3)


def random_walk(rng: np.random.Generator, draws: int, n: int, horizon: int) -> Draw:
    """Mean absolute errors over h steps of two forecasters of a random walk.

    Each sees the last value with an error of its own, of half the size of a step.
    """
    level = np.cumsum(rng.standard_normal((draws, n + horizon)), axis=1)
    seen = rng.standard_normal((2, draws, n)) / 2
    d = np.zeros((draws, n))
    for ahead in range(1, horizon + 1):
        change = level[:, ahead : ahead + n] - level[:, :n]
        d += (abs(change + seen[0]) - abs(change + seen[1])) / horizon
    return d


def persistent(rng: np.random.Generator, draws: int, n: int, horizon: int) -> Draw:
    """Differences that overlap and, beyond that, carry on from row to row: AR(1), ρ = 0.3."""
    rows = lfilter([1], [1, -0.3], rng.standard_normal((draws, n + horizon + 49)), axis=1)
    return _averaged(rows[:, 50:], horizon)


def skewed(rng: np.random.Generator, draws: int, n: int, horizon: int) -> Draw:
    """One model is a little better as a rule and much worse at times: rows are χ²(1) − 1."""
    return _averaged(rng.chisquare(1, (draws, n + horizon - 1)) - 1, horizon)


def nodes(rng: np.random.Generator, draws: int, n: int, many: int = 50, rho: float = 0.3) -> Draw:
    """(draws, n, node): differences at `many` nodes that any two share with correlation rho."""
    shared = rng.standard_normal((draws, n, 1))
    return np.sqrt(rho) * shared + np.sqrt(1 - rho) * rng.standard_normal((draws, n, many))


def _averaged(rows: np.ndarray, horizon: int) -> Draw:
    """Sums over the h rows of each future, over √h to be of the same size at any horizon."""
    sums = np.cumsum(np.pad(rows, ((0, 0), (1, 0))), axis=1)
    return (sums[:, horizon:] - sums[:, :-horizon]) / np.sqrt(horizon)


def limit(draws: int, level: float = 0.065) -> float:
    """The most rejections, as a share: 6.5 % and two standard errors of the simulation."""
    return level + 2 * np.sqrt(level * (1 - level) / draws)
