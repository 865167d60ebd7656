"""One linear map from the last values of a series to its future, shared by all or each its own.

    ŷ − l = W [x − l, u] + b,    W = argmin Σ |y − l − W [x − l, u] − b|² + λ n v |W|²

x (context) are the past values, l their level, u (covariate · (context + horizon)) what is known
ahead, of the past too, whose marks x bears, and y (horizon); n counts the rows of the design and v
is their mean variance, so λ has no units. The step is direct: each row of the future has its own
weights. shared: one map for every node and channel, or one for each of them, which with level none
is the direct autoregression AR(context) of each sensor. Learns from the series of a window that
have no gaps, whose moments slide; where they are fewer than the features, each step learns from
all windows that have a value for it, and a gap stands at the level, as it does when it forecasts.
Zeng et al., Are transformers effective for time series forecasting?, AAAI (2023), in closed form:
Linear is level none and NLinear is last. DLinear is Linear here: the moving average that it splits
off is itself a linear function of x, so that both are the same maps. Hoerl & Kennard, Ridge
regression, Technometrics 12 (1970).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self, final

import numpy as np

from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows, Window
from stsfm.models.base import Forecaster
from stsfm.models.layers.normalise import Normalise, centre
from stsfm.models.numerics.moments import of_windows
from stsfm.models.numerics.ridge import Moments, best

CELLS = 4_000_000  # of a design held at once


@final
class Linear(Forecaster):
    """Ridge regression of the future on the past."""

    cite = "zeng2023ltsf"
    classes = frozenset({"direct"})
    tags = frozenset({"missing", "new_nodes", "known"})

    def __init__(
        self,
        *,
        context: int,
        ridge: float | Literal["auto"],
        normalise: Normalise,
        shared: bool,
    ) -> None:
        if context < 1:
            raise ValueError(f"context must be at least 1, got {context}")
        if ridge != "auto" and ridge < 0:
            raise ValueError(f"ridge must be at least 0 or auto, got {ridge}")
        self.context = context
        self.ridge = ridge
        self.normalise = normalise
        self.shared = shared
        self.reads = context
        if not shared:
            self.tags = self.tags - {"new_nodes"}  # type: ignore[misc]
        self._seen_: tuple[int, Moments] | None = None  # last origin learned from; moments so far

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        self.ridge_ = np.float64(self._choose(train, val) if self.ridge == "auto" else self.ridge)
        return self.refit(train)

    def refit(self, development: RollingWindows) -> Self:
        self._seen_ = None
        return self.update(development)

    def update(self, windows: RollingWindows) -> Self:
        """In closed form: what the windows not seen before add to the moments."""
        last, sofar = self._seen_ or (-1, Moments.none())
        whole = sofar + self._whole(windows.subset(windows.origins > last))
        self._seen_ = max(last, int(windows.origins.max(initial=-1))), whole
        maps = _for_all_steps(self._moments(windows, whole).solve(float(self.ridge_)))
        self.bias_, self.weight_ = (
            maps[:, 0],
            maps[:, 1:],
        )  # (map, horizon), (map, feature, horizon)
        return self

    def predict(self, past: Panel, future: Panel) -> Forecast:
        x, level = self._design(past, future)
        rows = x.reshape(-1, x.shape[-3] * x.shape[-2], x.shape[-1]).swapaxes(0, 1)
        made = rows @ self.weight_ + self.bias_[:, None]  # (n · c, b, horizon)
        point = made.swapaxes(0, 1).reshape(*x.shape[:-1], -1)  # (*b, n, c, horizon)
        return Forecast(point=np.moveaxis(point, -1, -3) + level)

    def _choose(self, train: RollingWindows, val: RollingWindows) -> float:
        """The best on validation; without one, on the last fifth of training."""
        if not len(val):
            cut = len(train) * 4 // 5
            train, val = train.subset(slice(0, cut)), train.subset(slice(cut, None))
        learned, scored = (self._moments(part, self._whole(part)) for part in (train, val))
        return best(lambda ridge: scored.error(_as_in(scored, learned.solve(ridge))).sum())

    def _design(self, past: Panel, future: Panel) -> tuple[Array, Array]:
        """Rows (*batch, node, channel, feature) of the design, and the level of each."""
        centred, level = centre(past.only_targets(), self.normalise)
        x = np.moveaxis(centred, -3, -1)  # (*b, n, c, t)
        known = np.concatenate([past.known, future.known], -3)
        known = np.moveaxis(known, -3, -1)  # (*b, n | 1, k, t)
        known = known.reshape(*known.shape[:-2], 1, -1)  # (*b, n | 1, 1, k · t)
        known = np.broadcast_to(known, (*x.shape[:-1], known.shape[-1]))
        return np.concatenate([x, known], -1), level

    def _moments(self, windows: RollingWindows, whole: Moments) -> Moments:
        """(map, part): `whole` for all steps where each map has as many rows as features.

        Else a part for each step, over all windows that have a value for it.
        """
        mask = windows.panel.only_targets().mask
        ever = mask.any() if self.shared else mask.any(0).reshape(-1, 1)
        if (ever <= (whole.count >= whole.xx.shape[-1])).all():
            return whole
        batches = _batches(windows.look_back(self.context).whole())
        total = sum((self._steps(*window) for window in batches), start=Moments.none())
        if not total.count.ndim or not total.count.sum(0).all():
            need = f"{self.context} rows of past and {windows.horizon} of future"
            raise ValueError(f"no series has values over {need} anywhere; lower model.context")
        return total

    def _whole(self, windows: RollingWindows) -> Moments:
        """(map, 1) over the windows of each series that have no gaps."""
        panel, ahead = windows.panel.only_targets(), windows.offset + windows.horizon
        length, starts = self.context + max(0, ahead), windows.origins - self.context
        each = of_windows(panel, starts[starts >= 0], length, centred=self.normalise != "none")
        maps = [sum(each)] if self.shared else each
        future = np.arange(self.context + windows.offset, self.context + ahead)
        return Moments.stack([self._part(total, length, future) for total in maps])[:, None]

    def _part(self, total: Array, length: int, future: Array) -> Moments:
        """From Σ [1, w]ᵀ [1, w] of whole windows, the level taken off by a change of basis."""
        level, values = np.zeros((2, len(total)))
        values[1 : 1 + length] = 1
        if self.normalise == "last":
            level[self.context] = 1
        elif self.normalise == "mean":
            level[1 : 1 + self.context] = 1 / self.context
        cross = np.outer(values, total @ level)
        total = total - cross - cross.T + np.outer(values, values) * (level @ total @ level)
        rows = np.concatenate([np.arange(self.context), future])
        known = [np.array([], int), *(k + rows for k in range(1 + length, len(total), length))]
        x = np.concatenate([np.arange(1 + self.context), *known])
        y = 1 + future
        return Moments(xx=total[np.ix_(x, x)], xy=total[np.ix_(x, y)], yy=total[y, y])

    def _steps(self, past: Panel, future: Panel) -> Moments:
        """(map, step) over the cells that may be learned from."""
        x, level = self._design(past, future)
        x = np.concatenate([np.ones((*x.shape[:-1], 1)), x], -1, dtype=np.float64)
        y = np.moveaxis(future.values - level, -3, -1)
        begun = past.only_targets().mask.any(-3)[..., None]  # else there is no level
        seen = np.moveaxis(future.mask, -3, -1) & begun
        maps = 1 if self.shared else x.shape[-3] * x.shape[-2]
        x, y, seen = (
            np.moveaxis(a.reshape(-1, maps, a.shape[-1]), 0, 1)[..., None] for a in (x, y, seen)
        )  # (map, row, feature or step, 1)
        steps = range(future.values.shape[-3])
        each = [Moments.of(x[..., 0] * seen[:, :, h], (y * seen)[:, :, h]) for h in steps]
        return Moments.stack(each, 1)


def _for_all_steps(maps: Array) -> Array:
    """Maps of parts (map, 1, 1 + k, h) or (map, h, 1 + k, 1) → (map, 1 + k, h)."""
    return maps[:, 0] if maps.shape[1] == 1 else maps[..., 0].swapaxes(1, 2)


def _as_in(moments: Moments, maps: Array) -> Array:
    """Maps in the parts of other moments."""
    maps = _for_all_steps(maps)
    return maps[:, None] if moments.xx.shape[1] == 1 else maps.swapaxes(1, 2)[..., None]


def _batches(windows: RollingWindows) -> Iterator[Window]:
    frame = windows.frame
    features = (frame.context + frame.horizon) * (1 + frame.covariates)
    size = max(1, CELLS // (features * frame.nodes * frame.channels))
    for start in range(0, len(windows), size):
        yield windows.take(slice(start, start + size))
