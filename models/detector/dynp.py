"""The best segments for each number of them, by dynamic programming; the number by its price.

    min over changes τ₁ < … < τ_K of   Σ_k C(τ_k, τ_k+1),      for K = 0 … most,   then   + β K

It looks at every segmentation, and so ends where PELT does, where `most` leaves room; with
`changes=K` it finds the best K, whatever they cost. β and the gate before it: changes/survey.py.
Bai & Perron, Computation and analysis of multiple structural change models, Journal of Applied
Econometrics 18 (2003).
"""

from __future__ import annotations

from typing import Literal, final

import numpy as np

from stsfm.datasets.panel import Array, Panel
from stsfm.models.numerics.changes.costs import Costs, Kind
from stsfm.models.numerics.changes.partition import calibrated, of_size
from stsfm.models.numerics.changes.survey import Survey
from stsfm.models.segmenter import Segmentation, Segmenter


@final
class Dynp(Segmenter):
    """The best segments for each number of them (dynamic programming)."""

    cite = "bai2003"
    calibrated = True

    def __init__(
        self, *, changes: int | Literal["auto"], most: int, kind: Kind, least: int, penalty: float,
        survey: Survey,
    ) -> None:  # fmt: skip
        if least < 2 or penalty <= 0 or most < 1 or (changes != "auto" and changes < 1):
            raise ValueError(
                "wanted changes and most of 1, least of 2, penalty above 0; got "
                f"{changes}, {most}, {least} and {penalty}"
            )
        self.changes, self.most, self.kind, self.least = changes, most, kind, least
        self.penalty, self.survey = penalty, survey

    def segment(self, panel: Panel) -> Segmentation:
        return self.survey.of(panel, self)

    def price(self, twins: Array, seen: Array, alpha: float) -> float:
        return self.penalty * calibrated(twins, seen, self.kind, self.least, alpha)

    def rows(self, signal: Array, seen: Array, price: float) -> list[int]:
        costs = Costs(signal[None], seen, price / 2, self.kind)
        if self.changes != "auto":
            return of_size(costs, self.changes, self.least)[-1]
        return min(
            of_size(costs, self.most, self.least),
            key=lambda rows: _total(costs, rows) + price * len(rows),
        )


def _total(costs: Costs, rows: list[int]) -> float:
    edges = np.array([0, *rows, costs.rows])
    return float(costs(edges[:-1], edges[1:]).sum())
