"""How well the place of a change is known, and whether chance would make one as strong.

The segments on both sides of a change are drawn anew, what was fitted plus surrogates of the
noise, and the change is looked for again between its neighbours: the interval holds a share
`level` of the places where it is found. p is the share of series without change, as long as this
one, whose best change gains as much.
"""

from __future__ import annotations

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.models.numerics.chance import p_value
from stsfm.models.numerics.changes.costs import Costs, Kind
from stsfm.models.numerics.changes.noise import Noise
from stsfm.models.segmenter import Change


def judged(
    x: Array, seen: Array, rows: list[int], slope: float, noise: Noise, *, kind: Kind,
    least: int, draws: int, level: float, seed: int,
) -> tuple[Change, ...]:  # fmt: skip
    """Each of the changes at `rows` of series (t, s), with its interval and its p."""
    own = Costs(x[None], seen, slope, kind)
    twins = noise.draw(draws, len(x), np.random.default_rng(seed))  # (draw, t, s)
    again = Costs(own.fitted(x, seen, rows) + twins, seen, slope, kind)
    split = np.arange(least, len(x) - least + 1)
    chance = _between(Costs(twins, seen, slope, kind), 0, split, len(x)).max(1)
    edges, found = [0, *rows, len(x)], []
    for start, row, end in zip(edges, rows, edges[2:], strict=False):
        near = np.arange(start + min(least, row - start), end - min(least, end - row) + 1)
        places = near[_between(again, start, near, end).argmax(1)]
        low, high = np.quantile(places, [(1 - level) / 2, (1 + level) / 2]).round().astype(int)
        gain = float(_between(own, start, np.array([row]), end)[0, 0])
        found.append(Change(row, min(int(low), row), max(int(high), row), p_value(gain, chance)))
    return tuple(found)


def _between(costs: Costs, start: int, split: Array, end: int) -> Array:
    """(batch, split): what a change at each split saves within rows start … end − 1."""
    return costs.gains(np.full_like(split, start), split, np.full_like(split, end))
