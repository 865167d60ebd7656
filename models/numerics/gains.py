"""What a split of a series gains, what chance alone would gain, and how well its row is known.

    gain(k) = Σ_c  S_k² / k + (S_n − S_k)² / (n − k) − S_n² / n,     S_k the sum of the first k rows

by which squared deviations from the mean shrink where row k begins a second segment. Chance: the
greatest gain over k of the same rows in blocks of another order, which keeps what is short in
memory and no change. An interval: rows are drawn anew within both segments, in blocks, and the
greatest gain is looked for again; its quantiles are the bounds.
Killick, Fearnhead & Eckley, JASA 107 (2012), for the penalty; Antoch & Hušková, Permutation tests
in change point analysis, Statistics & Probability Letters 53 (2001), for chance; Hušková & Kirch,
Bootstrapping confidence intervals for the change-point of time series, Journal of Time Series
Analysis 29 (2008), for the interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from stsfm.datasets.panel import Array


def gains(x: Array, least: int) -> Array:
    """Of splits before rows `least` … n − `least`, (…, k), of series x (…, n, c)."""
    n = x.shape[-2]
    sums = np.cumsum(x - x.mean(-2, keepdims=True), -2)[..., least - 1 : n - least, :]
    k = np.arange(least, n - least + 1)[:, None]  # the total is 0
    return (sums**2 * (1 / k + 1 / (n - k))).sum(-1)


def by_chance(x: Array, least: int, draws: int, rng: np.random.Generator) -> Array:
    """(draws,) greatest gains of the rows x (n, c) in blocks of another order."""
    size = block(len(x))
    parts = [x[k : k + size] for k in range(0, len(x), size)]
    orders = (rng.permutation(len(parts)) for _ in range(draws))
    return np.array([gains(np.concatenate([parts[k] for k in o]), least).max() for o in orders])


def bounds(
    x: Array, least: int, level: float, draws: int, rng: np.random.Generator, split: int
) -> tuple[int, int]:
    """The rows of x (n, c) between which its one split lies, which was found at `split`."""
    again = [np.concatenate([_drawn(x[:split], rng), _drawn(x[split:], rng)]) for _ in range(draws)]
    rows = gains(np.stack(again), least).argmax(-1) + least
    low, high = np.quantile(rows, [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf")
    return min(int(low), split), max(int(high), split)


def around(rows: Sequence[int], stop: int) -> list[tuple[int, int, int]]:
    """Of each of some rising rows, the one before (or 0), itself, and the one after (or `stop`)."""
    edges = [0, *rows, stop]
    return [(a, b, c) for (a, b), (_, c) in pairwise(pairwise(edges))]


def level_fit(x: Array, rows: Sequence[int]) -> Array:
    """(n, c) the mean of each segment of x (n, c)."""
    parts = [x[a:b] for a, b in pairwise([0, *rows, len(x)])]
    return np.concatenate([np.broadcast_to(part.mean(0), part.shape) for part in parts])


def block(rows: int) -> int:
    """Rows of a block: n^⅓ (Künsch 1989)."""
    return max(1, round(rows ** (1 / 3)))


def _drawn(x: Array, rng: np.random.Generator) -> Array:
    """As many rows as x (n, c) has, in blocks with replacement, wrapped at its end."""
    size = block(len(x))
    starts = rng.integers(0, len(x), -(-len(x) // size))
    return x[(starts[:, None] + np.arange(size)).reshape(-1)[: len(x)] % len(x)]
