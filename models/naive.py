"""The baselines that every table carries: they learn nothing and are hard to beat.

naive           ŷ[t+h] = y[t]
seasonal_naive  ŷ[t+h] = y[t+h−m·⌈h/m⌉]                      m steps a season
drift           ŷ[t+h] = y[t] + h (y[t] − y[1]) / (t − 1)
mean            ŷ[t+h] = (y[1] + … + y[t]) / t

y[t] is the last value observed (of the same phase, for seasonal_naive), so gaps are stepped over.
Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed. (2021), §5.2.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Self, final

import numpy as np

from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster


class _Baseline(Forecaster):
    """A forecast made of running statistics of the series so far."""

    cite = "hyndman2021fpp3"
    classes = frozenset({"direct"})
    tags = frozenset({"missing", "new_nodes"})

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        return self

    def predict(self, past: Panel, future: Panel) -> Forecast:
        origins = np.array([len(past)])
        return Forecast(
            point=self._continue(past.only_targets(), origins, len(future))[..., 0, :, :, :]
        )

    def backtest(self, windows: RollingWindows) -> Forecast:
        series = windows.panel.only_targets()
        return Forecast(point=self._continue(series, windows.origins, windows.horizon))

    @abstractmethod
    def _continue(self, series: Panel, origins: Array, horizon: int) -> Array:
        """Series (*batch, time, n, c), origins (window,) → (*batch, window, horizon, n, c)."""


@final
class Naive(_Baseline):
    """Repeat the last value."""

    def _continue(self, series: Panel, origins: Array, horizon: int) -> Array:
        last = _at(series.values, _last_seen(series.mask))[..., origins - 1, :, :]
        return np.repeat(last[..., None, :, :], horizon, axis=-3)


@final
class SeasonalNaive(_Baseline):
    """Repeat the last season; where its cell is missing, the one before; else the last value."""

    def _continue(self, series: Panel, origins: Array, horizon: int) -> Array:
        season = series.about.season
        same_phase, any_phase = _last_seen(series.mask, every=season), _last_seen(series.mask)
        steps = origins[:, None] - season + np.arange(horizon) % season  # (window, horizon)
        rows = same_phase[..., steps.clip(0), :, :]  # (*b, window, horizon, n, c)
        rows = np.where((steps >= 0)[..., None, None], rows, -1)
        rows = np.where(rows >= 0, rows, any_phase[..., origins - 1, :, :][..., None, :, :])
        return _at(series.values, rows)


@final
class Drift(_Baseline):
    """Continue the line through the first and the last value."""

    def _continue(self, series: Panel, origins: Array, horizon: int) -> Array:
        last = _last_seen(series.mask)[..., origins - 1, :, :]  # (*b, window, n, c)
        first = np.minimum(series.mask.argmax(-3)[..., None, :, :], last)  # none before the origin
        start, end = _at(series.values, first), _at(series.values, last)
        slope = (end - start) / (last - first).clip(1)
        ahead = (origins[:, None, None] - last)[..., None, :, :] + np.arange(horizon)[:, None, None]
        return end[..., None, :, :] + slope[..., None, :, :] * ahead


@final
class Mean(_Baseline):
    """Repeat the mean of all that was seen."""

    def _continue(self, series: Panel, origins: Array, horizon: int) -> Array:
        count = series.mask.cumsum(-3).clip(1)
        mean = (series.values.cumsum(-3) / count)[..., origins - 1, :, :]
        return np.repeat(mean[..., None, :, :], horizon, axis=-3)


def _last_seen(mask: Array, every: int = 1) -> Array:
    """For each row the last observed row up to it, in steps of `every`; −1 where there is none."""
    rows = np.arange(mask.shape[-3])[:, None, None]
    seen = np.where(mask, rows, -1)
    for phase in range(every):
        part = seen[..., phase::every, :, :]
        np.maximum.accumulate(part, axis=-3, out=part)
    return seen


def _at(values: Array, rows: Array) -> Array:
    """values[rows] along time for rows (*batch, …, n, c); 0 where the row is −1."""
    extra = rows.ndim - values.ndim  # window axes between batch and time
    wide = values.reshape(values.shape[:-3] + (1,) * extra + values.shape[-3:])
    picked = np.take_along_axis(wide, rows.clip(0), axis=-3)
    return np.where(rows >= 0, picked, 0)
