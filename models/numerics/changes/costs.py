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
        return self._between(self._until(start), self._until(end))

    def gains(self, start: Array, split: Array, end: Array) -> Array:
        """What a change at `split` saves within rows start … end − 1: (batch, split)."""
        a, k, e = self._until(start), self._until(split), self._until(end)
        return self._between(a, e) - self._between(a, k) - self._between(k, e)

    def _until(self, rows: Array) -> list[Array]:
        """The sums of the rows before."""
        return [_at(part, rows) for part in (*self.sums, *self.seen)]

    def _between(self, start: list[Array], end: list[Array]) -> Array:
        """What a segment costs, by the sums before it and up to its end."""
        xx, x, tx, n, t, tt = (b - a for a, b in zip(start, end, strict=True))
        count = np.maximum(n, 1)
        mean = xx - x * x / count
        if self.kind == "mean":
            return mean.clip(0).sum(-1)
        spread, along = tt - t * t / count, tx - t * x / count
        line = mean - np.where(spread > 1e-12, along**2 / np.maximum(spread, 1e-12), 0)
        if self.kind == "auto":
            line = np.minimum(mean, line + self.slope)
        return line.clip(0).sum(-1)

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
        return sums.take(rows, axis=1)
    batch, length, series = sums.shape
    return sums.reshape(-1, series).take(rows + length * np.arange(batch)[:, None], axis=0)


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
