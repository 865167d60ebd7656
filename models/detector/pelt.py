"""The best segments under a price for each change: PELT, exactly, behind a gate.

    min over changes τ₁ < … < τ_K of   Σ_k C(τ_k, τ_k+1) + β K

C is the squared distance from a level, or from a line where that pays (changes/costs.py); every row
is a candidate. β is the price that `alpha` of surrogates without a change would pay for one, and
the gate lets through what shows more than they do: changes/survey.py.
Killick, Fearnhead & Eckley, Optimal detection of changepoints with a linear computational cost,
Journal of the American Statistical Association 107 (2012).
"""

from __future__ import annotations

from typing import final

import numpy as np

from stsfm.datasets.panel import Array, Panel
from stsfm.models.numerics.changes.costs import Costs, Kind
from stsfm.models.numerics.changes.partition import best, calibrated, changes
from stsfm.models.numerics.changes.survey import Survey
from stsfm.models.segmenter import Segmentation, Segmenter


@final
class Pelt(Segmenter):
    """The best segments under a price for each change (PELT)."""

    cite = "killick2012"
    calibrated = True

    def __init__(self, *, kind: Kind, least: int, penalty: float, survey: Survey) -> None:
        if least < 2 or penalty <= 0:
            raise ValueError(f"wanted least of 2 and penalty above 0, got {least} and {penalty}")
        self.kind, self.least, self.penalty, self.survey = kind, least, penalty, survey

    def segment(self, panel: Panel) -> Segmentation:
        return self.survey.of(panel, self)

    def price(self, twins: Array, seen: Array, alpha: float) -> float:
        return self.penalty * calibrated(twins, seen, self.kind, self.least, alpha)

    def rows(self, signal: Array, seen: Array, price: float) -> list[int]:
        costs = Costs(signal[None], seen, price / 2, self.kind)
        return changes(best(costs, np.array([price]), self.least)[0])
