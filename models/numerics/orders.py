"""The orders of a seasonal ARIMA: what a given one fits, and which fits best.

d by KPSS tests, D by the strength of the season, the rest stepwise by AICc: Hyndman & Khandakar,
J. Stat. Softw. 27 (2008); Hyndman & Athanasopoulos, Forecasting, 3rd ed. (2021), §9.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from statsmodels.tsa.seasonal import STL
from statsmodels.tsa.statespace.sarimax import SARIMAX
from statsmodels.tsa.stattools import kpss

from stsfm.datasets.panel import Array

MOST = (3, 3, 1, 1, 1)  # p, q, P, Q and the constant of a search
STARTS = ((0, 0, 0, 0, 1), (0, 1, 0, 1, 1), (1, 0, 1, 0, 1), (2, 2, 1, 1, 1))
AWAY = np.array([[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [1, 1, 0, 0, 0], [0, 0, 1, 0, 0],
                 [0, 0, 0, 1, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1]])  # fmt: skip
MOVES = np.concatenate([-AWAY, AWAY])


class Order(NamedTuple):
    """(p, d, q) × (P, D, Q), and whether there is a constant."""

    p: int
    d: int
    q: int
    P: int
    D: int
    Q: int
    constant: int


class Fit(NamedTuple):
    """What a likelihood was maximised to."""

    params: Array  # (parameter,), as in statsmodels, σ² last
    converged: bool
    aicc: float


def sarimax(y: Array, order: Order, season: int, **options: bool) -> Any:
    """The model of statsmodels for a series (time,), NaN where missing."""
    seasonal = (order.P, order.D, order.Q)
    return SARIMAX(
        y,
        order=(order.p, order.d, order.q),
        seasonal_order=(*seasonal, season if any(seasonal) else 0),
        trend="c" if order.constant else "n",
        **options,
    )


def estimate(
    y: Array,
    order: Order,
    season: int,
    steps: int,
    *,
    short: bool = False,
    start: Array | None = None,
) -> Fit:
    """Maximum likelihood of a series (time,), NaN where missing; σ² is concentrated out.

    steps  of the optimiser at most, from `start` (parameter,) where one is given
    short  difference even over gaps
    """
    weights = order.p + order.q + order.P + order.Q
    seen, moves = y[np.isfinite(y)], _differenced(y, order.d, order.D, season)
    moves = moves[np.isfinite(moves)]
    if _constant(seen) or (len(moves) and _constant(moves)):  # nothing is left to learn
        constant = [moves.mean() if len(moves) else 0.0] * order.constant
        return Fit(np.array([*constant, *[0.0] * weights, float(not len(seen))]), True, -np.inf)
    short = short or len(seen) == len(y)
    concentrated = weights + order.constant > 0
    model = sarimax(y, order, season, simple_differencing=short, concentrate_scale=concentrated)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = {"disp": 0, "maxiter": steps, "cov_type": "none", "low_memory": True}
        fit = model.fit(None if start is None else start[: len(model.param_names)], **options)
        if not np.isfinite(fit.params).all():  # the start lay on the bound of what is invertible
            fit = model.fit(**options)
    params = np.append(fit.params, fit.scale) if concentrated else fit.params
    if not np.isfinite(params).all():  # too few rows for so many differences: nothing is learned
        return Fit(np.array([0.0] * (len(params) - 1) + [1.0]), False, np.inf)
    return Fit(params, bool(fit.mle_retvals["converged"]), float(fit.aicc))


def search(y: Array, season: int, seasonal: tuple[int, ...] | None, steps: int) -> Order:
    """Hyndman & Khandakar: from the best start to a better neighbour, while there is one.

    A `seasonal` (P, D, Q) that is given stays; a fit takes half of the optimiser's `steps`.
    """
    y = y[-max(150, 8 * season) :]
    d, D = _differences(y, season, seasonal)
    free = (1, 1, *((season > 1 and seasonal is None,) * 2), d + D <= 1)
    known: dict[Order, float] = {}

    def order(x: Array) -> Order:
        p, q, P, Q, constant = (int(k) for k in x * free)
        P, Q = (P, Q) if seasonal is None else (seasonal[0], seasonal[2])
        return Order(p, d, q, P, D, Q, constant)

    def cost(x: Array) -> float:
        if (key := order(x)) not in known:
            try:
                known[key] = estimate(y, key, season, steps // 2, short=True).aicc
            except (ValueError, np.linalg.LinAlgError):  # too few rows for so many lags
                known[key] = np.inf
        return known[key]

    now = min(np.array(STARTS), key=cost)
    while True:
        near = [x for x in now + MOVES if (x >= 0).all() and (x <= MOST).all()]
        better = next((x for x in near if cost(x) < cost(now)), None)
        if better is None:
            return order(now)
        now = better


def _differences(y: Array, season: int, seasonal: tuple[int, ...] | None) -> tuple[int, int]:
    """d by KPSS tests at 5 %, D by the strength of the season (FPP3 §9.1); gaps are bridged."""
    seen = np.isfinite(y)
    if not seen.any():
        return 0, 0
    y = np.interp(np.arange(len(y)), np.flatnonzero(seen), y[seen])
    D = seasonal[1] if seasonal else 0
    if seasonal is None and season > 1 and len(y) > 2 * season and np.ptp(y):
        parts = STL(y, period=season).fit()
        D = int(1 - parts.resid.var() / (parts.resid + parts.seasonal).var() > 0.64)
    y, d = _differenced(y, 0, D, season), 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # p-values outside its table
        while d < 2 and np.ptp(y) and kpss(y, nlags=int(3 * len(y) ** 0.5 / 13))[1] < 0.05:
            y, d = np.diff(y), d + 1
    return d, D


def _constant(x: Array) -> bool:
    return not len(x) or not np.ptp(x)


def _differenced(y: Array, d: int, D: int, season: int) -> Array:
    for _ in range(D):
        y = y[season:] - y[:-season]
    return np.diff(y, d)
