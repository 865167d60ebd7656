"""Is there any change at all? The greatest gain of one change, against autoregressive surrogates.

    G = max over a < k < e of   [C(a, e) − C(a, k) − C(k, e)] / σ²

over all rows, their halves and their quarters, each overlapping the next by half, so that a level
that comes back is seen as well; σ² is the variance about one line. Surrogates have the memory of
what is left about that line, and no change. p = (1 + surrogates that reach G) / (1 + surrogates).
Intervals that halve: Kovács, Bühlmann, Li & Munk, Seeded binary segmentation, Biometrika 110 (2023).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.models.numerics.chance import p_value
from stsfm.models.numerics.changes.costs import Costs, Kind
from stsfm.models.numerics.changes.noise import Noise

LAYERS = 3  # all rows, halves, quarters
BLOCK = 4_000_000  # numbers that are held at once


class Verdict(NamedTuple):
    """p, and the row at which one change gains the most."""

    p: float
    row: int


def gate(
    x: Array, seen: Array, noise: Noise, kind: Kind, least: int, count: int, seed: int
) -> Verdict:
    """Of series (t, s)."""
    where = splits(len(x), least)
    own = _gains(x[None], seen, kind, where)[0]
    twins = noise.draw(count, len(x), np.random.default_rng(seed))
    block = max(1, BLOCK // (len(where[0]) * x.shape[1]))
    reached = [_gains(twins[k : k + block], seen, kind, where).max(1)
               for k in range(0, count, block)]  # fmt: skip
    return Verdict(p_value(float(own.max()), np.concatenate(reached)), int(where[1][own.argmax()]))


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


def _gains(x: Array, seen: Array, kind: Kind, where: tuple[Array, Array, Array]) -> Array:
    """(batch, split) of series (batch, t, s), each in units of its variance about a line."""
    rows, ends = np.array([0]), np.array([x.shape[1]])
    scaled = np.empty_like(x)
    for s in range(x.shape[2]):
        own = Costs(x[..., s : s + 1], seen[:, s : s + 1], 0.0, "line")(rows, ends)
        scaled[..., s] = x[..., s] / np.sqrt(np.maximum(own / seen[:, s].sum(), 1e-300))
    return Costs(scaled, seen, np.log(x.shape[1]), kind).gains(*where)
