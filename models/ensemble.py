"""Several models as one: their forecasts, averaged.

    ŷ = ŷ₁ + Σ_m a_m (ŷ_m − ŷ₁),    a ≥ 0,  Σ a = 1

mean     a_m = 1/M
median   of the M forecasts of a cell, each by itself; no a
stacked  a = argmin aᵀ G a over the simplex,  G = Σ e eᵀ on validation,  e_m = ŷ_m − y  (M)
         then a ← (1 − s) a + s/M, s = shrink; one a for all steps, or one per step

a (M), ŷ_m (window, time, node, channel). As weights sum to 1, the errors are
averaged as the forecasts are, and G holds all that validation can tell. No vertex of the simplex
is better than its best point: without shrinkage the squared error on validation is at most that of
the best member, in transformed units. For the same reason the validation score of a stacked
ensemble is that of weights chosen there. Members that agree are given back bit for bit.

Where all members forecast a distribution, quantiles are averaged as points are (Vincent, 1912), at
the levels that all have; Gaussians stay Gaussian by that. Members that draw no random numbers are
refitted before the test border, the others keep what validation chose, and so does a.
Bates & Granger, The combination of forecasts, Operational Research Quarterly 20 (1969); Wolpert,
Stacked generalization, Neural Networks 5 (1992); Breiman, Stacked regressions, Machine Learning 24
(1996), with weights ≥ 0, here with Σ a = 1 besides; Diebold & Pauly, International Journal of
Forecasting 6 (1990), who shrink towards equal weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import Literal, Self, final

import numpy as np
from scipy.optimize import nnls
from scipy.special import ndtri

from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.transform import LEVELS
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster

Library = Callable[[str], Path | None]  # a member → what its own run learned, where there is one


@final
class Ensemble(Forecaster):
    """The mean, the median or the best average on validation of its members."""

    cite = "bates1969combination"

    def __init__(
        self,
        library: Library,
        /,
        *,
        members: Mapping[str, Forecaster],
        weights: Literal["mean", "median", "stacked"],
        per_step: bool,
        shrink: float,
    ) -> None:
        if len(members) < 2:
            raise ValueError(f"an ensemble has two members or more, got {list(members)}")
        if not 0 <= shrink <= 1:
            raise ValueError(f"shrink must be from 0 to 1, got {shrink}")
        self.library, self.members = library, dict(members)
        self.weights, self.per_step, self.shrink = weights, per_step, shrink
        tags = [member.tags for member in self.members.values()]
        one = frozenset[str].union(*tags) & {"known", "graph", "anchored"}  # is enough, of these
        self.tags = frozenset.intersection(*tags) | one  # type: ignore[misc]
        self._look_back()
        self.weight_ = np.full((1, len(members)), 1 / len(members))  # (horizon | 1, member)

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        """Fit each member, or load what it learned in a run of its own; then the weights."""
        for name, member in self.members.items():
            kept = None if _refits(member) else self.library(name)
            with _named(name):
                member.fit(train, val) if kept is None else member.load(kept)
        self._look_back()
        if self.weights == "stacked":
            if not len(val):
                raise ValueError("stacked weights are learned on validation, and there is none")
            self.weight_ = self._stacked(val)
        return self

    def refit(self, development: RollingWindows) -> Self:
        for name, member in self.members.items():
            if _refits(member):
                with _named(name):
                    member.refit(development)
        return self

    def update(self, windows: RollingWindows) -> Self:
        for name, member in self.members.items():
            with _named(name):
                member.update(windows)
        return self

    def predict(self, past: Panel, future: Panel) -> Forecast:
        every = {
            name: member.predict(past if member.reads is None else past[-member.reads :], future)
            for name, member in self.members.items()
        }
        return self._combined(every)

    def backtest(self, windows: RollingWindows) -> Forecast:
        return self._combined({n: member.backtest(windows) for n, member in self.members.items()})

    @property
    def parameters(self) -> int:
        own = self.weight_.size if self.weights == "stacked" else 0
        return own + sum(member.parameters for member in self.members.values())

    def save(self, folder: Path) -> None:
        super().save(folder)
        for name, member in self.members.items():
            member.save(folder / name)

    def load(self, folder: Path) -> Self:
        super().load(folder)
        for name, member in self.members.items():
            member.load(folder / name)
        self._look_back()
        return self

    def _look_back(self) -> None:
        """As far as the member that reads most; some know it only once they are fitted."""
        reads = [member.reads for member in self.members.values()]
        self.reads = None if None in reads else max(reads)  # type: ignore[type-var]

    def _stacked(self, val: RollingWindows) -> Array:
        """The best weights on validation, (horizon | 1, member)."""
        products: Array = 0.0  # Σ e eᵀ (horizon, member, member)
        for part in val.batches(self.reads):
            future = part.futures()
            points = self._points({n: m.backtest(part) for n, m in self.members.items()})
            errors = np.stack([(point - future.values) * future.mask for point in points])
            errors = np.moveaxis(errors, (2, 0), (0, 1))  # (t, m, w, n, c)
            errors = errors.reshape(*errors.shape[:2], -1)
            products = products + errors @ errors.swapaxes(1, 2)
        parts = products if self.per_step else products.sum(0, keepdims=True)
        best = np.stack([simplex(part) for part in parts])
        return (1 - self.shrink) * best + self.shrink / best.shape[1]

    def _combined(self, forecasts: Mapping[str, Forecast]) -> Forecast:
        point = self._average(self._points(forecasts))
        every = list(forecasts.values())
        if all(forecast.scale is not None for forecast in every):
            return Forecast(point=point, scale=self._average([f.scale for f in every]))
        levels = reduce(lambda a, b: tuple(x for x in a if x in b), map(_levels, every))
        if not levels:
            return Forecast(point=point)
        quantiles = self._average([_quantiles(each, levels) for each in every], behind=3)
        return Forecast(point=point, quantiles=quantiles, levels=levels)

    def _points(self, forecasts: Mapping[str, Forecast]) -> list[Array]:
        """Of each member; what is no number is no vote, and is not left out in silence."""
        for name, forecast in forecasts.items():
            if not np.isfinite(forecast.point).all():
                raise FloatingPointError(f"the member {name} forecasts what is not finite")
        return [forecast.point for forecast in forecasts.values()]

    def _average(self, every: Sequence[Array], behind: int = 2) -> Array:
        """Of arrays (*batch, time, node, channel, …), with so many axes `behind` time."""
        if self.weights == "median":
            return np.median(np.stack(every), axis=0)
        total = first = every[0]
        for weights, other in zip(self.weight_.T, every, strict=True):  # (horizon | 1)
            total = total + weights.reshape(-1, *behind * [1]) * (other - first)
        return total


def simplex(products: Array) -> Array:
    """argmin aᵀ G a over a ≥ 0, Σ a = 1, for G = `products` (member, member), exactly.

    |R u|² + (Σ u − 1)², with G = RᵀR and u = s a, is s² aᵀ G a + (s − 1)²: whatever s is, the a of
    its least value is the one looked for. So non-negative least squares, of Lawson & Hanson (1974),
    finds it. Rounding may not leave it behind a vertex.
    """
    members = len(products)
    if not (size := np.trace(products)):
        return np.full(members, 1 / members)
    values, vectors = np.linalg.eigh(products / size)
    root = np.sqrt(values.clip(0))[:, None] * vectors.T
    found, _ = nnls(np.vstack([root, np.ones(members)]), np.eye(members + 1)[-1])
    candidates = [found / found.sum(), *np.eye(members)]
    return min(candidates, key=lambda a: float(a @ products @ a))


def _refits(member: Forecaster) -> bool:
    """Whether it is fitted again before the test border: it draws no random numbers."""
    return getattr(member, "seed", None) is None


def _levels(forecast: Forecast) -> tuple[float, ...]:
    return forecast.levels if forecast.scale is None else LEVELS


def _quantiles(forecast: Forecast, levels: tuple[float, ...]) -> Array:
    """(…, level), of a Gaussian too."""
    if forecast.scale is not None:
        return forecast.point[..., None] + forecast.scale[..., None] * ndtri(np.array(levels))
    assert forecast.quantiles is not None  # it has levels
    return forecast.quantiles[..., [forecast.levels.index(level) for level in levels]]


@contextmanager
def _named(member: str) -> Iterator[None]:
    """What goes wrong with a member is said of it."""
    try:
        yield
    except Exception as error:
        error.args = (f"the member {member}: {error}",)
        raise
