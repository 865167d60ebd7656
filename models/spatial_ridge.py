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
A gap stands at the last value before it, and where there is none at 0, the mean of train; Pᵏ x is
over the nodes that were observed. A row is learned from where its future has no gap.
Li et al., Diffusion convolutional recurrent neural network, ICLR (2018), for P_f and P_b; Evgeniou
& Pontil, Regularized multi-task learning, KDD (2004), for the shrinkage towards a shared map.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self, final

import numpy as np
from scipy.sparse import csr_array

from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster
from stsfm.models.numerics.diffusion import transitions, walk
from stsfm.models.numerics.gaps import carried
from stsfm.models.numerics.ridge import Moments, best
from stsfm.models.numerics.waves import Waves

CELLS = 4_000_000  # of a design held at once
GAIN = 2  # harmonics of the day by which the last value is multiplied
FIRST = 0.1  # λ of the maps whose residuals a graph is learned from


@final
class SpatialRidge(Forecaster):
    """Ridge regression on own and diffused values and on the time of day."""

    cite = "evgeniou2004multitask"
    classes = frozenset({"direct", "graph"})
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
            raise ValueError(
                f"spatial_ridge found no {windows.horizon} rows of future without gaps in any "
                "series; lower protocol.horizon"
            )
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
        whole = carried(past, 0.0).reshape(past.values.shape)
        x = np.moveaxis(whole, -3, -1)  # (*batch, node, channel, time)
        clock = Waves(*self.clock_.tolist())
        waves = clock.at(future.time[..., :1])[..., None, :]  # (*b, 1, 1, feature)
        gain = x[..., -1:] * waves[..., : 2 * min(GAIN, clock.harmonics)]
        known = np.moveaxis(future.known, -3, -1)  # (*b, n | 1, k, h)
        known = known.reshape(*known.shape[:-2], 1, -1)
        parts = [x, *self._diffused(past), waves, gain, known]
        return np.concatenate([np.broadcast_to(p, (*x.shape[:-1], p.shape[-1])) for p in parts], -1)

    def _diffused(self, past: Panel) -> Iterator[Array]:
        """Pᵏ x (*batch, n, c, t) of every walk and order, over the cells that were observed."""
        which, here, there = self.edges_
        for one in range(int(which.max(initial=-1)) + 1):
            at = which == one
            steps = csr_array((self.odds_[at], (here[at], there[at])), (past.nodes, past.nodes))
            values, seen = past.values, past.mask.astype(float)
            for _ in range(self.orders):
                values, seen = (_averaged(steps, a) for a in (values, seen))
                near = np.divide(values, seen, out=np.zeros_like(values), where=seen > 1e-9)
                yield np.moveaxis(near, -3, -1)

    def _prepare(self, windows: RollingWindows) -> None:
        """What the training rows show of the clock, and the walks on the graph."""
        self.clock_ = np.array(Waves.of(windows, self.harmonics))
        self.edges_, self.odds_ = _edges(())
        space = windows.panel.space
        learned = space.graph == "learned"
        self.edges_, self.odds_ = _edges(
            (walk(self._learn_graph(windows)),) if learned else transitions(space)
        )

    def _learn_graph(self, windows: RollingWindows) -> Array:
        """Weights (node, node): i → j where j's last value tells what i's own leave unexplained.

        The correlation, over the training rows, with the residual of the first step: the greatest
        of each node, and only those above 0.
        """
        maps = self._solve(self._moments(windows), FIRST)
        parts = [
            ((y - x @ maps)[..., 0] * x[..., 0], x[..., self.context])
            for x, y in self._rows(windows)
        ]
        left, last = (np.concatenate(each, -1) for each in zip(*parts, strict=True))
        left, last = (x - x.mean(-1, keepdims=True) for x in (left, last))  # (n · c, row)
        spread = np.outer(np.linalg.norm(left, axis=-1), np.linalg.norm(last, axis=-1))
        agree = np.divide(left @ last.T, spread, out=np.zeros_like(spread), where=spread > 0)
        nodes, channels = windows.panel.nodes, len(agree) // windows.panel.nodes
        agree = np.einsum("icjc->ij", agree.reshape(nodes, channels, nodes, channels)) / channels
        np.fill_diagonal(agree, 0)
        least = np.sort(agree, axis=-1)[:, -min(self.neighbours, nodes), None]
        return np.where(agree >= least, agree, 0).clip(0)


def _edges(walks: tuple[csr_array, ...]) -> tuple[Array, Array]:
    """Walks as arrays that can be saved: which, row and column (3, edge), and the odds (edge,)."""
    empty = np.zeros((3, 0), int), np.zeros(0)
    found = [each.tocoo() for each in walks]
    where = [np.stack([0 * w.row + i, w.row, w.col]) for i, w in enumerate(found)]
    return np.hstack([empty[0], *where]), np.hstack([empty[1], *(w.data for w in found)])


def _by_series(x: Array) -> Array:
    """(*batch, node, channel, k) → (node · channel, batch, k)."""
    return x.reshape(-1, x.shape[-3] * x.shape[-2], x.shape[-1]).swapaxes(0, 1)


def _averaged(steps: csr_array, x: Array) -> Array:
    """P x over the nodes of (*batch, time, node, channel)."""
    turned = np.moveaxis(x, -2, 0)  # (n, *b, t, c)
    return np.moveaxis((steps @ turned.reshape(len(turned), -1)).reshape(turned.shape), 0, -2)
