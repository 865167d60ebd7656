"""Support vector regression of each step on the last values, shared by all nodes and channels.

    ŷ_h = f_h(x),    f_h = argmin  ½ |f|² + C Σ max(0, |y_h − f(x)| − ε)

x (context) are the last values. kernel = linear is f = w x + b; rbf is a sum of Gaussians about the
windows that were learned from, exp(−γ |x − x_i|²), γ = 1 / (context · var x). Each row of the
future has a machine of its own. A machine takes the square of its rows in time, so that at most
`rows` windows without gaps are learned from: they lie evenly over all nodes and all of training, by
the golden ratio and not by chance. A gap in a past stands at 0, the mean of train.
Drucker, Burges, Kaufman, Smola & Vapnik, Support vector regression machines, NeurIPS (1996), by
scikit-learn; a baseline of traffic forecasting since Wu, Ho & Lee, IEEE T-ITS 5 (2004).
"""

from __future__ import annotations

from typing import Literal, Self, final

import numpy as np

from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster

GOLDEN = (5**0.5 - 1) / 2
CELLS = 4_000_000  # of a kernel held at once
FEWEST = 2  # rows


@final
class SVR(Forecaster):
    """Support vector machines, one for each step ahead."""

    cite = "drucker1997svr"
    classes = frozenset({"direct", "nonparametric"})
    tags = frozenset({"missing", "new_nodes"})

    def __init__(
        self,
        *,
        context: int,
        kernel: Literal["linear", "rbf"],
        strength: float,
        margin: float,
        rows: int,
    ) -> None:
        if kernel not in ("linear", "rbf"):
            raise ValueError(f"kernel must be linear or rbf, got {kernel!r}")
        for name, value, least in (("context", context, 1), ("rows", rows, FEWEST)):
            if value < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")
        if strength <= 0 or margin < 0:
            raise ValueError(
                f"strength must be above 0 and margin at least 0, got {strength} and {margin}"
            )
        self.context = context
        self.kernel = kernel
        self.strength = strength
        self.margin = margin
        self.rows = rows
        self.reads = context

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        x, y = self._examples(train)
        self.width_ = np.float64(1 / max(x.var() * self.context, 1e-12))  # γ
        self.support_ = x if self.kernel == "rbf" else np.eye(self.context)  # (row, context)
        self.weight_, self.bias_ = np.zeros((len(self.support_), y.shape[1])), np.zeros(y.shape[1])
        for step, target in enumerate(y.T):
            self.weight_[:, step], self.bias_[step] = self._machine(x, target)
        used = self.weight_.any(1)
        self.support_, self.weight_ = self.support_[used], self.weight_[used]
        return self

    def predict(self, past: Panel, future: Panel) -> Forecast:
        x = np.moveaxis(past.only_targets().values, -3, -1)  # (*b, n, c, t)
        flat = x.reshape(-1, self.context)
        size = max(1, CELLS // max(1, len(self.support_)))
        parts = [
            self._features(flat[i : i + size]) @ self.weight_ for i in range(0, len(flat), size)
        ]
        made = np.concatenate(parts) + self.bias_
        return Forecast(point=np.moveaxis(made.reshape(*x.shape[:-1], -1), -1, -3))

    def _features(self, x: Array) -> Array:
        """What a machine weighs: x itself, or how near it is to each support, (row, support)."""
        if self.kernel == "linear":
            return x @ self.support_.T
        apart = (x**2).sum(1)[:, None] + (self.support_**2).sum(1) - 2 * x @ self.support_.T
        return np.exp(-self.width_ * apart.clip(0))

    def _machine(self, x: Array, y: Array) -> tuple[Array, float]:
        """The weights of features and the constant, for one step."""
        from sklearn import svm

        keys = {"C": self.strength, "epsilon": self.margin, "gamma": float(self.width_)}
        machine = svm.SVR(kernel=self.kernel, **keys).fit(x, y)
        if self.kernel == "linear":
            return machine.coef_[0], float(machine.intercept_[0])
        weights = np.zeros(len(x))
        weights[machine.support_] = machine.dual_coef_[0]
        return weights, float(machine.intercept_[0])

    def _examples(self, windows: RollingWindows) -> tuple[Array, Array]:
        """x (row, context) and y (row, horizon) of windows without gaps, spread evenly."""
        panel, length = windows.panel.only_targets(), self.context + windows.horizon
        starts = windows.origins[windows.origins >= self.context] - self.context
        each = len(starts) * panel.nodes * panel.channels
        if each > self.rows:
            share = GOLDEN * np.arange(1, self.rows + 1) % 1
            picked = np.unique((share * each).astype(int))
        else:
            picked = np.arange(each)
        at, node, channel = np.unravel_index(picked, (len(starts), panel.nodes, panel.channels))
        cells = (starts[at][:, None] + np.arange(length), node[:, None], channel[:, None])
        whole = panel.mask[cells].all(1)
        if whole.sum() < FEWEST:
            raise ValueError(
                f"svr found no {FEWEST} windows without gaps over {length} rows; lower "
                "model.context or raise model.rows"
            )
        values = panel.values[cells][whole]
        return values[:, : self.context], values[:, self.context :]
