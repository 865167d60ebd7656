"""One linear map from the last values of a series to its future, shared by all nodes and channels.

    ŷ − l = W [x − l, u] + b,    W = argmin Σ |y − l − W [x − l, u] − b|² + λ n v |W|²

x (context) are the past values, l their level, u ((context + horizon) · covariate) what is known
ahead, of the past too, whose marks x bears, and y (horizon); n counts the rows of the design and v
is their mean variance, so λ has no units. The step is direct: each row of the future has its own
weights. Learns from the series of a window that have no gaps; when it forecasts, a gap stands at
the level.
Zeng et al., Are transformers effective for time series forecasting?, AAAI (2023): NLinear is
normalise = last; here in closed form. Hoerl & Kennard, Ridge regression, Technometrics 12 (1970).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self, final

import numpy as np

from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows, Window
from stsfm.models.base import Forecaster
from stsfm.models.layers.normalise import Normalise, centre

GRID = (0.0, *(10.0**k for k in range(-7, 3)))  # of λ, where validation chooses
CELLS = 4_000_000  # of a design held at once


@final
class Linear(Forecaster):
    """Ridge regression of the future on the past."""

    cite = "zeng2023ltsf"
    tags = frozenset({"missing", "new_nodes", "known"})

    def __init__(
        self, *, context: int, ridge: float | Literal["auto"], normalise: Normalise
    ) -> None:
        if context < 1:
            raise ValueError(f"context must be at least 1, got {context}")
        if ridge != "auto" and ridge < 0:
            raise ValueError(f"ridge must be at least 0 or auto, got {ridge}")
        self.context = context
        self.ridge = ridge
        self.normalise = normalise
        self.reads = context

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        self.ridge_ = np.float64(self._choose(train, val) if self.ridge == "auto" else self.ridge)
        return self.refit(train)

    def refit(self, development: RollingWindows) -> Self:
        return self._learn(self._moments(development), self.ridge_)

    def predict(self, past: Panel, future: Panel) -> Forecast:
        x, level = self._design(past, future)
        point = np.moveaxis(x @ self.weight_ + self.bias_, -1, -3)  # (*b, t, n, c)
        return Forecast(point=point + level)

    def _choose(self, train: RollingWindows, val: RollingWindows) -> float:
        """The best of GRID on validation; without one, on the last fifth of training."""
        if not len(val):
            cut = len(train) * 4 // 5
            train, val = train.subset(slice(0, cut)), train.subset(slice(cut, None))
        moments = self._moments(train)
        losses = [self._learn(moments, ridge)._loss(val) for ridge in GRID]
        return GRID[int(np.argmin(losses))]

    def _design(self, past: Panel, future: Panel) -> tuple[Array, Array]:
        """Rows (*batch, node, channel, feature) of the design, and the level of each."""
        centred, level = centre(past.only_targets(), self.normalise)
        x = np.moveaxis(centred, -3, -1)  # (*b, n, c, t)
        known = np.concatenate([past.known, future.known], -3)
        known = np.moveaxis(known, -3, -2)  # (*b, n | 1, t, k)
        known = known.reshape(*known.shape[:-2], 1, -1)  # (*b, n | 1, 1, t · k)
        known = np.broadcast_to(known, (*x.shape[:-1], known.shape[-1]))
        return np.concatenate([x, known], -1), level

    def _moments(self, windows: RollingWindows) -> Array:
        """Σ [1, x, u]ᵀ [1, x, u, y − l] over all windows, nodes and channels without gaps."""
        windows = windows.look_back(self.context).whole()
        total = np.zeros((1, 1))
        for past, future in _batches(windows):
            x, level = self._design(past, future)
            y = np.moveaxis(future.values - level, -3, -1)
            rows = np.concatenate([np.ones((*x.shape[:-1], 1)), x, y], -1, dtype=np.float64)
            rows = rows[past.only_targets().mask.all(-3) & future.mask.all(-3)]  # (row, feature)
            total = total + rows[:, : x.shape[-1] + 1].T @ rows
        if not total[0, 0]:
            need = f"{self.context} rows of past and {windows.horizon} of future"
            raise ValueError(f"no series is complete over {need} anywhere; lower model.context")
        return total

    def _learn(self, moments: Array, ridge: float) -> Self:
        """Solve the normal equations, in the least norm where they are singular."""
        count, size = moments[0, 0], len(moments) - 1
        mean = moments[0, 1:] / count
        covariance = moments[1:, 1:] / count - np.outer(mean[:size], mean)
        xx, xy = covariance[:, :size], covariance[:, size:]
        penalty = ridge * np.diag(xx).mean() * np.eye(size)
        self.weight_ = np.linalg.lstsq(xx + penalty, xy, rcond=None)[0]  # (feature, horizon)
        self.bias_ = mean[size:] - mean[:size] @ self.weight_
        return self

    def _loss(self, windows: RollingWindows) -> float:
        """Mean squared error over the observed cells, in transformed units."""
        total, count = 0.0, 0
        for past, future in _batches(windows.look_back(self.context)):
            error = self.predict(past, future.blank()).point - future.values
            total, count = total + (error[future.mask] ** 2).sum(), count + future.mask.sum()
        return total / max(count, 1)


def _batches(windows: RollingWindows) -> Iterator[Window]:
    frame = windows.frame
    features = (frame.context + frame.horizon) * (1 + frame.covariates)
    size = max(1, CELLS // (features * frame.nodes * frame.channels))
    for start in range(0, len(windows), size):
        yield windows.take(slice(start, start + size))
