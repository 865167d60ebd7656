"""A series continues itself: each value is a constant plus a weighted sum of the last p.

    y[t] = c + φ₁ y[t−1] + … + φ_p y[t−p] + e[t],   e ~ N(0, σ²)        per node and channel
    V y[t+h | t] = σ² Σ_{j<h} ψ_j²,   ψ_0 = 1,  ψ_j = Σ_i φ_i ψ_{j−i}

Least squares over the rows whose lags were all observed. order = auto is the least AICc on train
up to max(10 log₁₀ n, season + 1) lags, of each series: it must reach over the season, as lags
s and s + 1 are what a seasonal difference is made of. Gaps are filtered, never filled: the state
is the last p values, known exactly or (after a gap) up to a covariance.
Box & Jenkins, Time Series Analysis: Forecasting and Control (1970); Hurvich & Tsai, Regression
and time series model selection in small samples, Biometrika 76 (1989).
"""

from __future__ import annotations

from typing import Literal, Self, final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster
from stsfm.models.numerics.statespace import System, ahead, filtered


@final
class AR(Forecaster):
    """Autoregression by least squares."""

    cite = "box1970"
    classes = frozenset({"state-space"})
    tags = frozenset({"missing", "intervals"})

    def __init__(self, *, order: int | Literal["auto"]) -> None:
        if order != "auto" and order < 0:
            raise ValueError(f"order must be at least 0 or auto, got {order}")
        self.order = order

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        series = train.panel.only_targets()
        self.order_ = np.zeros(series.values.shape[1:], int)
        for n, c in np.ndindex(*self.order_.shape):
            y, seen = series.values[:, n, c], series.mask[:, n, c]
            season = series.about.season
            self.order_[n, c] = _choose(y, seen, season) if self.order == "auto" else self.order
        return self.refit(train)

    def refit(self, development: RollingWindows) -> Self:
        series = development.panel.only_targets()
        shape = self.order_.shape
        self.lags_ = np.zeros((*shape, max(1, int(self.order_.max()))))  # φ, 0 beyond the order
        self.constant_, self.variance_ = np.zeros(shape), np.ones(shape)  # of a series never seen
        for n, c in np.ndindex(*shape):
            order = int(self.order_[n, c])
            design, target = _design(series.values[:, n, c], series.mask[:, n, c], order)
            if len(target) <= order + 1:
                if not order or not series.mask[:, n, c].any():
                    self.constant_[n, c] = target.mean() if len(target) else 0.0
                    continue
                raise ValueError(
                    f"order {order} needs more than {order + 1} rows with all their lags observed, "
                    f"and {series.about.nodes[n]} has {len(target)}; lower model.order"
                )
            weight = np.linalg.lstsq(design, target, rcond=None)[0]
            self.constant_[n, c], self.lags_[n, c, : len(weight) - 1] = weight[0], weight[1:]
            free = len(target) - len(weight)
            self.variance_[n, c] = ((target - design @ weight) ** 2).sum() / free
        seen = np.ma.masked_array(series.values, ~series.mask)
        self.start_ = np.stack([seen.mean(0).filled(0.0), seen.var(0).filled(1.0)])
        return self

    def predict(self, past: Panel, future: Panel) -> Forecast:
        forecast = self._continue(past.only_targets(), np.array([len(past)]), len(future))
        return forecast.map(lambda x: x[..., 0, :, :, :])

    def backtest(self, windows: RollingWindows) -> Forecast:
        return self._continue(windows.panel.only_targets(), windows.origins, windows.horizon)

    def _continue(self, series: Panel, origins: Array, horizon: int) -> Forecast:
        """Series (*batch, time, n, c), origins (window,) → (*batch, window, horizon, n, c)."""
        system, size = self._system, self.lags_.shape[-1]
        rows = origins[:, None] - 1 - np.arange(size)  # (window, lag)
        known = series.mask[..., rows.clip(0), :, :] & (rows >= 0)[..., None, None]
        spare = np.arange(size)[:, None, None] >= self.order_  # (lag, n, c)
        if (known | spare).all():
            last = np.moveaxis(series.values[..., rows.clip(0), :, :], -3, -1)  # (*b, w, n, c, lag)
            state = (system.transition @ last[..., None])[..., 0] + system.intercept
            mean, scale = ahead(system, state, system.noise, horizon)
            scale = np.broadcast_to(scale, mean.shape)
        else:
            mean, scale = self._filter(series, origins, horizon)
        return Forecast(point=np.moveaxis(mean, -1, -3), scale=np.moveaxis(scale, -1, -3))

    def _filter(self, series: Panel, origins: Array, horizon: int) -> tuple[Array, Array]:
        """Where gaps leave the state uncertain: one pass of the filter, from the train moments."""
        series = series[slice(0, int(origins.max()))]
        system = self._system
        mean = np.broadcast_to(self.start_[0][..., None], self.lags_.shape)
        covariance = self.start_[1][..., None, None] * np.eye(self.lags_.shape[-1])
        states = filtered(system, mean, covariance, series.values, series.mask, origins.tolist())
        found = {t: ahead(system, *state, horizon) for t, state in states.items()}
        means, scales = zip(*(found[t] for t in origins.tolist()), strict=True)
        return np.stack(means, -4), np.stack(scales, -4)

    @property
    def _system(self) -> System:
        """The state is (y[t], y[t−1], …, y[t−p+1]), and the transition the companion matrix."""
        size = self.lags_.shape[-1]
        first = np.eye(size)[0]
        transition = np.broadcast_to(np.eye(size, k=-1), (*self.order_.shape, size, size)).copy()
        transition[..., 0, :] = self.lags_
        return System(
            design=np.broadcast_to(first, self.lags_.shape),
            transition=transition,
            intercept=self.constant_[..., None] * first,
            noise=self.variance_[..., None, None] * np.outer(first, first),
        )


def _design(y: Array, seen: Array, order: int) -> tuple[Array, Array]:
    """Rows [1, y[t−1], …, y[t−order]] → y[t], where all of them were observed."""
    lagged = sliding_window_view(y, order + 1)[:, ::-1]  # (row, 1 + order), y[t] first
    lagged = lagged[sliding_window_view(seen, order + 1).all(-1)]
    return np.column_stack([np.ones(len(lagged)), lagged[:, 1:]]), lagged[:, 0]


def _choose(y: Array, seen: Array, season: int) -> int:
    """The order of least AICc, all compared on the same rows by one QR factorisation."""
    most = max(int(10 * np.log10(seen.sum().clip(1))), season + 1)
    most = max(0, min(most, int(seen.sum()) // 4))
    design, target = _design(y, seen, most)
    while most and len(target) < 2 * most + 4:  # gaps leave few complete rows
        most //= 2
        design, target = _design(y, seen, most)
    rows = len(target)
    if rows < most + 4 or not np.ptp(target):
        return 0
    explained = (np.linalg.qr(design)[0].T @ target) ** 2
    total = (target**2).sum()
    left = (total - explained.cumsum()).clip(1e-12 * total)  # with 0 … most lags
    free = np.arange(most + 1) + 2  # the lags, the constant and the variance
    return int(np.argmin(rows * np.log(left / rows) + 2 * free * rows / (rows - free - 1)))
