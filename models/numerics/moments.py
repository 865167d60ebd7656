"""Σ w wᵀ over all runs w of a series that overlap, without writing out any of them.

    G[i, j] = Σ_o z[o + i] z′[o + j],   G[i+1, j+1] = G[i, j] − z[0 + i] z′[j] + z[n + i] z′[n + j]

n windows slide over a stretch of rows: from one lag to the next a product leaves at the front and
one enters at the back. The first row of G costs a pass over the rows for each lag, the others
nothing that grows with them: no window is ever written out, and G is all the memory.
"""

from __future__ import annotations

import numpy as np

from stsfm.datasets.panel import Array, Panel


def of_windows(panel: Panel, starts: Array, length: int, *, centred: bool) -> list[Array]:
    """Σ [1, w]ᵀ [1, w] of each series, over its windows without gaps among those from `starts`.

    w (length · (1 + covariate)) holds the values of a window, less the mean of the series where
    `centred`, and then those of each covariate. Node by node, and of a node channel by channel.
    """
    starts = np.unique(starts)
    gaps = np.cumsum(np.concatenate([0 * panel.mask[:1], ~panel.mask]), 0)  # before each row
    totals = []
    for n, c in np.ndindex(*panel.values.shape[1:]):
        values, seen = panel.values[:, n, c], panel.mask[:, n, c]
        level = values.sum() / max(1, seen.sum()) if centred else 0.0
        signals = np.vstack([values - level, panel.known[:, n % panel.known.shape[1]].T])
        whole = starts[gaps[starts + length, n, c] == gaps[starts, n, c]]
        size = 1 + length * len(signals)
        runs = (signals[:, first : last + length] for first, last in _stretches(whole))
        totals.append(sum((sliding(run, length) for run in runs), start=np.zeros((size, size))))
    return totals


def sliding(signals: Array, length: int) -> Array:
    """Σ [1, w]ᵀ [1, w] over every window w of (signal, row), (1 + signal · length, the same).

    w holds `length` values of the first signal, then of the next.
    """
    many, rows = signals.shape
    count = rows - length + 1
    front, back = signals[:, : length - 1], signals[:, count:]  # what leaves, and what enters
    total = np.empty((many, length, many, length))
    for p, q in np.ndindex(many, many):
        total[p, 0, q] = np.correlate(signals[q], signals[p, :count], "valid")
    total[:, 1:, :, 0] = total[:, 0, :, 1:].transpose(1, 2, 0)
    for i in range(length - 1):
        change = back[:, i, None, None] * back - front[:, i, None, None] * front
        total[:, i + 1, :, 1:] = total[:, i, :, :-1] + change
    sums = np.cumsum(
        np.concatenate([signals[:, :count].sum(-1)[:, None], back - front], -1), -1
    ).reshape(-1)
    size = many * length
    whole = np.empty((1 + size, 1 + size))
    whole[0, 0], whole[0, 1:], whole[1:, 0] = count, sums, sums
    whole[1:, 1:] = total.reshape(size, size)
    return whole


def _stretches(starts: Array) -> list[tuple[int, int]]:
    """First and last of every run of consecutive numbers in `starts`, which rise."""
    if not len(starts):
        return []
    breaks = np.flatnonzero(np.diff(starts) != 1)
    firsts, lasts = np.r_[0, breaks + 1], np.r_[breaks, len(starts) - 1]
    return [(int(starts[a]), int(starts[b])) for a, b in zip(firsts, lasts, strict=True)]
