"""One linear map from the last values of a series to its future, shared by all nodes and channels.

    ŷ − l = W [x − l, u] + b,    W = argmin Σ |y − l − W [x − l, u] − b|² + λ n v |W|²

x (context) are the past values, l their level, u ((context + horizon) · covariate) what is known
ahead, of the past too, whose marks x bears, and y (horizon); n counts the rows of the design and v
is their mean variance, so λ has no units. The step is direct: each row of the future has its own
weights. Learns from the series of a window that have no gaps; where they are fewer than the
features, each step learns from all windows that have a value for it, and a gap stands at the
level, as it does when it forecasts.
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
        self._seen_: tuple[int, Array] | None = None  # last origin learned from, and moments so far

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        self.ridge_ = np.float64(self._choose(train, val) if self.ridge == "auto" else self.ridge)
        return self.refit(train)

    def refit(self, development: RollingWindows) -> Self:
        self._seen_ = None
        return self.update(development)

    def update(self, windows: RollingWindows) -> Self:
        """In closed form: what the windows not seen before add to the moments."""
        last, sofar = self._seen_ or (-1, 0.0)
        whole = sofar + self._whole(windows.subset(windows.origins > last))
        self._seen_ = max(last, int(windows.origins.max(initial=-1))), whole
        return self._learn(self._moments(windows, whole), self.ridge_)

    def predict(self, past: Panel, future: Panel) -> Forecast:
        x, level = self._design(past, future)
        point = np.moveaxis(x @ self.weight_ + self.bias_, -1, -3)  # (*b, t, n, c)
        return Forecast(point=point + level)

    def _choose(self, train: RollingWindows, val: RollingWindows) -> float:
        """The best of GRID on validation; without one, on the last fifth of training."""
        if not len(val):
            cut = len(train) * 4 // 5
            train, val = train.subset(slice(0, cut)), train.subset(slice(cut, None))
        moments = self._moments(train, self._whole(train))
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

    def _whole(self, windows: RollingWindows) -> Array:
        """Σ [1, x, u]ᵀ [1, x, u, y − l] over the windows, nodes and channels without gaps."""
        total: Array = np.zeros((1, 1))
        for past, future in _batches(windows.look_back(self.context).whole()):
            x, y, seen = self._rows(past, future)
            full = past.only_targets().mask.all(-3).reshape(-1) & seen.all(-1)
            total = total + x[full].T @ np.concatenate([x, y], -1)[full]
        return total

    def _moments(self, windows: RollingWindows, whole: Array) -> Array:
        """(part, feature, …): `whole` for all steps where it has as many series as features.

        Else a part for each step, over all that have a value for it.
        """
        if whole[0, 0] >= len(whole):
            return whole[None]
        total: Array = 0.0
        for past, future in _batches(windows.look_back(self.context).whole()):
            x, y, seen = self._rows(past, future)
            steps = [np.column_stack([x, step])[at] for step, at in zip(y.T, seen.T, strict=True)]
            total = total + np.stack([rows[:, :-1].T @ rows for rows in steps])
        if not np.ndim(total) or not total[:, 0, 0].all():
            need = f"{self.context} rows of past and {windows.horizon} of future"
            raise ValueError(f"no series has values over {need} anywhere; lower model.context")
        return total

    def _rows(self, past: Panel, future: Panel) -> tuple[Array, Array, Array]:
        """[1, x, u], y − l and what may be learned of y, each (window · node · channel, …)."""
        x, level = self._design(past, future)
        x = np.concatenate([np.ones((*x.shape[:-1], 1)), x], -1, dtype=np.float64)
        y = np.moveaxis(future.values - level, -3, -1)
        begun = past.only_targets().mask.any(-3)[..., None]  # else there is no level
        seen = np.moveaxis(future.mask, -3, -1) & begun
        return tuple(a.reshape(-1, a.shape[-1]) for a in (x, y, seen))  # type: ignore[return-value]

    def _learn(self, moments: Array, ridge: float) -> Self:
        """Solve the normal equations, in the least norm where they are singular."""
        size = moments.shape[1] - 1
        weights, biases = [], []
        for part in moments:
            count, mean = part[0, 0], part[0, 1:] / part[0, 0]
            covariance = part[1:, 1:] / count - np.outer(mean[:size], mean)
            xx, xy = covariance[:, :size], covariance[:, size:]
            penalty = ridge * np.diag(xx).mean() * np.eye(size)
            weights.append(np.linalg.lstsq(xx + penalty, xy, rcond=None)[0])
            biases.append(mean[size:] - mean[:size] @ weights[-1])
        self.weight_ = np.concatenate(weights, -1)  # (feature, horizon)
        self.bias_ = np.concatenate(biases)
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
