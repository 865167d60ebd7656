"""The best segments under a price for each change, exactly, and the price above which none is left.

    F(e) = min over a of   F(a) + C(a, e) + β,      F(0) = −β

A beginning a that is dearer than F(e) can begin no segment that ends `least` rows after e or later:
it is pruned. The prices of many series are found at once, each by Dinkelbach's steps:

    β* = max over K of (C_0 − C_K) / K

is the least price at which a series has no change; at β the best K gives a higher one, or β is it.
Killick, Fearnhead & Eckley, JASA 107 (2012); Dinkelbach, On nonlinear fractional programming,
Management Science 13 (1967).
"""

from __future__ import annotations

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.models.numerics.changes.costs import Costs, Kind

BLOCK = 400_000  # numbers that are held at once
MOST = 200  # places of a change that a surrogate is searched at, evenly spaced
STEPS = 4  # of Dinkelbach's, more than any series was seen to need by much


def best(costs: Costs, price: Array, least: int, jump: int = 1) -> Array:
    """Where the last segment of rows 0 … e − 1 begins: (batch, t + 1); a change costs price
    (batch). Segments have `least` rows or more, and begin at multiples of `jump`."""
    batch, rows = np.arange(len(price)), costs.rows
    total = np.full((len(price), rows + 1), np.inf)
    total[:, 0] = -price
    last = np.zeros((len(price), rows + 1), int)
    spare = costs.slope.max() * costs.series  # two lines may cost a slope more than one
    alive = np.arange(1)
    late: dict[int, list[int]] = {}
    for end in range(least, rows + 1):
        begin = end - least
        if begin >= least and begin % jump == 0:
            alive = np.append(alive, begin)
        if dead := late.pop(end, None):
            alive = alive[~np.isin(alive, dead)]
        if end < rows and (end > rows - least or end % jump):
            continue
        value = total[:, alive] + costs(alive, np.full(len(alive), end))
        pick = value.argmin(1)
        total[:, end] = value[batch, pick] + price
        last[:, end] = alive[pick]
        late[end + least] = alive[(value - spare > total[:, end, None]).all(0)].tolist()
    return last


def changes(last: Array) -> list[int]:
    """The rows at which segments begin, after the first; of one series (t + 1)."""
    rows, end = [], int(last[-1])
    while end > 0:
        rows.append(end)
        end = int(last[end])
    return rows[::-1]


def calibrated(twins: Array, seen: Array, kind: Kind, least: int, alpha: float) -> float:
    """The price that a share `alpha` of series without change (batch, t, s) would pay for one.

    A slope costs half as much: a change has a place and a level, a slope is one number.
    """
    jump = -(-len(seen) // MOST)
    ends = np.arange(least, len(seen) - least + 1)
    where = (np.zeros_like(ends), ends, np.full_like(ends, len(seen)))
    slope = sharpest(twins, seen, kind, where, alpha) / 2
    block = max(1, BLOCK // (len(seen) * seen.shape[1]))
    paid = [dearest(Costs(twins[k : k + block], seen, slope, kind), least, jump)
            for k in range(0, len(twins), block)]  # fmt: skip
    return float(np.quantile(np.concatenate(paid), 1 - alpha))


def sharpest(
    twins: Array, seen: Array, kind: Kind, where: tuple[Array, Array, Array], alpha: float
) -> float:
    """The gain that one change reaches anywhere in a share `alpha` of series without any.

    where  first row, split and end of every change that is tried
    """
    price = 0.0
    block = max(1, BLOCK * 4 // (len(where[0]) * seen.shape[1]))
    for _ in range(2):
        gains = [Costs(twins[k : k + block], seen, price / 2, kind).gains(*where).max(1)
                 for k in range(0, len(twins), block)]  # fmt: skip
        price = float(np.quantile(np.concatenate(gains), 1 - alpha))
    return price


def of_size(costs: Costs, count: int, least: int) -> list[list[int]]:
    """The best changes of one series, for each number of them up to `count` that there is room for.

    D_K(e) = min over a of D_{K−1}(a) + C(a, e): all segmentations are looked at.
    """
    rows = costs.rows
    ends = np.arange(least, rows + 1)
    total = np.full((count + 1, rows + 1), np.inf)
    total[0, least:] = costs(np.zeros_like(ends), ends)[0]
    begin = np.zeros((count + 1, rows + 1), int)
    for end in range(2 * least, rows + 1):
        at = np.arange(least, end - least + 1)
        value = total[:-1, at] + costs(at, np.full_like(at, end))[0]  # (size, at)
        begin[1:, end], total[1:, end] = at[value.argmin(1)], value.min(1)
    found = []
    for size in np.flatnonzero(np.isfinite(total[:, rows])):
        own, end = [], rows
        for row in reversed(begin[1 : size + 1]):
            end = int(row[end])
            own.append(end)
        found.append(own[::-1])
    return found


def dearest(costs: Costs, least: int, jump: int = 1) -> Array:
    """The least price at which a series has no change: (batch)."""
    rows = costs.rows
    split = np.arange(-(-least // jump) * jump, rows - least + 1, jump)
    whole, ends = np.zeros_like(split), np.full_like(split, rows)
    price = costs.gains(whole, split, ends).max(1).clip(1e-12)
    left = np.arange(len(price))
    for _ in range(STEPS):
        asked = price[left] * (1 + 1e-9)
        part = costs.part(left)
        found = [changes(last) for last in best(part, asked, least, jump)]
        saved = np.array([_saved(part, k, rows) for k, rows in enumerate(found)])
        price[left] = np.maximum(price[left], saved)
        left = left[saved > asked]
        if not len(left):
            break
    return price


def _saved(costs: Costs, row: int, rows: list[int]) -> float:
    """By each change on average."""
    if not rows:
        return 0.0
    own, edges = costs.part(np.array([row])), np.array([0, *rows, costs.rows])
    alone = own(edges[:1], edges[-1:]).sum()
    return float((alone - own(edges[:-1], edges[1:]).sum()) / len(rows))
