"""What a change gains within a window that moves along: its peaks are changes.

    g(t) = C(t − w, t + w) − C(t − w, t) − C(t, t + w),      w the rows on each side

A change is where g is the greatest within w rows, and above β: what g reaches anywhere in `alpha`
of surrogates without a change (changes/survey.py). It sees no trend that is longer than its window
as a change, and no segment that is shorter.
Eichinger & Kirch, A MOSUM procedure for the estimation of multiple random change points, Bernoulli
24 (2018).
"""

from __future__ import annotations

from typing import Literal, final

import numpy as np

from stsfm.datasets.panel import Array, Panel
from stsfm.models.numerics.changes.costs import Costs, Kind
from stsfm.models.numerics.changes.partition import sharpest
from stsfm.models.numerics.changes.survey import Survey
from stsfm.models.segmenter import Segmentation, Segmenter

SHARE = 10  # auto: a tenth of the rows on each side


@final
class Window(Segmenter):
    """Peaks of what a change gains within a moving window (MOSUM)."""

    cite = "eichinger2018"
    calibrated = True

    def __init__(
        self, *, width: int | Literal["auto"], kind: Kind, least: int, penalty: float,
        survey: Survey,
    ) -> None:  # fmt: skip
        if least < 2 or penalty <= 0 or (width != "auto" and width < least):
            raise ValueError(
                "wanted least of 2, width of least and penalty above 0; got "
                f"{least}, {width} and {penalty}"
            )
        self.width, self.kind, self.least = width, kind, least
        self.penalty, self.survey = penalty, survey

    def segment(self, panel: Panel) -> Segmentation:
        return self.survey.of(panel, self)

    def price(self, twins: Array, seen: Array, alpha: float) -> float:
        return self.penalty * sharpest(twins, seen, self.kind, self._windows(len(seen)), alpha)

    def rows(self, signal: Array, seen: Array, price: float) -> list[int]:
        where = self._windows(len(signal))
        gains = Costs(signal[None], seen, price / 2, self.kind).gains(*where)[0]
        wide, found = int(where[1][0] - where[0][0]), []
        for k in np.flatnonzero(gains > price):
            if gains[k] >= gains[max(0, k - wide) : k + wide + 1].max():
                found.append(int(where[1][k]))
        return [row for k, row in enumerate(found) if not k or row - found[k - 1] >= self.least]

    def _windows(self, rows: int) -> tuple[Array, Array, Array]:
        """First row, split and end of every window; as wide as there is room for."""
        wide = max(2 * self.least, rows // SHARE) if self.width == "auto" else self.width
        wide = min(wide, rows // 2)
        at = np.arange(wide, rows - wide + 1)
        return at - wide, at, at + wide
