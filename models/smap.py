"""A linear map for each state, learned from all rows, the near ones more: the S-map.

    ŷ[t+h] = b + W y[t],    (b, W) = argmin Σ_i w_i² |y[t_i+h] − b − W y[t_i]|²
    w_i = exp(−θ d_i / d̄),    d_i = |y[t] − y[t_i]|, d̄ their mean over train

y (D) holds all nodes and channels of a row, so that it is to be a state: model=smap embeds the data
first. At θ = 0 the map is one, and the forecast linear; that θ > 0 forecasts better is the test of
Sugihara for a state-dependent, nonlinear series. Every step ahead has a map of its own. auto is the
θ of least squared error on validation, over all steps. `ridge` shrinks W: λ Σ w² v |W|² is added, v
the mean weighted variance of y. Gaps are met as in neighbours.py.
Sugihara, Nonlinear forecasting for the classification of natural time series, Philosophical
Transactions of the Royal Society A 348 (1994).
"""

from __future__ import annotations

from typing import Literal, Self, final

import numpy as np
from scipy.spatial.distance import cdist

from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster
from stsfm.models.numerics.gaps import carried, means
from stsfm.models.numerics.neighbours import Rows
from stsfm.models.numerics.ridge import Moments

GAP = 12  # rows of past from which a gap at its end may be filled
THETAS = (0.0, 0.1, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
CHOSEN_ON = 200  # windows of validation at most, evenly spaced
CELLS = 4_000_000  # of weighted designs held at once


@final
class SMap(Forecaster):
    """Locally weighted linear maps."""

    cite = "sugihara1994"
    classes = frozenset({"metric", "nonparametric"})
    tags = frozenset({"missing"})
    reads = GAP

    def __init__(self, *, theta: float | Literal["auto"], ridge: float, theiler: int) -> None:
        for name, value in (("theta", theta), ("ridge", ridge), ("theiler", theiler)):
            if value != "auto" and value < 0:
                raise ValueError(f"{name} must be at least 0, got {value}")
        self.theta, self.ridge, self.theiler = theta, ridge, theiler

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        self.theta_ = np.float64(1 if self.theta == "auto" else self.theta)
        self.refit(train)
        if self.theta == "auto" and len(val):
            self.theta_ = np.float64(self._choose(val))
        return self

    def refit(self, development: RollingWindows) -> Self:
        panel = development.panel.only_targets()
        self.mean_ = means(panel).reshape(-1)
        rows = Rows.of(panel, self.mean_)
        self.states_, self.whole_, self.time_ = rows.states, rows.whole, rows.time
        self._library(development.horizon)
        return self

    def predict(self, past: Panel, future: Panel) -> Forecast:
        return Forecast(point=self._predict(past, future, float(self.theta_)))

    def _choose(self, val: RollingWindows) -> float:
        """The first θ of least error on validation, where it was observed."""
        every = -(-len(val) // CHOSEN_ON)
        past, came = val.subset(slice(None, None, every)).look_back(GAP).take(slice(None))
        blank = came.blank()
        errors = [
            ((self._predict(past, blank, θ) - came.values)[came.mask] ** 2).mean() for θ in THETAS
        ]
        return THETAS[int(np.argmin(errors))]

    def _predict(self, past: Panel, future: Panel, theta: float) -> Array:
        rows, library = self._library(len(future))
        past = past.only_targets()
        batch, size = past.values.shape[:-3], rows.states.shape[-1]
        now = carried(past, self.mean_)[..., -1, :].reshape(-1, size)  # (q, D)
        at = rows.at(past.time[..., -1].reshape(-1))
        ahead = rows.states[library[:, None] + 1 + np.arange(len(future))]  # (n, h, D)
        ahead, states = ahead.reshape(len(library), -1), rows.states[library]
        step = max(1, CELLS // (len(library) * (size + 1 + ahead.shape[1])))
        made = []
        for q in range(0, len(now), step):
            some = slice(q, q + step)
            far = abs(library - at[some, None]) > self.theiler  # (q, n)
            maps = self._maps(now[some], states, ahead, far, theta)
            made.append(_ones(now[some])[:, None] @ maps)
        return np.concatenate(made).reshape(*batch, *future.values.shape[-3:])

    def _maps(self, now: Array, states: Array, ahead: Array, far: Array, theta: float) -> Array:
        """The map of each query, (q, 1 + D, h·D)."""
        apart = cdist(now, states)
        mean = apart.sum(1, where=far, keepdims=True) / far.sum(1, keepdims=True)
        least = apart.min(1, where=far, initial=np.inf, keepdims=True)  # no weight underflows
        weights = np.exp(-theta * (apart - least) / np.where(mean > 0, mean, 1)) * far
        weights *= (far.sum(1, keepdims=True) / (weights**2).sum(1, keepdims=True)) ** 0.5
        design = weights[..., None] * _ones(states)  # (q, n, 1 + D)
        return Moments.of(design, weights[..., None] * ahead).solve(self.ridge)

    def _library(self, horizon: int) -> tuple[Rows, Array]:
        """What was learned, and the rows of it that maps are learned from."""
        rows = Rows(states=self.states_, whole=self.whole_, time=self.time_)
        return rows, rows.library(horizon, rows.states.shape[-1] + 2 + 2 * self.theiler)


def _ones(states: Array) -> Array:
    return np.concatenate([np.ones((*states.shape[:-1], 1)), states], -1)
