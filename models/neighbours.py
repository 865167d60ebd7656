"""What came after states like this one: the mean of what followed its nearest neighbours.

    ŷ[t+h] = Σ_i w_i y[t_i+h],   t_1 … t_k the rows next to y[t] in train,   Σ w_i = 1

y (D) holds all nodes and channels of a row, so that it is to be a state: model=simplex embeds the
data first. knn weighs k neighbours alike (Lorenz' analogues). The simplex projection takes D + 1,
the least that can stand around a point, and w_i ∝ exp(−d_i / d_1), d_i the distances. Every step
ahead is forecast by itself, from the same neighbours. Rows with gaps, or before gaps, are not
learned from while there are others. A past that is a part of train is no neighbour of itself.
Sugihara & May, Nonlinear forecasting as a way of distinguishing chaos from measurement error in
time series, Nature 344 (1990). Lorenz, Atmospheric predictability as revealed by naturally
occurring analogues, Journal of the Atmospheric Sciences 26 (1969).
"""

from __future__ import annotations

from typing import Literal, Self, final

import numpy as np

from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster
from stsfm.models.numerics.gaps import carried, means
from stsfm.models.numerics.neighbours import Rows, Weights, nearest, weigh

GAP = 12  # rows of past from which a gap at its end may be filled


@final
class Neighbours(Forecaster):
    """Nearest neighbours and simplex projection."""

    cite = "sugihara1990"
    classes = frozenset({"metric", "nonparametric"})
    tags = frozenset({"missing"})
    reads = GAP

    def __init__(
        self, *, neighbours: int | Literal["auto"], weights: Weights, theiler: int
    ) -> None:
        if neighbours != "auto" and neighbours < 1:
            raise ValueError(f"neighbours must be at least 1 or auto, got {neighbours}")
        if theiler < 0:
            raise ValueError(f"theiler must be at least 0, got {theiler}")
        self.neighbours, self.weights, self.theiler = neighbours, weights, theiler

    @property
    def cites(self) -> tuple[str, ...]:
        return (self.cite, "lorenz1969")

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        panel = train.panel.only_targets()
        self.mean_ = means(panel).reshape(-1)
        rows = Rows.of(panel, self.mean_)
        self.states_, self.whole_, self.time_ = rows.states, rows.whole, rows.time
        self._library(train.horizon)
        return self

    def predict(self, past: Panel, future: Panel) -> Forecast:
        rows, library = self._library(len(future))
        past = past.only_targets()
        batch = past.values.shape[:-3]
        now = carried(past, self.mean_)[..., -1, :].reshape(-1, rows.states.shape[-1])  # (q, D)
        near, apart = nearest(
            now,
            rows.states[library],
            self._count(now.shape[-1]),
            at=rows.at(past.time[..., -1].reshape(-1)),
            rows=library,
            theiler=self.theiler,
        )
        weights = weigh(apart, self.weights)  # (q, k)
        ahead = library[near][..., None] + 1 + np.arange(len(future))  # (q, k, h)
        point = np.einsum("qk,qkhd->qhd", weights, rows.states[ahead])
        return Forecast(point=point.reshape(*batch, *future.values.shape[-3:]))

    def _count(self, size: int) -> int:
        return size + 1 if self.neighbours == "auto" else self.neighbours

    def _library(self, horizon: int) -> tuple[Rows, Array]:
        """What was learned, and the rows of it that may be neighbours."""
        rows = Rows(states=self.states_, whole=self.whole_, time=self.time_)
        least = self._count(rows.states.shape[-1]) + 2 * self.theiler + 1
        return rows, rows.library(horizon, least)
