"""What it costs to say one thing of rows a … e − 1: a level, or a line where that pays.

    C(a, e) = Σ_s w_s min( Σ_t (x_ts − x̄_s)²,  Σ_t (x_ts − α_s − β_s t)² + slope )

over the rows that were seen: a missing cell costs nothing. A slope has a price of its own, so that
a trend is not a change, and a level is not called a trend for a little noise. Cumulative sums make
any segment a matter of a few subtractions; a batch of series is priced at once.
"""

from __future__ import annotations

from copy import copy
from itertools import pairwise
from typing import Literal

import numpy as np

from stsfm.datasets.panel import Array

Kind = Literal["auto", "mean", "line"]


class Costs:
    """Of any segments of series x (batch, t, s), seen (t, s), where a slope costs `slope`."""

    def __init__(self, x: Array, seen: Array, slope: float | Array, kind: Kind) -> None:
        self.rows, self.series = x.shape[1:]
        self.kind = kind
        self.slope = np.broadcast_to(slope, x.shape[:1])[:, None, None]  # (batch, 1, 1)
        t = np.linspace(-1, 1, self.rows)[:, None]
        w = seen.astype(float)
        x = np.where(seen, x, 0)
        x = x - x.sum(1, keepdims=True) / np.maximum(w.sum(0), 1) * w
        self.sums = tuple(_running(part) for part in (x * x, x, t * x))  # (batch, t + 1, s)
        self.seen = tuple(_running(part[None]) for part in (w, w * t, w * t * t))  # (1, t + 1, s)

    def part(self, some: Array) -> Costs:
        """Those of some series of the batch."""
        new = copy(self)
        new.sums, new.slope = tuple(x[some] for x in self.sums), self.slope[some]
        return new

    def __call__(self, start: Array, end: Array) -> Array:
        """(batch, segment) of rows start … end − 1, each (segment) or (batch, segment)."""
        xx, x, tx = (_at(part, end) - _at(part, start) for part in self.sums)
        n, t, tt = (_at(part, end) - _at(part, start) for part in self.seen)
        count = np.maximum(n, 1)
        mean = xx - x * x / count
        if self.kind == "mean":
            return mean.clip(0).sum(-1)
        spread, along = tt - t * t / count, tx - t * x / count
        line = mean - np.where(spread > 1e-12, along**2 / np.maximum(spread, 1e-12), 0)
        if self.kind == "auto":
            line = np.minimum(mean, line + self.slope)
        return line.clip(0).sum(-1)

    def gains(self, start: Array, split: Array, end: Array) -> Array:
        """What a change at `split` saves within rows start … end − 1: (batch, split)."""
        return self(start, end) - self(start, split) - self(split, end)

    def fitted(self, x: Array, seen: Array, rows: list[int]) -> Array:
        """What is said of the segments that begin at 0 and `rows`, of one series set (t, s)."""
        out = np.zeros(x.shape)
        for start, end in pairwise([0, *rows, len(x)]):
            for s in range(x.shape[1]):
                w, y = seen[start:end, s], x[start:end, s]
                out[start:end, s] = _said(y, w, float(self.slope[0, 0, 0]), self.kind)
        return out


def _at(sums: Array, rows: Array) -> Array:
    """(batch, segment, s) of sums (batch or 1, t + 1, s) at rows (segment) or (batch, segment)."""
    if rows.ndim == 1:
        return sums[:, rows]
    return sums[np.arange(len(sums))[:, None], rows] if len(sums) > 1 else sums[0][rows]


def _said(y: Array, seen: Array, slope: float, kind: Kind) -> Array:
    """The level of a segment, or its line."""
    if not seen.any():
        return np.zeros(len(y))
    level, t = y[seen].mean(), np.arange(len(y)) - np.flatnonzero(seen).mean()
    if kind == "mean" or seen.sum() < 3:
        return np.full(len(y), level)
    rate = (t[seen] @ (y[seen] - level)) / (t[seen] @ t[seen])
    saved = rate**2 * (t[seen] @ t[seen])
    return level + t * rate * (kind == "line" or saved > slope)


def _running(x: Array) -> Array:
    """(b, t, s) → (b, t + 1, s), sums of the rows before."""
    return np.concatenate([np.zeros_like(x[:, :1]), x.cumsum(1)], 1)
