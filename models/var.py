"""All series continue together: each value on the last p of every series.

    y[t] = c + A₁ y[t−1] + … + A_p y[t−p] + e[t],    ŷ[t+h] by iteration
    A = argmin Σ |y − c − A y_lags|² + λ n v |A|²

y (D) holds all nodes and channels; n counts the rows and v is the mean variance of the lags, so λ
has no units; auto is the least error one step ahead on validation. At λ = 0 it is least squares,
the same in any coordinates, and then needs ten rows for each of its D · p lags: a higher order is
lowered to the highest that has them. Rows without gaps are learned from; where they are fewer than
the lags, all rows, and a gap stands at the mean of its series. In a past it stands at the model's
own forecast of it, and at the mean where there are no p rows to make one.
Lütkepohl, New introduction to multiple time series analysis (2005), §3.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self, final

import numpy as np

from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster
from stsfm.models.numerics.gaps import means
from stsfm.models.numerics.ridge import GRID, Moments, best

CELLS = 4_000_000  # of a design held at once
ROWS = 10  # for each lag, where nothing is shrunk


@final
class VAR(Forecaster):
    """Vector autoregression by least squares or ridge regression."""

    cite = "lutkepohl2005"
    classes = frozenset({"state-space"})
    tags = frozenset({"missing"})

    def __init__(self, *, order: int, ridge: float | Literal["auto"]) -> None:
        if order < 1:
            raise ValueError(f"order must be at least 1, got {order}")
        if ridge != "auto" and ridge < 0:
            raise ValueError(f"ridge must be at least 0 or auto, got {ridge}")
        self.order = order
        self.ridge = ridge
        self.reads = 2 * order  # half of them to fill the gaps of the others

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        self.order_ = np.int64(self._order(train.panel))
        self.ridge_ = np.float64(self._choose(train, val) if self.ridge == "auto" else self.ridge)
        return self.refit(train)

    def refit(self, development: RollingWindows) -> Self:
        panel = development.panel.only_targets()
        whole = self._moments(panel, 0).solve(float(self.ridge_))
        self.constant_ = whole[0]  # c (D,)
        self.lags_ = whole[1:].reshape(int(self.order_), -1, whole.shape[-1])  # Aᵢᵀ (p, D, D)
        self.mean_ = means(panel)
        return self

    def predict(self, past: Panel, future: Panel) -> Forecast:
        past, order = past.only_targets(), int(self.order_)
        shape = (*past.values.shape[:-2], -1)
        rows: Array = np.where(past.mask, past.values, self.mean_)
        rows = rows.reshape(shape)  # (*b, t, D)
        seen = past.mask.reshape(shape)
        for t in range(order, rows.shape[-2]):
            if not seen[..., t, :].all():
                made = self._step(rows[..., t - order : t, :])
                rows[..., t, :] = np.where(seen[..., t, :], rows[..., t, :], made)
        last = rows[..., rows.shape[-2] - order :, :]
        steps = []
        for _ in range(len(future)):
            steps.append(self._step(last))
            last = np.concatenate([last[..., 1:, :], steps[-1][..., None, :]], -2)
        return Forecast(point=np.stack(steps, -2).reshape(future.values.shape))

    def states(self, windows: RollingWindows) -> Mapping[str, Array]:
        """The eigenvalues of the companion matrix."""
        order, size = int(self.order_), self.constant_.size
        companion = np.eye(order * size, k=-size)
        companion[:size] = np.concatenate(list(self.lags_.swapaxes(1, 2)), 1)
        return {"eigenvalues": np.linalg.eigvals(companion).astype(complex)}

    def _step(self, last: Array) -> Array:
        """The row after the last p (*batch, p, D), oldest first."""
        newest_first = last[..., ::-1, :].reshape(*last.shape[:-2], -1)
        return newest_first @ self.lags_.reshape(-1, len(self.constant_)) + self.constant_

    def _order(self, panel: Panel) -> int:
        """As asked for, lowered where nothing is shrunk and the rows are too few."""
        size, rows = panel.only_targets().values[0].size, len(panel)
        if self.ridge != 0:
            return self.order
        most = rows // (ROWS * size)
        if most < 1:
            raise ValueError(
                f"var of {size} series needs {ROWS * size} rows to learn from without shrinkage, "
                f"got {rows}; set model.ridge above 0, or auto"
            )
        return min(self.order, most)

    def _choose(self, train: RollingWindows, val: RollingWindows) -> float:
        """Of the λ above 0 the best on validation; without one, on the last fifth of training."""
        learned, scored = train.panel, val.panel
        first = int(val.origins.min()) if len(val) else len(learned) * 4 // 5
        if not len(val):
            learned, scored = learned.upto(first), learned
        on = self._moments(learned.only_targets(), 0)
        off = self._moments(scored.only_targets(), first)
        return best(lambda ridge: off.error(on.solve(ridge)).sum(), GRID[1:])

    def _moments(self, series: Panel, first: int) -> Moments:
        """Of [1, y[t−1], …, y[t−p]] and y[t] over the rows t from `first`."""
        order, whole = int(self.order_), series.mask.all((-2, -1))
        values: Array = np.where(series.mask, series.values, means(series))
        values = values.reshape(len(series), -1)
        rows = np.arange(max(order, first), len(series))
        if not len(rows):
            raise ValueError(f"var needs more than {order} rows, got {len(series)}")
        full = rows[whole[rows[:, None] - np.arange(order + 1)].all(-1)]
        features = 1 + order * values.shape[1]
        rows = full if len(full) >= features else rows
        total, size = Moments.none(), max(1, CELLS // features)
        for start in range(0, len(rows), size):
            at = rows[start : start + size]
            lags = values[at[:, None] - 1 - np.arange(order)].reshape(len(at), -1)
            total += Moments.of(np.column_stack([np.ones(len(at)), lags]), values[at])
        return total
