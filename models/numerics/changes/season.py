"""What repeats every season is no change: it is taken off where it is strong.

    x = trend + season + rest,      strength = max(0, 1 − Var(rest) / Var(season + rest)) > 0.64

by robust LOESS, in which a season may drift, and single odd rows count little. Below that strength
the season is left: taking off what is hardly there adds more noise than it removes.
Cleveland et al., STL, Journal of Official Statistics 6 (1990). The strength and its bound: Wang,
Smith & Hyndman (2006); Hyndman & Athanasopoulos, Forecasting, 3rd ed. (2021), §9.9.
"""

from __future__ import annotations

import numpy as np
from statsmodels.tsa.seasonal import STL

from stsfm.datasets.panel import Array

STRONG = 0.64
TURNS = 3  # seasons that a series has at least


def adjusted(x: Array, seen: Array, season: int) -> tuple[Array, float]:
    """A series (t) without its season, and how strong that was; as it was where it is weak."""
    if season < 2 or seen.sum() < TURNS * season:
        return x, 0.0
    at = np.flatnonzero(seen)
    parts = STL(np.interp(np.arange(len(x)), at, x[at]), period=season, robust=True).fit()
    both = np.var(parts.resid + parts.seasonal)
    strength = max(0.0, 1 - np.var(parts.resid) / both) if both else 0.0
    return (np.where(seen, x - parts.seasonal, 0), strength) if strength > STRONG else (x, strength)
