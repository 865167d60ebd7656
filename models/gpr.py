"""All series continue together, by a smooth function of their last p rows: a Gaussian process.

    y[t+1] − y[t] = g(f[t]) + e,    f[t] = (y[t], …, y[t−p+1]),   g_i ~ GP(0, k_i), e_i ~ N(0, σ_i²)
    ŷ[t+h] by iteration of the mean,    P[t+1] = F P[t] Fᵀ + diag(v(f) + σ²),    F = ∂f[t+1] / ∂f[t]

y (D) holds all nodes and channels. The kernel is C · RBF, with a length for each number of f, and
white noise; its keys are chosen by evidence on train (numerics/gaussian_process.py). Increments are
learned, so that far from train, where g is their mean, a series goes straight on. The scale of a
forecast is that of P, propagated to first order from P = 0 at the origin: it widens where the
function stretches, and no number is drawn. p = auto is 1, or a season and a row where these err
less on validation and are `WIDEST` numbers at most: a season that is not seen cannot be continued.
Of more than `max_points` rows as many are learned from, evenly spaced, for a process takes the cube
of its rows in time. They are rows without gaps; where there are hardly any, all rows, and a gap
stands at the mean of its series. In a past it stands at the model's own forecast of it, and at the
mean where there are no p rows to make one.
Rasmussen & Williams, Gaussian Processes for Machine Learning (2006); scale as in Ko & Fox,
GP-BayesFilters, Autonomous Robots 27 (2009).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self, final

import numpy as np

from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster
from stsfm.models.numerics.distances import spread
from stsfm.models.numerics.gaps import foretold, means
from stsfm.models.numerics.gaussian_regression import Regression
from stsfm.models.numerics.recurrence import held_out

FEWEST = 3  # rows to learn from
WIDEST = 50  # numbers of f that an automatic order has at most: each may have its length
CELLS = 4_000_000  # of covariances moved at once


@final
class GPR(Forecaster):
    """Gaussian process regression of increments."""

    cite = "rasmussen2006"
    classes = frozenset({"nonparametric"})
    tags = frozenset({"missing", "intervals"})

    def __init__(
        self,
        *,
        order: int | Literal["auto"],
        lengths: Literal["each", "one"],
        shared: bool | Literal["auto"],
        restarts: int,
        max_points: int,
    ) -> None:
        for name, value, least in (
            ("order", order, 1), ("restarts", restarts, 0), ("max_points", max_points, FEWEST),
        ):  # fmt: skip
            if value != "auto" and value < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")
        if lengths not in ("each", "one"):
            raise ValueError(f"lengths must be each or one, got {lengths!r}")
        self.order, self.lengths, self.shared = order, lengths, shared
        self.restarts, self.max_points = restarts, max_points

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        orders = (self.order,) if self.order != "auto" else _orders(train.panel)
        best = orders[0]
        if len(orders) > 1:
            learned, scored = held_out(train, val)
            best = min(orders, key=lambda order: self._learn(learned, order)._error(scored))
        return self._learn(train.panel, best)

    def refit(self, development: RollingWindows) -> Self:
        return self._learn(development.panel, int(self.order_))

    def _learn(self, panel: Panel, order: int) -> Self:
        self.order_, panel = np.int64(order), panel.only_targets()
        self.reads = 2 * order  # half of them to fill the gaps of the others
        self.mean_ = means(panel).reshape(-1)  # (D,)
        self._map = Regression.learn(
            *self._examples(panel), lengths=self.lengths, shared=self.shared, restarts=self.restarts
        )
        self.x_, self.y_, self.theta_ = self._map.x, self._map.y, self._map.thetas
        return self

    def _error(self, windows: RollingWindows) -> float:
        """The mean squared error over the windows, where they were observed."""
        total = cells = 0.0
        for part in windows.batches(self.reads):
            past, future = part.look_back(self.reads).take(slice(None))
            came = future.only_targets()
            off = (self.predict(past, future.blank()).point - came.values)[came.mask]
            total, cells = total + float(off @ off), cells + off.size
        return total / max(1.0, cells)

    def predict(self, past: Panel, future: Panel) -> Forecast:
        rows = self._filled(past.only_targets())  # (*b, t, D)
        last = rows[..., : -int(self.order_) - 1 : -1, :]  # newest first
        last = last.reshape(-1, last.shape[-2] * last.shape[-1])  # f (b, p D)
        size = max(1, CELLS // last.shape[1] ** 2)
        made = [self._roll(last[i : i + size], len(future)) for i in range(0, len(last), size)]
        point, scale = map(np.concatenate, zip(*made, strict=True))
        shape = future.values.shape
        return Forecast(point=point.reshape(shape), scale=scale.reshape(shape))

    def _roll(self, last: Array, horizon: int) -> tuple[Array, Array]:
        """f (b, p D) → means and deviations (b, horizon, D)."""
        size = len(self.mean_)
        covariance = np.zeros((*last.shape, last.shape[1]))
        older = np.eye(last.shape[1] - size, last.shape[1])  # rows move back by one
        moved = np.broadcast_to(older, (len(last), *older.shape))
        points, scales = [], []
        for _ in range(horizon):
            step = self._map.slope(last)
            step[:, :, :size] += np.eye(size)
            matrix = np.concatenate([step, moved], 1)  # F
            covariance = matrix @ covariance @ matrix.swapaxes(1, 2)
            diagonal = np.arange(size)
            covariance[:, diagonal, diagonal] += self._map.variance(last)
            newest = last[:, :size] + self._map.mean(last)
            last = np.concatenate([newest, last[:, :-size]], 1)
            points.append(newest)
            scales.append(np.sqrt(covariance[:, diagonal, diagonal]))
        return np.stack(points, 1), np.stack(scales, 1)

    def _examples(self, panel: Panel) -> tuple[Array, Array]:
        """f (row, p D) and increments (row, D), of rows without gaps."""
        order, seen = int(self.order_), panel.mask.reshape(len(panel), -1)
        values = np.where(seen, panel.values.reshape(len(panel), -1), self.mean_)
        at = np.arange(order, len(values))[:, None] - np.arange(order + 1)  # newest first
        whole = at[seen.all(1)[at].all(1)]
        at = whole if len(whole) >= FEWEST else at
        if len(at) < FEWEST:
            raise ValueError(f"gpr needs {order + FEWEST} rows to learn from, got {len(values)}")
        at = at[spread(len(at), self.max_points)]
        return values[at[:, 1:]].reshape(len(at), -1), values[at[:, 0]] - values[at[:, 1]]

    def _filled(self, past: Panel) -> Array:
        """(*b, t, D), gaps at the forecast of them."""
        flat, size = (*past.values.shape[:-2], -1), len(self.mean_)
        seen = past.mask.reshape(flat)
        rows = np.where(seen, past.values.reshape(flat), self.mean_)

        def step(last: Array) -> Array:
            made = self._map.mean(last.reshape(-1, last.shape[-1]))
            return last[..., :size] + made.reshape(*last.shape[:-1], size)

        return foretold(rows, seen, int(self.order_), step)

    def load(self, folder: Path) -> Self:
        super().load(folder)
        self.reads = 2 * int(self.order_)
        self._map = Regression(self.x_, self.y_, self.theta_)
        return self


def _orders(panel: Panel) -> tuple[int, ...]:
    """One row; and a season and a row, where the panel has a season and these are few numbers."""
    season, size = panel.about.season, panel.only_targets().values[0].size
    return (1, season + 1) if season > 1 and (season + 1) * size <= WIDEST else (1,)
