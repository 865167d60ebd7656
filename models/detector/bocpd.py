"""How long it is since the last change, row by row: Bayesian online change point detection.

    p(r_t = r + 1, x₁…ₜ) = p(r_{t−1} = r, x₁…ₜ₋₁) π_r(x_t) (1 − h)
    p(r_t = 0,     x₁…ₜ) = Σ_r p(r_{t−1} = r, x₁…ₜ₋₁) π_r(x_t) h

r is the number of rows since a change, h = 1 / `every` the chance of one after each row, and π_r
the predictive Student-t of the last r rows under a normal–gamma prior of level and precision,
N(μ; 0, 1/(κλ)) Ga(λ; a, b), exact. Where sums become maxima, the same pass finds the most probable
segments, which are the changes. It takes rows as independent: the signal is whitened, and the gate
before it holds false alarms (changes/survey.py).
Adams & MacKay, Bayesian online changepoint detection, arXiv:0710.3742 (2007).
"""

from __future__ import annotations

from typing import final

import numpy as np
from scipy.special import gammaln

from stsfm.datasets.panel import Array, Panel
from stsfm.models.numerics.changes.costs import Kind
from stsfm.models.numerics.changes.survey import Survey
from stsfm.models.segmenter import Segmentation, Segmenter


@final
class Bocpd(Segmenter):
    """Bayesian online change point detection, with Student-t predictives."""

    cite = "adams2007bocpd"
    kind: Kind = "mean"
    least = 2
    calibrated = False  # its price is a prior

    def __init__(self, *, every: float, kappa: float, a: float, b: float, survey: Survey) -> None:
        if every <= 1 or min(kappa, a, b) <= 0:
            raise ValueError(
                f"wanted every above 1, and kappa, a and b above 0; got {every}, {kappa}, {a}, {b}"
            )
        self.every, self.kappa, self.a, self.b, self.survey = every, kappa, a, b, survey

    def segment(self, panel: Panel) -> Segmentation:
        return self.survey.of(panel, self)

    def price(self, twins: Array, seen: Array, alpha: float) -> float:
        """Of a change, in units of log-probability; its chance is a prior, not calibrated."""
        return float(np.log(self.every - 1))

    def rows(self, signal: Array, seen: Array, price: float) -> list[int]:
        _, begins = run_lengths(signal, seen, 1 / (1 + np.exp(price)), self.kappa, self.a, self.b)
        rows, end = [], len(signal)
        while (end := int(begins[end])) > 0:
            rows.append(end)
        return rows[::-1]


def run_lengths(
    x: Array, seen: Array, hazard: float, kappa: float, a: float, b: float
) -> tuple[Array, Array]:
    """log p(r_t, x₁…ₜ) (t + 1, r) of series (t, s), and the first row of the last of the most
    probable segments of rows 0 … e − 1 (t + 1)."""
    rows, series = x.shape
    joint = np.full((rows + 1, rows + 1), -np.inf)
    joint[0, 0] = 0.0
    path, peak, begins = np.zeros(1), np.zeros(rows + 1), np.zeros(rows + 1, int)
    n, total, square = (np.zeros((1, series)) for _ in range(3))  # of the last r rows: (r, s)
    for t in range(rows):
        told = (_predictive(x[t], n, total, square, kappa, a, b) * seen[t]).sum(1)  # (r)
        grown = joint[t, : t + 1] + told
        joint[t + 1, 1 : t + 2] = grown + np.log1p(-hazard)
        joint[t + 1, 0] = np.logaddexp.reduce(grown) + np.log(hazard)
        path = path + told  # most probable, by the run that goes on: (r)
        peak[t + 1], begins[t + 1] = path.max(), t + 1 - (1 + path.argmax())
        path = np.concatenate([[peak[t + 1] + np.log(hazard)], path + np.log1p(-hazard)])
        new = (seen[t], seen[t] * x[t], seen[t] * x[t] ** 2)
        n, total, square = (np.concatenate([0 * part[:1], part + one])
                            for part, one in zip((n, total, square), new, strict=True))  # fmt: skip
    return joint, begins


def _predictive(
    x: Array, n: Array, total: Array, square: Array, kappa: float, a: float, b: float
) -> Array:
    """log Student-t of the next row (s), given sums over the last r rows: (r, s)."""
    mean = total / np.maximum(n, 1)
    spread = (square - n * mean**2).clip(0)
    k, shape = kappa + n, a + n / 2
    rate = b + spread / 2 + kappa * n * mean**2 / (2 * k)
    scale = rate * (k + 1) / (shape * k)
    z = (x - total / k) ** 2 / scale
    return (gammaln(shape + 0.5) - gammaln(shape) - 0.5 * np.log(2 * np.pi * shape * scale)
            - (shape + 0.5) * np.log1p(z / (2 * shape)))  # fmt: skip
