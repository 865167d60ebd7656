"""Is there any change at all? Two statistics, against autoregressive surrogates.

    G = max over a < k < e of   [C(a, e) − C(a, k) − C(k, e)] / σ²
    R = log C(0, t) / C_K,      C_K what is left after the best cut, the best cut of a part, …

G is the gain of one change within all rows, their halves and their quarters, each overlapping the
next by half, so that a level that comes back is seen as well; σ² is the variance about one line. R
sees many changes that one does not explain. Surrogates have the memory of what is left about the
line, and no change. Each statistic has a rank among theirs; the share of surrogates whose higher
rank reaches that of the series is p, so that two looks cost no more than alpha.
Intervals that halve: Kovács, Bühlmann, Li & Munk, Seeded binary segmentation, Biometrika 110
(2023).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.models.numerics.changes.costs import Costs, Kind
from stsfm.models.numerics.changes.noise import Noise

CUTS = 6  # of R
LAYERS = 3  # all rows, halves, quarters
BLOCK = 12_000  # numbers that are held at once: they stay in the cache


class Verdict(NamedTuple):
    """p, and the changes that each statistic saw."""

    p: float
    seen: tuple[list[int], list[int]]


def strongest(x: Array, seen: Array, kind: Kind, least: int) -> tuple[list[int], list[int]]:
    """The change that gains most, and the many of R, in series (t, s)."""
    where, costs = splits(len(x), least), _costs(x[None], seen, kind)
    one = [int(where[1][costs.gains(*where)[0].argmax()])]
    return one, sorted({int(row) for row in _cut(costs, least)[1][0]} - {0})


def gate(
    x: Array, seen: Array, noise: Noise, kind: Kind, least: int, count: int, seed: int
) -> float:
    """p of series (t, s)."""
    where = splits(len(x), least)
    every = np.concatenate([x[None], noise.draw(count, len(x), np.random.default_rng(seed))])
    block = max(1, BLOCK // (len(where[0]) * x.shape[1]))
    found = [_statistics(every[k : k + block], seen, kind, least, where)
             for k in range(0, len(every), block)]  # fmt: skip
    ranks = np.concatenate(found).T  # (statistic, series)
    reached = (ranks[:, None] >= ranks[:, :, None]).mean(2).min(0)
    return float((reached <= reached[0]).mean())


def splits(rows: int, least: int) -> tuple[Array, Array, Array]:
    """First row, split and end of every change that is tried."""
    found = []
    for layer in range(LAYERS):
        length = rows / 2**layer
        for k in range(2 ** (layer + 1) - 1):
            first = round(k * length / 2)
            end = min(round(first + length), rows)
            if layer == 0 or end - first >= 4 * least:
                at = np.arange(first + least, end - least + 1)
                found.append((np.full_like(at, first), at, np.full_like(at, end)))
    first, at, end = (np.concatenate(part) for part in zip(*found, strict=True))
    return first, at, end


def _statistics(
    x: Array, seen: Array, kind: Kind, least: int, where: tuple[Array, Array, Array]
) -> Array:
    """G and R of series (batch, t, s): (batch, 2)."""
    costs = _costs(x, seen, kind)
    return np.stack([costs.gains(*where).max(1), _cut(costs, least)[0]], 1)


def _cut(costs: Costs, least: int) -> tuple[Array, Array]:
    """R (batch), and the first rows of the parts about each row (batch, t)."""
    batch, rows = np.arange(len(costs.sums[0])), costs.rows
    at = np.arange(rows)[None]
    start, end = np.zeros((len(batch), rows), int), np.full((len(batch), rows), rows)
    whole = costs(np.array([0]), np.array([rows]))[:, 0]
    left = whole.copy()
    for _ in range(CUTS):
        room = (at - start >= least) & (end - at >= least)
        gains = np.where(room, costs.gains(start, np.broadcast_to(at, start.shape), end), 0)
        cut = gains.argmax(1)
        left -= gains[batch, cut]
        first, last, cut = start[batch, cut, None], end[batch, cut, None], cut[:, None]
        end = np.where((at >= first) & (at < cut), cut, end)
        start = np.where((at >= cut) & (at < last), cut, start)
    return -np.log(left.clip(1e-9 * whole + 1e-300) / np.maximum(whole, 1e-300)), start


def _costs(x: Array, seen: Array, kind: Kind) -> Costs:
    """Of series (batch, t, s), each in units of its variance about a line."""
    rows, ends = np.array([0]), np.array([x.shape[1]])
    scaled = np.empty_like(x)
    for s in range(x.shape[2]):
        own = Costs(x[..., s : s + 1], seen[:, s : s + 1], 0.0, "line")(rows, ends)
        scaled[..., s] = x[..., s] / np.sqrt(np.maximum(own / seen[:, s].sum(), 1e-300))
    return Costs(scaled, seen, np.log(x.shape[1]), kind)
