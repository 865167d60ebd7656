"""Are two models equally accurate? The table's test of one pair on one task.

The Diebold–Mariano (1995) statistic: the mean difference of their losses over origins, divided by
its standard error, here the equal-weighted cosine estimate with Student's t (longrun.py; Coroneo &
Iacone 2020). It is one rule for all cases, chosen by simulation against the usual ones: the
corrected test of Harvey, Leybourne & Newbold (dm.py) rejects equal models too often below 40 h
origins and, at a horizon of one, wherever differences persist; origins that do not overlap throw
most of the power away; a plain block bootstrap understates the variance. Below ten independent
origins nothing is tested, and the result says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stsfm.significance.longrun import cosines, standard_error
from stsfm.significance.origins import disjoint, too_few

EXACT = 1e-10  # a difference that varies by less than this share of the losses does not vary


@dataclass(frozen=True, kw_only=True)
class Pair:
    """What the losses of two models over the same origins say. Refused: `reason`, and no p."""

    difference: float  # mean loss of the first minus that of the second
    n: int  # origins with a loss
    independent: int  # of them, those with futures that do not overlap
    statistic: float | None = None
    df: int | None = None
    p: float | None = None  # two-sided
    low: float | None = None  # of the confidence interval for the difference, at 1 − alpha
    high: float | None = None
    reason: str = ""

    @property
    def method(self) -> str:
        """How it was tested, for a footnote; "" where it was not."""
        return f"Diebold–Mariano with EWC standard errors, t({self.df})" if self.df else ""


def compare(
    a: np.ndarray, b: np.ndarray, origins: np.ndarray, horizon: int, *, alpha: float = 0.05
) -> Pair:
    """Test whether two models have the same expected loss.

    a, b     (n,) one loss per origin: steps, nodes and seeds averaged, in that origin's units
    origins  (n,) rows where the forecasts begin, increasing; gaps and strides are welcome
    horizon  steps of a forecast, which decide what overlaps

    Origins where neither has a loss (NaN: nothing was observed) are left out.
    """
    a, b, origins = np.asarray(a, float), np.asarray(b, float), np.asarray(origins)
    if not a.shape == b.shape == origins.shape:
        raise ValueError(f"wanted one loss per origin, got {a.shape}, {b.shape}, {origins.shape}")
    seen = ~(np.isnan(a) & np.isnan(b))
    a, b, origins = a[seen], b[seen], origins[seen]
    d, n, independent = a - b, len(origins), len(disjoint(origins, horizon))
    difference = float(d.mean()) if n else float("nan")
    reason = _refusal(a, b, origins, horizon)
    if reason:
        return Pair(difference=difference, n=n, independent=independent, reason=reason)
    from scipy.special import stdtr, stdtrit  # Student's t: distribution, quantile

    nu = cosines(n, independent)
    error = float(standard_error(d, nu))
    reach = float(stdtrit(nu, 1 - alpha / 2)) * error
    return Pair(
        difference=difference, n=n, independent=independent, df=nu,
        statistic=difference / error, p=float(2 * stdtr(nu, -abs(difference / error))),
        low=difference - reach, high=difference + reach,
    )  # fmt: skip


def _refusal(a: np.ndarray, b: np.ndarray, origins: np.ndarray, horizon: int) -> str:
    """Why these losses can't be tested, in words; "" where they can."""
    if few := too_few(origins, horizon):
        return few
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return "no test: one of the two has origins without a finite loss"
    d, size = a - b, max(abs(a).max(), abs(b).max())
    if abs(d).max() <= EXACT * size:
        return "no test: the two have the same loss at every origin"
    if np.ptp(d) <= EXACT * size:
        return "no test: the difference is the same at every origin, so that it has no error"
    return ""
