"""Losses of a distribution.

quantile      max(τ(y − q), (τ − 1)(y − q)), mean over the levels τ    (Koenker & Bassett 1978)
gaussian_nll  log σ + (y − μ)² / 2σ² + log(2π)/2
"""

from dataclasses import dataclass
from math import log, pi

from stsfm.datasets.panel import Array, xp
from stsfm.losses.base import Cost, Step, Term


def pinball(quantiles: Array, truth: Array, levels: tuple[float, ...]) -> Array:
    """Pinball loss (…, level) of quantiles (…, level) against a truth (…)."""
    below = [truth - quantiles[..., k] for k in range(len(levels))]
    new = xp(truth)
    losses = [new.maximum(tau * d, (tau - 1) * d) for tau, d in zip(levels, below, strict=True)]
    return new.stack(losses, -1)


@dataclass(frozen=True)
class Quantile(Term):
    """Pinball loss, averaged over `levels`; the point forecast is then the median."""

    kind = "misfit"
    needs = frozenset({"quantiles"})
    levels: tuple[float, ...] = (0.1, 0.5, 0.9)

    def __init__(self, *, levels: tuple[float, ...]) -> None:
        object.__setattr__(self, "levels", tuple(sorted(levels)))
        if not levels or not all(0 < x < 1 for x in levels):
            raise ValueError(f"loss levels must lie between 0 and 1, got {list(levels)}")
        if 0.5 not in levels:
            raise ValueError(f"loss levels need the median 0.5 as point forecast: {list(levels)}")

    def __call__(self, step: Step) -> Cost:
        forecast = step.forecast
        picked = [forecast.levels.index(x) for x in self.levels]
        quantiles: Array = forecast.quantiles
        loss = pinball(quantiles[..., picked], step.future.values, self.levels)
        return Cost(loss.mean(-1), step.future.mask)


class GaussianNLL(Term):
    """Negative log-likelihood of a Gaussian with the forecast's point and scale."""

    kind = "density"
    needs = frozenset({"scale"})

    def __call__(self, step: Step) -> Cost:
        scale = step.forecast.scale
        z = (step.future.values - step.forecast.point) / scale
        return Cost(xp(scale).log(scale) + z**2 / 2 + log(2 * pi) / 2, step.future.mask)
