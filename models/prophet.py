"""A trend of straight pieces, seasons as Fourier series, and what is known ahead, added up.

    y(t) = g(t) + s(t) + u(t)ᵀ β + e,   e ~ N(0, σ²)       per node and channel; t is 0 … 1 in fit
    g(t) = (k + a(t)ᵀ δ) t + m + a(t)ᵀ γ,   γⱼ = −sⱼ δⱼ,   δⱼ ~ Laplace(0, τ)
    V ŷ(t) = σ² + ⅔ S λ² (t − 1)³,   λ = mean |δ|,   t > 1

a(t) marks the S changepoints sⱼ that lie before t; γ keeps g in one piece. seasonality =
multiplicative makes it g (1 + s + uᵀ β), which needs positive values. The season of the data is
prophet's own where it is a year, a week or a day (prophet adds others where stamps allow), else
one of its own. Estimation: the mode of the posterior by Stan's optimiser, from a fixed seed.
Intervals: slopes go on changing as often (S a unit of time) and as much (Laplace, λ) as in fit;
prophet draws such trends, here is the variance of its draws (Campbell's theorem).
It forecasts from the dates alone: the past of a window is never looked at, so that the further the
origin lies from the end of fit, the worse; protocol.refit=each_origin is the fair, slow way.
Taylor & Letham, Forecasting at scale, The American Statistician 72 (2018).
"""

from __future__ import annotations

import logging
from importlib.util import find_spec
from typing import Any, Literal, Self, final

import numpy as np

from stsfm.datasets.about import DAY
from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster

OWN = {"yearly": 365.25, "weekly": 7.0, "daily": 1.0}  # days of the seasons that prophet names
SEED = 1  # of Stan's optimiser, which starts from a guess and draws nothing that matters


@final
class Prophet(Forecaster):
    """Trend, seasons and covariates as functions of the date."""

    cite = "taylor2018prophet"
    classes = frozenset({"direct"})
    tags = frozenset({"missing", "intervals", "known"})
    reads = 1  # not even that: the stamps of the future are enough

    def __init__(
        self,
        *,
        changepoints: int,
        changepoint_range: float,
        changepoint_scale: float,
        seasonality: Literal["additive", "multiplicative"],
        seasonality_scale: float,
    ) -> None:
        if find_spec("prophet") is None:
            raise ValueError("prophet is not installed; pip install 'stsfm[prophet]'")
        self.changepoints = changepoints
        self.changepoint_range = changepoint_range
        self.changepoint_scale = changepoint_scale
        self.seasonality = seasonality
        self.seasonality_scale = seasonality_scale

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        series, known = train.panel.only_targets(), train.panel.known
        name = series.about.name
        if self.seasonality == "multiplicative" and (series.values[series.mask] <= 0).any():
            raise ValueError(
                f"a multiplicative season needs positive values, and {name} has others once "
                "transformed; use protocol.transform=none protocol.scaling=none"
            )
        if (seen := series.mask.sum(0).min()) < 2:
            raise ValueError(f"prophet needs 2 observed rows of each series, {name} has {seen}")
        shape = series.values.shape[1:]
        values = np.where(series.mask, series.values, np.nan)
        fits = [
            self._estimate(series, values[:, n, c], known[:, n % known.shape[1]])
            for n, c in np.ndindex(*shape)
        ]
        self.fits_ = np.reshape(np.array(fits), shape)  # JSON, as bytes
        return self

    def predict(self, past: Panel, future: Panel) -> Forecast:
        shape, time, known = future.values.shape, future.time.reshape(-1), future.known
        known = known.reshape(len(time), *known.shape[-2:])
        point, scale = np.empty((2, len(time), *shape[-2:]))
        for n, c in np.ndindex(*shape[-2:]):
            at = _forecast(self._fitted(n, c), time, known[:, n % known.shape[1]])
            point[:, n, c], scale[:, n, c] = at
        return Forecast(point=point.reshape(shape), scale=scale.reshape(shape))

    @property
    def parameters(self) -> int:
        fits = [self._fitted(*at).params for at in np.ndindex(*self.fits_.shape)]
        return sum(np.size(params[name]) for params in fits for name in FREE)

    def bends(self, n: int, c: int) -> tuple[Array, Array]:
        """Of one series the stamps (j,), ns, at which its trend may bend, and δ (j,)."""
        model = self._fitted(n, c)
        stamps = model.changepoints.to_numpy().astype("M8[ns]").astype("int64")
        return stamps, np.asarray(model.params["delta"]).mean(0)[: len(stamps)]

    def trend(self, series: Panel, n: int, c: int) -> Array:
        """The trend (time,) of one series over the rows of a panel, in the units that it has."""
        known = series.known[:, n % series.known.shape[1]]
        found = self._fitted(n, c).predict(_table(series.time, known))
        return np.asarray(found["trend"].to_numpy())

    def _estimate(self, series: Panel, y: Array, known: Array) -> bytes:
        """One series (time,) and its covariates (time, covariate) → the fitted model as JSON."""
        library, about = _library(), series.about
        season = about.season * float(np.ptp(series.time)) / max(1, len(series) - 1) / DAY  # days
        own = [name for name, days in OWN.items() if abs(season / days - 1) < 0.02]
        model = library.Prophet(
            n_changepoints=self.changepoints,
            changepoint_range=self.changepoint_range,
            changepoint_prior_scale=self.changepoint_scale,
            seasonality_mode=self.seasonality,
            seasonality_prior_scale=self.seasonality_scale,
            uncertainty_samples=0,
            **{f"{name}_seasonality": True for name in own},
        )
        if about.season > 1 and not own:
            order = min(10, about.season // 2)
            model.add_seasonality("season", period=season, fourier_order=order)
        for k in range(known.shape[-1]):
            model.add_regressor(f"x{k}")
        model.fit(_table(series.time, known, y=y), seed=SEED)
        model.history = model.history.head(1)  # it is not needed to forecast
        return library.serialize.model_to_json(model).encode()

    def _fitted(self, n: int, c: int) -> Any:
        return _library().serialize.model_from_json(self.fits_[n, c].decode())


FREE = ("k", "m", "delta", "beta", "sigma_obs")  # what is learned of one series


def _forecast(model: Any, time: Array, known: Array) -> tuple[Array, Array]:
    """Mean and standard deviation (row,) at stamps (row,) with covariates (row, covariate)."""
    bits = known.astype(np.float64).view(np.int64)  # so that equal rows are forecast once, in order
    rows, which = np.unique(np.column_stack([time, bits]), axis=0, return_inverse=True)
    found = model.predict(_table(rows[:, 0], np.ascontiguousarray(rows[:, 1:]).view(np.float64)))
    beyond = ((rows[:, 0] - model.start.value) / model.t_scale.value - 1).clip(0)
    size = abs(model.params["delta"]).mean() + 1e-8  # as prophet has it
    drift = 2 / 3 * len(model.changepoints_t) * size**2 * beyond**3
    drift = drift * (1 + found["multiplicative_terms"].to_numpy()) ** 2
    scale = model.y_scale * np.sqrt(model.params["sigma_obs"].item() ** 2 + drift)
    return found["yhat"].to_numpy()[which.reshape(-1)], scale[which.reshape(-1)]


def _table(time: Array, known: Array, **columns: Array) -> Any:
    """What prophet reads: dates `ds`, covariates x0 …, and `y`, NaN where it is missing."""
    import pandas as pd

    columns |= {f"x{k}": known[:, k] for k in range(known.shape[-1])}
    return pd.DataFrame({"ds": pd.to_datetime(time), **columns})


def _library() -> Any:
    """prophet, imported where it is needed; it and Stan log every fit, which nobody asked for."""
    for name in ("prophet", "prophet.plot", "cmdstanpy"):
        logging.getLogger(name).disabled = True
    import prophet.serialize

    return prophet
