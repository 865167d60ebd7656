"""Which season a series has where nobody said: the shortest cycle of the clock that it repeats.

    d = x − (moving average of x over one season),   r_k the autocorrelations of d
    a season of m steps:   r_m > 1.645 √((1 + 2 Σ_{k<m} r_k²) / n)   and   r_m > 0.1

The moving average spans one season, so two values of d a season apart share no step of a random
walk: without a season r_m is 0 but for chance. The bound is Bartlett's for a memory shorter than
m (one-sided, 5 %); the floor asks for a tenth of the variance about the trend. A smooth season
shows after about five of its turns, a jagged one after four.

Of a day and a week, or a week and a year, the shorter wins where both repeat: it is the one that
models with a season can hold, and the usual one in comparisons.
Bartlett, JRSS Suppl. 8 (1946). The M4 competition tests for a season by the same bound, without
taking a trend off: Makridakis, Spiliotis & Assimakopoulos, Int. J. Forecasting 36 (2020).
"""

from __future__ import annotations

import numpy as np

from stsfm.datasets.about import DAY
from stsfm.datasets.acf import acf
from stsfm.datasets.panel import Array, Panel

BOUND = 1.645  # one-sided, 5 %
FLOOR = 0.1  # share of the variance about the trend
SERIES = 100  # looked at, evenly spaced over the nodes


def infer_season(train: Panel) -> int:
    """The season of the targets in steps, 1 where none shows; `train` must end at the border.

    r and its bound are averaged over series. These are no independent draws, so that the bound
    stays that of one.
    """
    observed = train.only_targets()
    many = observed.nodes * observed.channels
    some = np.linspace(0, many - 1, min(many, SERIES)).round().astype(int)
    values, mask = (a.reshape(len(train), many)[:, some] for a in (observed.values, observed.mask))
    x = np.where(mask, values, np.nan)
    return next((m for m in cycles(train.time) if _repeats(x, m)), 1)


def cycles(time: Array) -> list[int]:
    """How many steps a cycle of the clock has, the shortest first; [] where none fits.

    Quarters, months and weeks have a year; days a week and a year; shorter steps a day and a week.
    """
    if len(time) < 2:
        return []
    step = float(np.median(np.diff(time))) / DAY
    for shortest, longest, found in (90, 92, [4]), (28, 31, [12]), (7, 7, [52]), (1, 1, [7, 365]):
        if shortest <= step <= longest:
            return found
    a_day = round(1 / step)
    return [a_day, 7 * a_day] if a_day > 1 and abs(a_day * step - 1) < 1e-6 else []


def _repeats(x: Array, season: int) -> bool:
    """Do series (time, series), NaN where missing, resemble themselves a season later?"""
    if len(x) < 3 * season:  # one season goes into the average, two are compared
        return False
    excess = []
    for column in x.T:
        d = _detrended(column, season)
        count = np.isfinite(d).sum()
        if count and np.nanstd(d) > 1e-9 * np.nanmax(np.abs(column)):  # else it is constant
            r = acf(d, season)
            bound = BOUND * np.sqrt((1 + 2 * np.nansum(r[:-1] ** 2)) / count)
            excess.append(r[-1] - max(bound, FLOOR))
    return bool(np.nansum(excess) > 0)


def _detrended(x: Array, season: int) -> Array:
    """x less its centred moving average over the observed cells of a season; the ends are lost.

    Of an even season the two rows at its ends count half, so that the average has a centre row.
    """
    seen = np.isfinite(x)
    total, count = (_centred(part.astype(float), season) for part in (np.where(seen, x, 0), seen))
    rows = slice(season // 2, season // 2 + len(total))
    return x[rows] - total / np.where(count > 0, count, np.nan)


def _centred(x: Array, season: int) -> Array:
    """Sums over one season about each row that has a whole one."""
    until = np.concatenate([[0], x.cumsum()])
    whole = until[season:] - until[:-season]
    return whole if season % 2 else (whole[1:] + whole[:-1]) / 2
