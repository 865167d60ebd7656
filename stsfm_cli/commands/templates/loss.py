"""Say in one sentence what the loss prices.

cost  |e| (1 + (low − 1) 1[e < 0]),  e = ŷ − y          per cell, in transformed units
"""

from dataclasses import dataclass

from stsfm.losses.base import Cost, Step, Term


@dataclass(frozen=True, kw_only=True)
class MyLoss(Term):
    """Absolute error; a forecast that is too low costs `low` times as much."""

    low: float

    def __post_init__(self) -> None:
        if self.low <= 0:
            raise ValueError(f"low must be above 0, got {self.low}")

    def __call__(self, step: Step) -> Cost:
        error = step.forecast.point - step.future.values
        # value and weight: a cell that was not observed weighs nothing
        return Cost(abs(error) * (1 + (self.low - 1) * (error < 0)), step.future.mask)
