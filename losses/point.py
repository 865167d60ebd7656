"""Losses of a point forecast, per cell e = ŷ − y.

mae    |e|
mse    e²
huber  e²/2 where |e| ≤ δ, else δ(|e| − δ/2)        (Huber, Ann. Math. Statist. 35, 1964)
"""

from dataclasses import dataclass

from torch.nn.functional import huber_loss

from stsfm.datasets.panel import Array
from stsfm.losses.base import Cost, Step, Term


def _error(step: Step) -> Array:
    return step.forecast.point - step.future.values


class MAE(Term):
    """Absolute error; its minimiser is the median."""

    kind = "misfit"

    def __call__(self, step: Step) -> Cost:
        return Cost(abs(_error(step)), step.future.mask)


class MSE(Term):
    """Squared error; its minimiser is the mean."""

    kind = "misfit"

    def __call__(self, step: Step) -> Cost:
        return Cost(_error(step) ** 2, step.future.mask)


@dataclass(frozen=True, kw_only=True)
class Huber(Term):
    """Squared near zero, absolute beyond `delta` (in transformed units)."""

    kind = "misfit"
    delta: float

    def __call__(self, step: Step) -> Cost:
        point, truth = step.forecast.point, step.future.values
        value = huber_loss(point, truth, reduction="none", delta=self.delta)
        return Cost(value, step.future.mask)
