"""A differenced series is a short memory of its values (AR) and of its errors (MA), also by season.

    φ(B) Φ(Bˢ) (1 − B)ᵈ (1 − Bˢ)ᴰ y[t] = c + θ(B) Θ(Bˢ) e[t],   e ~ N(0, σ²)    per node and channel

φ, θ, Φ, Θ are polynomials of degrees p, q, P, Q in the lag B. The constant c is there without
differences only, or where the search keeps it. Estimation: exact likelihood (statsmodels), of the
differenced series where it has no gaps, which halves the state; else of the series with an
approximately diffuse start. order = auto: d by KPSS, D by seasonal strength, the rest stepwise by
AICc on train, with p, q ≤ 3 and P, Q ≤ 1, by half the optimiser's steps on the last
max(150, 8 s) rows, which takes seconds per series. Forecasts filter all the history: a backtest
filters the series once and all origins go ahead together, a batch of pasts goes through one filter,
or where it has no gaps through the affine map that the filter is.
The state grows with s: beyond 24 a season is left out unless `seasonal` names it.
Box & Jenkins, Time Series Analysis: Forecasting and Control (1970); Hyndman & Khandakar, Automatic
time series forecasting: the forecast package for R, J. Stat. Softw. 27 (2008).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal, Self, final

import numpy as np

from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster
from stsfm.models.numerics.affine import through
from stsfm.models.numerics.orders import Order, estimate, sarimax, search
from stsfm.models.numerics.statespace import System, ahead, filtered

LONGEST = 24  # the longest season modelled unasked
CELLS = 100_000  # of the covariances moved at once: what a cache holds


@final
class ARIMA(Forecaster):
    """Seasonal autoregressive integrated moving average."""

    cite = "box1970"
    classes = frozenset({"state-space"})
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
            fits.append(estimate(y, self._order(at), season, self.steps, start=start))
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
            run = partial(_run, system, start, origins, horizon)
            part = (..., slice(n, n + 1), slice(c, c + 1))
            one = through(run, values[part], mask[part], size)
            point[..., n, c], scale[..., n, c] = (x[:, :, 0, 0] for x in one)
        return Forecast(point=point, scale=scale).map(lambda x: x.reshape(*batch, *x.shape[1:]))

    def _order(self, at: tuple[int, ...]) -> Order:
        return Order(*self.order_[at].tolist())

    def _choose(self, y: Array, series: Panel) -> Order:
        season, seasonal = series.about.season, self.seasonal
        short = 1 < season <= LONGEST
        if self.order == "auto":
            fixed = None if seasonal == "auto" else tuple(seasonal)
            return search(y, season if short or fixed else 1, fixed, self.steps)
        if seasonal == "auto":
            seasonal = (0, 1, 1) if short else (0, 0, 0)
        (p, d, q), (P, D, Q) = self.order, seasonal
        return Order(p, d, q, P, D, Q, constant=int(d + D == 0))


def _observed(series: Panel, n: int, c: int) -> Array:
    """One series from its first observed row on: leading gaps would widen the diffuse start."""
    y, seen = series.values[:, n, c], series.mask[:, n, c]
    first = seen.argmax() if seen.any() else len(seen)
    return np.where(seen, y, np.nan)[first:]


def _run(
    system: System, start: tuple[Array, Array], origins: Array, horizon: int,
    values: Array, mask: Array,
) -> tuple[Array, Array]:  # fmt: skip
    """Mean and deviation (batch, window, 1, 1, horizon) from rows (batch, time, 1, 1)."""
    found = filtered(system, *start, values, mask, origins.tolist())
    states = zip(*(found[t] for t in origins.tolist()), strict=True)
    mean, covariance = (np.stack(moments, 1) for moments in states)
    return ahead(system, mean, covariance, horizon)


def _system(order: Order, season: int, params: Array) -> tuple[System, tuple[Array, Array]]:
    """The system of one series, and the moments of its state before anything is observed."""
    model = sarimax(np.array([np.nan]), order, season)
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
