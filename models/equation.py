"""The law of the data, followed from where it was last seen: the prior as a forecaster.

    dx/dt = N(x),    ŝ = argmin_s Σ_k |m (y[t−rows+1+k] − φ_k(s)) / σ|²,    k = 0 … rows − 1

    ŷ[t+h] = φ_{rows−1+h}(ŝ)

y (rows, n, c) are the last rows of a past in data units, m what of them was observed, φ_k the flow
up to the k-th of them, by Runge–Kutta steps as fine as are needed. Fitting the way to several rows
keeps the noise of one out of the forecast: of c channels that see each other's motion, a velocity
that nobody measured is found as well. More rows are worse where the law is but nearly true, so
`rows` is chosen on validation. Nothing is learned of the law: it is stated by the data, or given,
with its constants. In the assimilation of weather this is 4D-Var without a background. Le Dimet &
Talagrand, Variational algorithms for analysis and assimilation of meteorological observations,
Tellus A 38 (1986).
"""

from __future__ import annotations

from typing import Literal, Self, final

import numpy as np

from stsfm.datasets.equations.arrange import Arrangement, arranged
from stsfm.datasets.equations.base import Equation
from stsfm.datasets.equations.start import fine, fitted, followed
from stsfm.datasets.panel import About, Array, Forecast, Panel, Space
from stsfm.datasets.transform import Transform
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster
from stsfm.models.numerics.recurrence import held_out

ROWS = (1, 2, 4, 8, 16, 32)  # where validation chooses
FEW = 48  # windows that are enough for it


@final
class FollowedLaw(Forecaster):
    """The flow of a given equation, from a state fitted to the last rows."""

    cite = "ledimet1986"
    classes = frozenset({"physics", "state-space"})
    tags = frozenset({"missing"})
    needs = frozenset({"equation"})

    def __init__(self, *, rows: int | Literal["auto"]) -> None:
        if rows != "auto" and rows < 1:
            raise ValueError(f"rows must be at least 1 or auto, got {rows}")
        self.rows = rows
        self.reads = ROWS[-1] if rows == "auto" else rows

    def lacks(self, offered: frozenset[str]) -> str:
        if self.needs <= offered:
            return ""
        return "equation follows a law, and the data state none; given=pendulum states one"

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        self._learn(train)
        if self.rows != "auto":
            self.rows_ = np.int64(self.rows)
        else:
            _, windows = held_out(train, val)
            windows = windows.subset(slice(None, None, max(1, len(windows) // FEW)))
            misses = []
            for rows in ROWS:
                self.rows_ = np.int64(rows)
                misses.append(self._missed(windows))
            self.rows_ = np.int64(ROWS[int(np.argmin(misses))])
        return self

    def refit(self, development: RollingWindows) -> Self:
        return self._learn(development)

    def predict(self, past: Panel, future: Panel) -> Forecast:
        batch = past.values.shape[:-3]
        one = lambda panel: panel.part(None) if not batch else panel  # noqa: E731
        point = self._followed(one(past.only_targets()), one(future))
        return Forecast(point=point if batch else point[0])

    def _learn(self, windows: RollingWindows) -> Self:
        """The units of the windows, the spread of a state, and how fine the steps have to be."""
        panel = windows.panel.only_targets()
        law, way = _stated(panel.about)
        shape, transform = panel.values.shape[1:], windows.transform
        self.shift_ = np.broadcast_to(transform.shift, shape).copy()
        self.scale_ = np.broadcast_to(transform.scale, shape).copy()
        power = transform.power
        self.power_ = np.zeros(0) if power is None else np.broadcast_to(power, shape).copy()
        self.step_ = np.float64(np.median(np.diff(panel.time)) / 1e9)  # s
        self.graph_ = np.zeros(0)
        if "graph" in law.needs:
            if panel.space.changes:
                raise ValueError("a law follows one graph, and this one changes in time")
            self.graph_ = np.asarray(panel.space.adjacency, float)
        rows, seen = way.rows(self._units.inverse(panel.values), panel.mask)
        spread = [rows[..., c][seen[..., c]].std() if seen[..., c].any() else 0.0
                  for c in range(rows.shape[-1])]  # fmt: skip
        known = max(spread)
        self.spread_ = np.array([s or known or 1.0 for s in spread])  # (channel of the law,)
        some = rows[:: max(1, len(rows) // FEW)].reshape(-1, *rows.shape[-2:])
        self.steps_ = np.int64(fine(law, some, float(self.step_), self._space))
        return self

    def _missed(self, windows: RollingWindows) -> float:
        """Mean absolute error over windows, in transformed units; infinite where it flies off."""
        made, future = self.backtest(windows).point, windows.futures()
        off = abs(made - future.values)[future.mask]
        return float(off.mean()) if len(off) and np.isfinite(off).all() else np.inf

    def _followed(self, past: Panel, future: Panel) -> Array:
        """Pasts (b, t, n, c) and the frames of their futures → (b, h, n, c)."""
        law, way = _stated(future.about)
        rows = min(int(self.rows_), len(past))
        past = past[-rows:]
        values, seen = way.rows(self._units.inverse(past.values), past.mask)
        count = values.shape[2:-2]  # fields that lie apart
        values, seen = (_first(x, len(count)) for x in (values, seen))
        stamps = np.concatenate([past.time, future.time], 1)
        seconds = np.diff(stamps) / 1e9  # (b, rows − 1 + h)
        seconds = np.where(seconds > 0, seconds, self.step_)  # rows before the first have no stamp
        seconds = np.repeat(seconds, int(np.prod(count)), 0)
        start = fitted(
            law, values, seen, seconds[:, : rows - 1], self._space, int(self.steps_), self.spread_
        )
        made = followed(law, start, seconds, self._space, int(self.steps_))[:, rows:]
        made = way.outward(_last(made, len(past.values), count))
        with np.errstate(divide="ignore", invalid="ignore"):  # no logarithm: the run will say so
            return self._units.forward(made)

    @property
    def _space(self) -> Space:
        return Space(adjacency=self.graph_ if np.size(self.graph_) else None)

    @property
    def _units(self) -> Transform:
        power = self.power_ if np.size(self.power_) else None
        return Transform(shift=self.shift_, scale=self.scale_, power=power)


def _stated(about: About) -> tuple[Equation, Arrangement]:
    if about.law is None:
        raise ValueError(f"{about.name} states no law; given=pendulum states one")
    return about.law, arranged(about.law, about)


def _first(x: Array, apart: int) -> Array:
    """(b, t, k, n, 1) → (b k, t, n, 1): fields that lie apart are windows of their own."""
    return np.moveaxis(x, 2, 1).reshape(-1, x.shape[1], *x.shape[3:]) if apart else x


def _last(x: Array, batch: int, count: tuple[int, ...]) -> Array:
    """(b k, h, n, 1) → (b, h, k, n, 1)"""
    return np.moveaxis(x.reshape(batch, *count, *x.shape[1:]), 1, 2) if count else x
