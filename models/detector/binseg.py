"""The best single change, then the best in each part, while one is worth its price: binary
segmentation.

    k* = argmax over k of   C(a, e) − C(a, k) − C(k, e),      kept where it exceeds β

Greedy and fast; two changes that undo each other can hide one another from the first cut. β is the
gain that the best change reaches in `alpha` of surrogates without any: changes/survey.py.
Scott & Knott, A cluster analysis method for grouping means in the analysis of variance, Biometrics
30 (1974).
"""

from __future__ import annotations

from typing import final

import numpy as np

from stsfm.datasets.panel import Array, Panel
from stsfm.models.numerics.changes.costs import Costs, Kind
from stsfm.models.numerics.changes.partition import sharpest
from stsfm.models.numerics.changes.survey import Survey
from stsfm.models.segmenter import Segmentation, Segmenter


@final
class Binseg(Segmenter):
    """Cuts in two where it gains the most, and each part again (binary segmentation)."""

    cite = "scott1974"
    calibrated = True

    def __init__(self, *, kind: Kind, least: int, penalty: float, survey: Survey) -> None:
        if least < 2 or penalty <= 0:
            raise ValueError(f"wanted least of 2 and penalty above 0, got {least} and {penalty}")
        self.kind, self.least, self.penalty, self.survey = kind, least, penalty, survey

    def segment(self, panel: Panel) -> Segmentation:
        return self.survey.of(panel, self)

    def price(self, twins: Array, seen: Array, alpha: float) -> float:
        where = _cuts(0, len(seen), self.least)
        return self.penalty * sharpest(twins, seen, self.kind, where, alpha)

    def rows(self, signal: Array, seen: Array, price: float) -> list[int]:
        costs = Costs(signal[None], seen, price / 2, self.kind)
        parts, found = [(0, len(signal))], []
        while parts:
            start, end = parts.pop()
            where = _cuts(start, end, self.least)
            gains = costs.gains(*where)[0]
            if len(gains) and gains.max() > price:
                row = int(where[1][gains.argmax()])
                found.append(row)
                parts += [(start, row), (row, end)]
        return sorted(found)


def _cuts(start: int, end: int, least: int) -> tuple[Array, Array, Array]:
    """First row, split and end of every cut of a part."""
    at = np.arange(start + least, end - least + 1)
    return np.full_like(at, start), at, np.full_like(at, end)
