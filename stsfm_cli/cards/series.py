"""What one series is like: trend, season, stationarity, outliers.

    trend    1 − Var R / Var (T + R),   season  1 − Var R / Var (S + R),   both no less than 0

of the parts T + S + R of STL (Wang, Smith & Hyndman 2006); of a series without a season, the trend
is the share of its variance that a straight line explains. A unit root is tested by ADF, a level
that stays by KPSS: where both agree the answer is plain. An outlier is a row whose remainder lies
more than five robust deviations off.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

FEWEST = 25  # rows, of fewer of which no test says anything
FAR = 5.0  # robust deviations of an outlier
ROBUST = 1.4826  # times the median deviation = the standard deviation of a normal law
WINDOW = 7  # rows of the running median that takes the place of STL


def features(x: np.ndarray, season: int) -> dict[str, Any]:
    """Of a series (t,) without gaps that does change."""
    found: dict[str, Any] = {"season": None}
    if season > 1 and len(x) >= 2 * season + 1:
        from statsmodels.tsa.seasonal import STL

        parts = STL(x, period=season).fit()
        rest = parts.resid
        found["trend"] = _share(rest, parts.trend)
        found["season"] = _share(rest, parts.seasonal)
    else:
        found["trend"] = _line(x)
        rest = x - _running_median(x)
    return found | _roots(x) | {"outliers": _outliers(rest)}


def _share(rest: np.ndarray, part: np.ndarray) -> float:
    whole = float(np.var(part + rest))
    return max(0.0, 1 - float(np.var(rest)) / whole) if whole > 0 else 0.0


def _line(x: np.ndarray) -> float:
    r = np.corrcoef(np.arange(len(x)), x)[0, 1]
    return float(r**2)


def _running_median(x: np.ndarray) -> np.ndarray:
    half = WINDOW // 2
    padded = np.pad(x, half, mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, WINDOW), axis=1)


def _outliers(rest: np.ndarray) -> int | None:
    """None where most of the remainder is one value: then nothing says what is far."""
    off = abs(rest - np.median(rest))
    spread = ROBUST * float(np.median(off))
    return int((off > FAR * spread).sum()) if spread > 1e-12 * (abs(rest).max() or 1) else None


def _roots(x: np.ndarray) -> dict[str, float | None]:
    """p-values of a unit root (ADF, AIC's lags, with a constant) and of a level that stays (KPSS).

    None where a test refuses. Those of KPSS are cut to [0.01, 0.1], the ends of its table.
    """
    from statsmodels.tsa.stattools import adfuller, kpss

    if len(x) < FEWEST:
        return {"adf": None, "kpss": None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # InterpolationWarning: the table ends
        try:
            return {"adf": float(adfuller(x)[1]), "kpss": float(kpss(x, nlags="auto")[1])}
        except (ValueError, np.linalg.LinAlgError):
            return {"adf": None, "kpss": None}
