"""Changes of the distribution, whatever changes in it: segments that are alike to a kernel.

    C(a, e) = Σ_t k(x_t, x_t) − 1/(e − a) Σ_tu k(x_t, x_u),      k(x, y) = exp(−γ |x − y|²)

The segments are the best under a price β for each change, by ruptures' KernelCPD; 1/γ is the median
of |x − y|². β is what the best change gains in `alpha` of surrogates without any. The gate before
it looks for changes of level: changes/survey.py. A row with a gap is left out.
Arlot, Celisse & Harchaoui, A kernel multiple change-point algorithm via model selection, Journal of
Machine Learning Research 20 (2019).
"""

from __future__ import annotations

from typing import final

import numpy as np
from ruptures import KernelCPD

from stsfm.datasets.panel import Array, Panel
from stsfm.models.numerics.changes.costs import Kind
from stsfm.models.numerics.changes.survey import Survey
from stsfm.models.segmenter import Segmentation, Segmenter

MOST = 3_000  # rows, of which the kernel takes the square


@final
class Kernel(Segmenter):
    """Segments that are alike to a Gaussian kernel (KernelCPD)."""

    cite = "arlot2019"
    kind: Kind = "mean"
    calibrated = True

    def __init__(self, *, least: int, penalty: float, survey: Survey) -> None:
        if least < 2 or penalty <= 0:
            raise ValueError(f"wanted least of 2 and penalty above 0, got {least} and {penalty}")
        self.least, self.penalty, self.survey = least, penalty, survey

    def segment(self, panel: Panel) -> Segmentation:
        if len(panel) > MOST:
            raise ValueError(
                f"a kernel compares all pairs of rows, {MOST:,} rows at most, got {len(panel):,}; "
                "take pelt"
            )
        return self.survey.of(panel, self)

    def price(self, twins: Array, seen: Array, alpha: float) -> float:
        rows = seen.all(1)
        gains = [_gain(twin[rows], self.least) for twin in twins]
        return self.penalty * float(np.quantile(gains, 1 - alpha))

    def rows(self, signal: Array, seen: Array, price: float) -> list[int]:
        at = np.flatnonzero(seen.all(1))
        gamma = {"gamma": _width(signal[at])}
        search = KernelCPD(kernel="rbf", min_size=self.least, jump=1, params=gamma)
        found = search.fit(signal[at]).predict(pen=price)[:-1]
        return [int(at[row]) for row in found]


def _width(x: Array) -> float:
    """γ of rows (t, s)."""
    apart = np.median(_apart(x)[np.triu_indices(len(x), 1)])
    return float(1 / apart) if apart > 0 else 1.0


def _apart(x: Array) -> Array:
    """|x − y|² of all pairs of rows (t, s): (t, t)."""
    square = (x**2).sum(1)
    return (square[:, None] + square - 2 * x @ x.T).clip(0)


def _gain(x: Array, least: int) -> float:
    """Of the best single change."""
    like = np.exp(-_width(x) * _apart(x))
    until = np.zeros((len(x) + 1,) * 2)
    until[1:, 1:] = like.cumsum(0).cumsum(1)
    k, n = np.arange(least, len(x) - least + 1), len(x)
    first = until[k, k]
    second = until[n, n] - until[k, n] - until[n, k] + first
    return float((first / k + second / (n - k)).max() - until[n, n] / n)
