"""A structural time series: level, slope, season or common factors that wander, seen with noise.

    y[t] = Z a[t] + e[t],    a[t+1] = T a[t] + w[t],    e ~ N(0, H),  w ~ N(0, Q)

llevel          a level that is a random walk                                     per node, channel
lltrend         a level and a slope that is one, too                              per node, channel
bsm             lltrend and a season whose sum over its m steps is noise; beyond 24 steps six
                harmonics that wander (the basic structural model)                per node, channel
dynamic_factor  all series weigh a few common autoregressions, and keep an AR(1) each      jointly

The variances and weights maximise the exact likelihood (statsmodels), of series that were brought
to mean 0 and variance 1 on train. The first state is diffuse (variance 1e6), that of
dynamic_factor stationary. A series that never changes, or of fewer than five values, goes on as it
went. Forecasts filter all the history, gaps included; a backtest is one pass over the panel.
Harvey, Forecasting, Structural Time Series Models and the Kalman Filter (1989); Durbin & Koopman,
Time Series Analysis by State Space Methods, 2nd ed. (2012).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self, final, get_args

import numpy as np

from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster
from stsfm.models.numerics.affine import through
from stsfm.models.numerics.kalman import State, System, ahead, filtered, smoothed
from stsfm.models.numerics.structures import Kind, Structure

CELLS = 400_000  # of the covariances moved at once
FEWEST = 5  # values of a series whose variances are estimated
LEAST = 1e-9  # variance of a measurement, where all others may be 0


@final
class Kalman(Forecaster):
    """A structural time series through the Kalman filter."""

    cite = "harvey1989"
    classes = frozenset({"state-space"})
    tags = frozenset({"missing", "intervals"})

    def __init__(self, *, structure: Kind, factors: int, lags: int, steps: int) -> None:
        if structure not in get_args(Kind):
            raise ValueError(f"structure must be one of {get_args(Kind)}, got {structure!r}")
        for name, value in (("factors", factors), ("lags", lags), ("steps", steps)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        self.structure = structure
        self.factors = factors
        self.lags = lags
        self.steps = steps

    @property
    def cites(self) -> tuple[str, ...]:
        return (self.cite, "durbin2012", "kalman1960")

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        return self._learn(train, None)

    def update(self, windows: RollingWindows) -> Self:
        """Maximum likelihood again, the optimiser starting from what it found before."""
        return self._learn(windows, self.params_)

    def _learn(self, windows: RollingWindows, before: Array | None) -> Self:
        series = windows.panel.only_targets()
        count = series.mask.sum(0).clip(1)
        self.mean_ = series.values.sum(0) / count
        spread = (((series.values - self.mean_) * series.mask) ** 2).sum(0) / count
        self.scale_ = np.where(spread > 0, np.sqrt(spread), 1.0)  # (node, channel)
        self.season_ = np.int64(series.about.season)
        values, mask = self._rows(series)  # (1, t, g, p)
        if self._structure.joint and values.shape[-1] < 2:
            raise ValueError(
                "dynamic_factor needs two series or more, got 1; use model.structure=bsm"
            )
        y = np.where(mask, values, np.nan)[0]
        starts = [None] * y.shape[1] if before is None else list(before)
        fits = [self._estimate(y[:, g], start) for g, start in enumerate(starts)]
        self.params_ = np.stack(fits)  # (g, parameter)
        return self

    def _estimate(self, y: Array, start: Array | None) -> Array:
        """The parameters of rows (t, p); a series hardly seen has no variances."""
        seen = np.isfinite(y)
        y = y[seen.any(1).argmax() :]  # leading gaps would widen the diffuse start
        if not self._structure.joint and (seen.sum() < FEWEST or not np.ptp(y[np.isfinite(y)])):
            return np.zeros(self._structure.model(np.full((1, 1), np.nan)).k_params)
        return self._structure.estimate(y, self.steps, start)

    def predict(self, past: Panel, future: Panel) -> Forecast:
        forecast = self._continue(past.only_targets(), np.array([len(past)]), len(future))
        return forecast.map(lambda x: x[..., 0, :, :, :])

    def backtest(self, windows: RollingWindows) -> Forecast:
        return self._continue(windows.panel.only_targets(), windows.origins, windows.horizon)

    @property
    def parameters(self) -> int:
        return int(self.params_.size)

    def states(self, windows: RollingWindows) -> Mapping[str, Array]:
        series = windows.panel.only_targets()
        values, mask = self._rows(series)
        system, start = self._system
        every = range(len(series) + 1)
        found = filtered(system, start, values, mask, every)
        z = np.stack([found[t].mean.reshape(-1) for t in every])
        steps, ahead_ = [z[windows.origins]], np.stack([system.transition] * len(windows))
        for _ in range(windows.horizon - 1):
            state = steps[-1].reshape(len(windows), *start.mean.shape)
            steps.append((ahead_ @ state[..., None]).reshape(len(windows), -1))
        return {
            "z": z[:-1],
            "first_row": np.int64(0),
            "z_ahead": np.stack(steps, 1),
            "eigenvalues": np.linalg.eigvals(system.transition).reshape(-1).astype(complex),
            "components": self._components(system, start, values[0], mask[0]),
        }

    def _components(self, system: System, start: State, values: Array, mask: Array) -> Array:
        """What the first series is the sum of, smoothed: (component, row), the noise last.

        The mean and what its level adds, the season; or the mean, and what each factor adds.
        """
        states = smoothed(system, start, values, mask)[:, 0]  # (t, k)
        parts = (system.design[0, 0] * states).T * self.scale_.flat[0]  # (k, t)
        trend = 1 if self._structure.kind == "llevel" else 2
        if self._structure.joint:
            parts = parts[system.design[0, 0] != 0]
        else:
            parts = np.stack([parts[:trend].sum(0), parts[trend:].sum(0)])
        parts[0] += self.mean_.flat[0]
        first = values[:, 0, 0] * self.scale_.flat[0] + self.mean_.flat[0]
        noise = np.where(mask[:, 0, 0], first - parts.sum(0), 0.0)
        return np.concatenate([parts[parts.any(1)], noise[None]])

    # ---- one pass over rows ----------------------------------------------------------------------

    def _continue(self, series: Panel, origins: Array, horizon: int) -> Forecast:
        """Series (*batch, time, n, c), origins (window,) → (*batch, window, horizon, n, c)."""
        *batch, _, nodes, channels = series.values.shape
        values, mask = self._rows(series)
        system, start = self._system

        def run(values: Array, mask: Array) -> tuple[Array, Array]:
            found = filtered(system, start, values, mask, origins.tolist())
            moments = zip(*(found[t] for t in origins.tolist()), strict=True)
            state = State(*(np.stack(x, 1) for x in moments))
            return ahead(system, state, horizon)  # (b, window, g, p, horizon)

        size = max(1, CELLS // (len(origins) * system.transition.size))
        mean, deviation = through(run, values, mask, size)
        shape = (*batch, len(origins), horizon, nodes, channels)
        mean, deviation = (np.moveaxis(x, -1, 2).reshape(shape) for x in (mean, deviation))
        return Forecast(point=self.mean_ + self.scale_ * mean, scale=self.scale_ * deviation)

    def _rows(self, series: Panel) -> tuple[Array, Array]:
        """Values of variance 1 and mask as systems see them, (b, t, g, p) each."""
        values = np.where(series.mask, (series.values - self.mean_) / self.scale_, 0.0)
        inner = (1, self.mean_.size) if self._structure.joint else (self.mean_.size, 1)
        shape = (-1, len(series), *inner)
        return values.reshape(shape), series.mask.reshape(shape)

    @property
    def _structure(self) -> Structure:
        return Structure(self.structure, int(self.season_), self.factors, self.lags)

    @property
    def _system(self) -> tuple[System, State]:
        """The system of every group, and its state before the first row."""
        size = self.mean_.size if self._structure.joint else 1
        systems, starts = zip(
            *(self._structure.system(row, size) for row in self.params_), strict=True
        )
        system = System(*(np.stack(x) for x in zip(*systems, strict=True)))
        floor = LEAST * np.eye(size)
        system = system._replace(measured=system.measured + floor)
        return system, State(*(np.stack(x) for x in zip(*starts, strict=True)))
