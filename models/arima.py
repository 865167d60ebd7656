"""A differenced series is a short memory of its values (AR) and of its errors (MA), also by season.

    φ(B) Φ(Bˢ) (1 − B)ᵈ (1 − Bˢ)ᴰ y[t] = c + θ(B) Θ(Bˢ) e[t],   e ~ N(0, σ²)    per node and channel

φ, θ, Φ, Θ are polynomials of degrees p, q, P, Q in the lag B. The constant c is there without
differences only, or where the search keeps it. Estimation: exact likelihood (statsmodels), of the
differenced series where it has no gaps, which halves the state; else of the series with an
approximately diffuse start. order = auto: d by KPSS, D by seasonal strength, the rest stepwise by
AICc on train, with p, q ≤ 3 and P, Q ≤ 1, by half the optimiser's steps on the last
max(150, 8 s) rows, which takes seconds per series. Forecasts filter all the history: a backtest
filters the series once and all origins go ahead together, a batch of pasts goes through one filter.
The state grows with s: beyond 24 a season is left out unless `seasonal` names it.
Box & Jenkins, Time Series Analysis: Forecasting and Control (1970); Hyndman & Khandakar, Automatic
time series forecasting: the forecast package for R, J. Stat. Softw. 27 (2008).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, Self, final

import numpy as np
from statsmodels.tsa.seasonal import STL
from statsmodels.tsa.statespace.sarimax import SARIMAX
from statsmodels.tsa.stattools import kpss

from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster
from stsfm.models.layers.statespace import System, ahead, filtered

LONGEST = 24  # the longest season modelled unasked
CELLS = 100_000  # of the covariances moved at once: what a cache holds
MOST = (3, 3, 1, 1, 1)  # p, q, P, Q and the constant of a search
STARTS = ((0, 0, 0, 0, 1), (0, 1, 0, 1, 1), (1, 0, 1, 0, 1), (2, 2, 1, 1, 1))
AWAY = np.array([[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [1, 1, 0, 0, 0], [0, 0, 1, 0, 0],
                 [0, 0, 0, 1, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1]])  # fmt: skip
MOVES = np.concatenate([-AWAY, AWAY])


class Order(NamedTuple):
    p: int
    d: int
    q: int
    P: int
    D: int
    Q: int
    constant: int


@final
class ARIMA(Forecaster):
    """Seasonal autoregressive integrated moving average."""

    cite = "box1970"
    tags = frozenset({"missing", "intervals"})

    def __init__(
        self,
        *,
        order: Sequence[int] | Literal["auto"],
        seasonal: Sequence[int] | Literal["auto"],
        steps: int,
    ) -> None:
        for name, given in (("order", order), ("seasonal", seasonal)):
            if given != "auto" and (len(given) != 3 or min(given) < 0):
                raise ValueError(f"{name} must be auto or three counts [p, d, q], got {given}")
        if steps < 1:
            raise ValueError(f"steps must be at least 1, got {steps}")
        self.order = order
        self.seasonal = seasonal
        self.steps = steps

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        series = train.panel.only_targets()
        shape = series.values.shape[1:]
        chosen = [self._choose(_observed(series, *at), series) for at in np.ndindex(*shape)]
        self.order_ = np.array(chosen).reshape(*shape, -1)  # (node, channel, field of Order)
        return self.refit(train)

    def refit(self, development: RollingWindows) -> Self:
        return self._learn(development, None)

    def update(self, windows: RollingWindows) -> Self:
        """Maximum likelihood again, the optimiser starting from what it found before."""
        return self._learn(windows, self.params_)

    def _learn(self, windows: RollingWindows, before: Array | None) -> Self:
        series = windows.panel.only_targets()
        shape, season = self.order_.shape[:2], series.about.season
        fits = []
        for at in np.ndindex(*shape):
            start = None if before is None else before[at][np.isfinite(before[at])]
            y = _observed(series, *at)
            fits.append(_estimate(y, self._order(at), season, self.steps, start=start))
        longest = max(len(fit.params) for fit in fits)
        params = np.full((len(fits), longest), np.nan)
        for row, fit in zip(params, fits, strict=True):
            row[: len(fit.params)] = fit.params
        self.params_ = params.reshape(*shape, -1)  # as in statsmodels, σ² last; NaN where none
        self.converged_ = np.reshape([fit.converged for fit in fits], shape)
        return self

    def predict(self, past: Panel, future: Panel) -> Forecast:
        past, end = past.only_targets(), np.array([len(past)])
        forecast = self._continue(past, end, len(future))
        return forecast.map(lambda x: x[..., 0, :, :, :])

    def backtest(self, windows: RollingWindows) -> Forecast:
        return self._continue(windows.panel.only_targets(), windows.origins, windows.horizon)

    @property
    def parameters(self) -> int:
        return int(np.isfinite(self.params_).sum())

    def _continue(self, series: Panel, origins: Array, horizon: int) -> Forecast:
        """Series (*batch, time, n, c), origins (window,) → (*batch, window, horizon, n, c)."""
        *batch, _, nodes, channels = series.values.shape
        values, mask = (x.reshape(-1, *x.shape[-3:]) for x in (series.values, series.mask))
        shape = (len(values), len(origins), horizon, nodes, channels)
        point, scale = np.empty(shape), np.empty(shape)
        for n, c in np.ndindex(nodes, channels):
            params = self.params_[n, c][np.isfinite(self.params_[n, c])]
            system, start = _system(self._order((n, c)), series.about.season, params)
            size = max(1, CELLS // system.noise.size)
            for i in range(0, len(values), size):
                part = slice(i, i + size), slice(None), slice(n, n + 1), slice(c, c + 1)
                found = filtered(system, *start, values[part], mask[part], origins.tolist())
                states = zip(*(found[t] for t in origins.tolist()), strict=True)
                mean, covariance = (np.stack(moments, 1) for moments in states)
                one = ahead(system, mean, covariance, horizon)  # (batch, window, 1, 1, horizon)
                point[i : i + size, ..., n, c], scale[i : i + size, ..., n, c] = (
                    x[:, :, 0, 0] for x in one
                )
        return Forecast(point=point, scale=scale).map(lambda x: x.reshape(*batch, *x.shape[1:]))

    def _order(self, at: tuple[int, ...]) -> Order:
        return Order(*self.order_[at].tolist())

    def _choose(self, y: Array, series: Panel) -> Order:
        season, seasonal = series.about.season, self.seasonal
        short = 1 < season <= LONGEST
        if self.order == "auto":
            fixed = None if seasonal == "auto" else tuple(seasonal)
            return _search(y, season if short or fixed else 1, fixed, self.steps)
        if seasonal == "auto":
            seasonal = (0, 1, 1) if short else (0, 0, 0)
        (p, d, q), (P, D, Q) = self.order, seasonal
        return Order(p, d, q, P, D, Q, constant=int(d + D == 0))


class _Fit(NamedTuple):
    params: Array
    converged: bool
    aicc: float


def _observed(series: Panel, n: int, c: int) -> Array:
    """One series from its first observed row on: leading gaps would widen the diffuse start."""
    y, seen = series.values[:, n, c], series.mask[:, n, c]
    first = seen.argmax() if seen.any() else len(seen)
    return np.where(seen, y, np.nan)[first:]


def _sarimax(y: Array, order: Order, season: int, **options: bool) -> Any:
    seasonal = (order.P, order.D, order.Q)
    return SARIMAX(
        y,
        order=(order.p, order.d, order.q),
        seasonal_order=(*seasonal, season if any(seasonal) else 0),
        trend="c" if order.constant else "n",
        **options,
    )


def _estimate(
    y: Array,
    order: Order,
    season: int,
    steps: int,
    *,
    short: bool = False,
    start: Array | None = None,
) -> _Fit:
    """Maximum likelihood, σ² concentrated out; `short`: difference even over gaps."""
    weights = order.p + order.q + order.P + order.Q
    seen, moves = y[np.isfinite(y)], _differenced(y, order.d, order.D, season)
    moves = moves[np.isfinite(moves)]
    if _constant(seen) or (len(moves) and _constant(moves)):  # nothing is left to learn
        constant = [moves.mean() if len(moves) else 0.0] * order.constant
        return _Fit(np.array([*constant, *[0.0] * weights, float(not len(seen))]), True, -np.inf)
    short = short or len(seen) == len(y)
    concentrated = weights + order.constant > 0
    model = _sarimax(y, order, season, simple_differencing=short, concentrate_scale=concentrated)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = {"disp": 0, "maxiter": steps, "cov_type": "none", "low_memory": True}
        fit = model.fit(None if start is None else start[: len(model.param_names)], **options)
        if not np.isfinite(fit.params).all():  # the start lay on the bound of what is invertible
            fit = model.fit(**options)
    params = np.append(fit.params, fit.scale) if concentrated else fit.params
    return _Fit(params, bool(fit.mle_retvals["converged"]), float(fit.aicc))


def _system(order: Order, season: int, params: Array) -> tuple[System, tuple[Array, Array]]:
    """The system of one series, and the moments of its state before anything is observed."""
    model = _sarimax(np.array([np.nan]), order, season)
    model.update(params)
    space, found = model.ssm, model.ssm.filter()
    select = space["selection"]
    system = System(
        design=space["design"][0][None, None],  # two axes of series
        transition=space["transition"][None, None],
        intercept=space["state_intercept"].reshape(space.k_states, -1)[None, None, :, 0],
        noise=(select @ space["state_cov"] @ select.T)[None, None],
    )
    mean, covariance = found.predicted_state[:, 0], found.predicted_state_cov[..., 0]
    return system, (mean[None, None], covariance[None, None])


def _search(y: Array, season: int, seasonal: tuple[int, ...] | None, steps: int) -> Order:
    """Hyndman & Khandakar: from the best start to a better neighbour, while there is one."""
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
                known[key] = _estimate(y, key, season, steps // 2, short=True).aicc
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
