"""Level, slope and season are smoothed exponentially and put together again (Holt–Winters).

    ŷ = (l + φ b) ∘ s[−m]                       ∘ is + or ×, ⊖ is − or ÷; y − ŷ ~ N(0, σ²)
    l' = l + φ b + α (y ⊖ s[−m] − l − φ b)      level, per node and channel
    b' = φ b + β (l' − l − φ b)                 slope
    s' = s[−m] + γ (y ⊖ l' − s[−m])             season of m steps

α, β, γ, φ and the states before the first row are estimated together by least squares of the
one-step errors (statsmodels ETSModel); the start of a season beyond 24 rows is a heuristic. σ²
counts every estimate as a lost degree of freedom. Intervals sum the effects of the errors to come:
exact for an additive season (Hyndman et al., class 1), of first order in the errors for a
multiplicative one, which needs positive values. Learns from series without gaps only.
Winters, Forecasting sales by exponentially weighted moving averages, Manag. Sci. 6 (1960);
Hyndman, Koehler, Ord & Snyder, Forecasting with Exponential Smoothing (2008), §6.
"""

from __future__ import annotations

import warnings
from typing import Literal, Self, final

import numpy as np
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster

LONGEST = 24  # the longest season whose start is estimated


@final
class ETS(Forecaster):
    """Exponential smoothing with additive errors."""

    cite = "winters1960"
    classes = frozenset({"state-space"})
    tags = frozenset({"intervals", "anchored"})

    def __init__(
        self,
        *,
        trend: Literal["add", "none"],
        damped: bool,
        seasonal: Literal["auto", "add", "mul", "none"],
    ) -> None:
        self.trend = trend
        self.damped = damped
        self.seasonal = seasonal

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        series = train.panel.only_targets()
        name, kind = series.about.name, self._kind(series.about.season)
        if not series.mask.all():
            raise ValueError(f"ets needs series without gaps, and {name} has some; use model=arima")
        if kind == "mul" and (series.values <= 0).any():
            raise ValueError(
                f"a multiplicative season needs positive values, and {name} has others once "
                "transformed; use protocol.transform=none protocol.scaling=none"
            )
        season = 1 if kind == "none" else series.about.season
        if len(series) < (need := max(10, 2 * season)):
            raise ValueError(
                f"ets needs {need} rows to start from, and got {len(series)} of {name}; use "
                "model.seasonal=none or a later protocol.val"
            )
        shape = series.values.shape[1:]
        fits = [self._estimate(series.values[:, *at], kind, season) for at in np.ndindex(*shape)]
        learned = np.moveaxis(np.reshape(fits, (*shape, -1)), -1, 0)
        self.smoothing_, self.deviation_ = learned[:4], learned[4]  # α β γ φ; σ
        self.level_, self.slope_, self.season_ = learned[5], learned[6], learned[7:]  # (m, n, c)
        return self

    def predict(self, past: Panel, future: Panel) -> Forecast:
        past, batch = past.only_targets(), past.values.shape[:-3]
        singles = []
        for at in np.ndindex(*batch):
            one = past.part(at)
            begun = one.mask.any((-2, -1))
            one = one[slice(int(begun.argmax()) if begun.any() else len(one), None)]
            singles.append(self._continue(one, np.array([len(one)]), len(future)))
        return Forecast.concat(singles).map(lambda x: x.reshape(*batch, *x.shape[1:]))

    def backtest(self, windows: RollingWindows) -> Forecast:
        return self._continue(windows.panel.only_targets(), windows.origins, windows.horizon)

    def _kind(self, season: int) -> str:
        if season == 1:
            return "none"
        return "add" if self.seasonal == "auto" else self.seasonal

    def _continue(self, series: Panel, origins: Array, horizon: int) -> Forecast:
        """Series (time, n, c), origins (window,) → (window, horizon, n, c)."""
        multiply = self._kind(series.about.season) == "mul"
        level, slope, season = self._states(series, origins, multiply)  # (window, [m], n, c)
        alpha, beta, gamma, phi = self.smoothing_
        damping = (phi ** np.arange(1, horizon + 1)[:, None, None]).cumsum(0)  # φ + … + φʰ
        trend = level[:, None] + damping * slope[:, None]  # (window, horizon, n, c)
        phase = season[:, np.arange(horizon) % season.shape[1]]
        point = trend * phase if multiply else trend + phase
        variance = np.ones_like(point)
        for j in range(1, horizon):  # what an error does to the level and the season j rows later
            lasts, returns = alpha * (1 + beta * damping[j - 1]), gamma * (1 - alpha)
            if multiply:
                lasts = lasts * phase[:, j:] / phase[:, :-j]
                returns = returns * trend[:, j:] / trend[:, :-j]
            variance[:, j:] += (lasts + (returns if j % season.shape[1] == 0 else 0)) ** 2
        return Forecast(point=point, scale=self.deviation_ * np.sqrt(variance))

    def _states(self, series: Panel, origins: Array, multiply: bool) -> tuple[Array, Array, Array]:
        """Level, slope (window, n, c) and the next m of the season (window, m, n, c)."""
        join, part = (np.multiply, np.divide) if multiply else (np.add, np.subtract)
        alpha, beta, gamma, phi = self.smoothing_
        level, slope, season = self.level_, self.slope_, self.season_.copy()
        wanted, last, found = set(origins.tolist()), int(origins.max()), {}
        for t in range(last + 1):
            if t in wanted:
                found[t] = level, slope, np.roll(season, -t, axis=0)
            if t == last:
                break
            due, before = season[t % len(season)], level + phi * slope
            y = np.where(series.mask[t], series.values[t], join(before, due))
            level = before + alpha * (part(y, due) - before)
            slope = phi * slope + beta * (level - before)
            season[t % len(season)] = due + gamma * (part(y, level) - due)
        levels, slopes, seasons = zip(*(found[t] for t in origins.tolist()), strict=True)
        return np.stack(levels), np.stack(slopes), np.stack(seasons)

    def _estimate(self, y: Array, kind: str, season: int) -> Array:
        """[α, β, γ, φ, σ, level, slope, season …] of one series (time,)."""
        trend = self.trend == "add"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = ETSModel(
                y,
                trend="add" if trend else None,
                damped_trend=trend and self.damped,
                seasonal=None if kind == "none" else kind,
                seasonal_periods=None if kind == "none" else season,
                initialization_method="estimated" if season <= LONGEST else "heuristic",
            )
            fit = model.fit(disp=0)
        alpha = fit.smoothing_level
        beta = fit.smoothing_trend / alpha if trend else 0.0  # its β and γ are ours times α, 1 − α
        gamma = 0.0 if kind == "none" else fit.smoothing_seasonal / (1 - alpha)
        phi = fit.damping_trend if trend and self.damped else 1.0
        sigma = np.sqrt(fit.sse / max(1, len(y) - len(fit.params)))
        slope = fit.initial_trend if trend else 0.0
        start = [0.0] if kind == "none" else fit.initial_seasonal
        return np.array([alpha, beta, gamma, phi, sigma, fit.initial_level, slope, *start])
