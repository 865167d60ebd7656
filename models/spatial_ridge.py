"""Each node by a linear map of its own: of its past, of the past diffused to it, and of the clock.

    ŷ_n = W_n φ_n + b_n,    φ_n = [x, P_f x, …, P_f^K x, P_b x, …, P_b^K x, c, x₀ c₁, u]_n
    W_n = argmin Σ |y − b − W φ|² + λ m v |W − W̄|²,    W̄ the same for all nodes at once, towards 0

x (context) are the values of a node before the origin, Pᵏ x their averages over what k steps of a
walk reach (orders), c its clock and x₀ c₁ the last value by the first two harmonics of it, as how
long a queue lasts depends on the hour; u is what is known ahead. A row of the future has weights of
its own. λ, without units, is chosen on validation. W̄ is what the nodes share: one with few rows
leans on it, and one with none takes it. The graph is the panel's: none leaves own values and the
clock, shuffled permutes it, and where it is to be learned a node is averaged over the `neighbours`
others whose last values agree best, in training, with what its own leave unexplained.
A gap stands at 0, the mean of train; a row is learned from where its future has none.
Li et al., Diffusion convolutional recurrent neural network, ICLR (2018), for P_f and P_b; Evgeniou
& Pontil, Regularized multi-task learning, KDD (2004), for the shrinkage towards a shared map.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self, final

import numpy as np
from scipy.sparse import csr_array

from stsfm.datasets.about import DAY
from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster
from stsfm.models.layers.diffusion import transitions, walk
from stsfm.models.layers.ridge import Moments, best

CELLS = 4_000_000  # of a design held at once
GAIN = 2  # harmonics of the day by which the last value is multiplied
FIRST = 0.1  # λ of the maps whose residuals a graph is learned from


@final
class SpatialRidge(Forecaster):
    """Ridge regression on own and diffused values and on the time of day."""

    cite = "evgeniou2004multitask"
    tags = frozenset({"missing", "known", "graph"})

    def __init__(
        self,
        *,
        context: int,
        orders: int,
        harmonics: int,
        ridge: float | Literal["auto"],
        neighbours: int,
    ) -> None:
        for name, value, least in (
            ("context", context, 1), ("orders", orders, 0), ("harmonics", harmonics, 0),
            ("neighbours", neighbours, 1),
        ):  # fmt: skip
            if value < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")
        if ridge != "auto" and ridge < 0:
            raise ValueError(f"ridge must be at least 0 or auto, got {ridge}")
        self.context = context
        self.orders = orders
        self.harmonics = harmonics
        self.ridge = ridge
        self.neighbours = neighbours
        self.reads = context

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        self.ridge_ = np.float64(self._choose(train, val) if self.ridge == "auto" else self.ridge)
        return self.refit(train)

    def refit(self, development: RollingWindows) -> Self:
        self._prepare(development)
        maps = self._solve(self._moments(development), float(self.ridge_))
        self.bias_, self.weight_ = maps[:, 0], maps[:, 1:]  # (n · c, h), (n · c, feature, h)
        return self

    def predict(self, past: Panel, future: Panel) -> Forecast:
        rows = _by_series(self._design(past, future))  # (n · c, b, feature)
        made = rows @ self.weight_ + self.bias_[:, None]  # (n · c, b, h)
        *batch, steps, nodes, channels = future.values.shape
        point = made.swapaxes(0, 1).reshape(*batch, nodes, channels, steps)
        return Forecast(point=np.moveaxis(point, -1, -3))

    @property
    def parameters(self) -> int:
        return int(self.weight_.size + self.bias_.size)  # the graph and the clock are no weights

    def _choose(self, train: RollingWindows, val: RollingWindows) -> float:
        """The best on validation; without one, on the last fifth of training."""
        if not len(val):
            cut = len(train) * 4 // 5
            train, val = train.subset(slice(0, cut)), train.subset(slice(cut, None))
        self._prepare(train)
        learned, scored = self._moments(train), self._moments(val)
        return best(lambda ridge: scored.error(self._solve(learned, ridge)).sum())

    def _solve(self, moments: Moments, ridge: float) -> Array:
        """Maps (n · c, 1 + feature, h), shrunk towards the one that all share."""
        return moments.solve(ridge, moments.pooled().solve(ridge))

    def _moments(self, windows: RollingWindows) -> Moments:
        """(n · c) over the rows whose future has no gaps."""
        rows = (Moments.of(*row) for row in self._rows(windows))
        total = sum(rows, start=Moments.none())
        if not total.count.any():
            need = f"{self.context} rows of past and {windows.horizon} of future"
            raise ValueError(f"no series has values over {need} anywhere; lower model.context")
        return total

    def _rows(self, windows: RollingWindows) -> Iterator[tuple[Array, Array]]:
        """[1, φ] and y, (n · c, window, …) of some windows at a time; 0 where not learned from."""
        windows, frame = windows.look_back(self.context).whole(), windows.frame
        features = self.context * (1 + 2 * self.orders) + 6 * self.harmonics
        features += frame.horizon * (1 + frame.covariates)
        for part in windows.batches(0, max(1, CELLS // (features * frame.nodes * frame.channels))):
            past, future = part.take(slice(None))
            x = self._design(past, future)
            x = np.concatenate([np.ones((*x.shape[:-1], 1)), x], -1)
            y = np.moveaxis(future.values, -3, -1)
            seen = future.mask.all(-3)[..., None]
            yield _by_series(x * seen), _by_series(y * seen)

    def _design(self, past: Panel, future: Panel) -> Array:
        """φ (*batch, node, channel, feature)."""
        past = past.only_targets()
        x = np.moveaxis(past.values, -3, -1)  # (*b, n, c, t)
        clock = self._clock(future.time[..., :1])[..., None, :]  # (*b, 1, 1, feature)
        gain = x[..., -1:] * clock[..., : min(2 * GAIN, 2 * int(self.cycle_[0]))]
        known = np.moveaxis(future.known, -3, -1)  # (*b, n | 1, k, h)
        known = known.reshape(*known.shape[:-2], 1, -1)
        parts = [x, *self._diffused(past), clock, gain, known]
        return np.concatenate([np.broadcast_to(p, (*x.shape[:-1], p.shape[-1])) for p in parts], -1)

    def _diffused(self, past: Panel) -> Iterator[Array]:
        """Pᵏ x (*batch, n, c, t) of every walk and order, over the cells that were observed."""
        for which in range(int(self.edges_[0].max(initial=-1)) + 1):
            _, here, there = self.edges_[:, self.edges_[0] == which]
            odds = self.odds_[self.edges_[0] == which]
            steps = csr_array((odds, (here, there)), (past.nodes, past.nodes))
            values, seen = past.values, past.mask.astype(float)
            for _ in range(self.orders):
                values, seen = (_averaged(steps, a) for a in (values, seen))
                near = np.divide(values, seen, out=np.zeros_like(values), where=seen > 1e-9)
                yield np.moveaxis(near, -3, -1)

    def _clock(self, time: Array) -> Array:
        """Waves of the day at stamps (…), and the same again on weekends, (…, feature)."""
        harmonics, weekends = self.cycle_
        angle = 2 * np.pi * (time % DAY / DAY)[..., None] * np.arange(1, harmonics + 1)
        waves = np.stack([np.sin(angle), np.cos(angle)], -1).reshape(*time.shape, -1) * 2**0.5
        ones = np.ones((*time.shape, 1))
        resting = _weekend(time)[..., None] * np.concatenate([ones, waves], -1)
        return np.concatenate([waves, resting], -1) if weekends else waves

    def _prepare(self, windows: RollingWindows) -> None:
        """What the training rows show of the clock, and the walks on the graph."""
        panel, space = windows.panel, windows.panel.space
        step = max(1, int(np.diff(panel.time).min(initial=DAY)))
        day = DAY // step  # rows of a day
        whole = len(panel) >= 2 * day and day > 2
        resting = _weekend(panel.time).sum()
        both = whole and min(resting, len(panel) - resting) >= day
        self.cycle_ = np.array([min(self.harmonics, (day - 1) // 2) * whole, both])
        self.edges_, self.odds_ = np.zeros((3, 0), int), np.zeros(0)
        walks = transitions(space)
        if space.graph == "learned":
            walks = (walk(self._learn_graph(windows)),)
        found = [each.tocoo() for each in walks]
        self.edges_ = np.concatenate(
            [self.edges_, *([0 * w.row + i, w.row, w.col] for i, w in enumerate(found))], -1
        )
        self.odds_ = np.concatenate([self.odds_, *(w.data for w in found)])

    def _learn_graph(self, windows: RollingWindows) -> Array:
        """Weights (node, node): i → j where j's last value goes with what i's own leave unexplained.

        The correlation over the training rows with the mean residual of a window; only the
        greatest of each node, and those above 0.
        """
        maps = self._solve(self._moments(windows), FIRST)
        parts = [
            ((y - x @ maps).mean(-1) * (x[..., 0] > 0), x[..., self.context])
            for x, y in self._rows(windows)
        ]
        left, last = (np.concatenate(each, -1) for each in zip(*parts, strict=True))
        left, last = (x - x.mean(-1, keepdims=True) for x in (left, last))
        size, channels = windows.panel.nodes, len(left) // windows.panel.nodes
        spread = np.outer(np.linalg.norm(left, axis=-1), np.linalg.norm(last, axis=-1))
        agree = np.divide(left @ last.T, spread, out=np.zeros_like(spread), where=spread > 0)
        agree = np.einsum("icjc->ij", agree.reshape(size, channels, size, channels)) / channels
        np.fill_diagonal(agree, 0)
        order = np.argsort(-agree, axis=-1, kind="stable")[:, : self.neighbours]
        kept = np.zeros_like(agree)
        np.put_along_axis(kept, order, np.take_along_axis(agree, order, -1).clip(0), -1)
        return kept


def _by_series(x: Array) -> Array:
    """(*batch, node, channel, k) → (node · channel, batch, k)."""
    return x.reshape(-1, x.shape[-3] * x.shape[-2], x.shape[-1]).swapaxes(0, 1)


def _averaged(steps: csr_array, x: Array) -> Array:
    """P x over the nodes of (*batch, time, node, channel)."""
    turned = np.moveaxis(x, -2, 0)  # (n, *b, t, c)
    return np.moveaxis((steps @ turned.reshape(len(turned), -1)).reshape(turned.shape), 0, -2)


def _weekend(time: Array) -> Array:
    """Is a stamp on a Saturday or a Sunday?"""
    return (time // DAY + 3) % 7 >= 5
