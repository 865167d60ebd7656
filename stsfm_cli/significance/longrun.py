"""The standard error of a mean over origins that are no independent draws.

With the type-II cosine transform of a series x of n values, in its orthonormal form,

    Bⱼ = √(2/n) Σₜ xₜ cos(πj(t − ½)/n)      S = (B₁² + … + B_ν²) / ν      √n (x̄ − μ) / √S ~ t(ν)

S, the *equal-weighted cosine* (EWC) estimate, is a sum of squares and so never negative; every Bⱼ
leaves the mean out; and because ν is held fixed in the limit, Student's t with ν degrees of freedom
carries the uncertainty of S itself, which normal critical values ignore. That is what keeps tests
of overlapping forecasts at their size where HAC estimates do not (docs/significance.md, table).

Lazarus, Lewis, Stock & Watson (2018), "HAR Inference: Recommendations for Practice"; for forecast
comparisons with fixed smoothing: Coroneo & Iacone (2020). We depart from the former's rule for ν
where futures overlap, and where n is small: see `cosines`.
"""

from __future__ import annotations

import numpy as np

from stsfm.significance.origins import disjoint, too_few

PER_ORIGIN = 0.4  # cosines for each independent origin, at most


def cosines(n: int, independent: int) -> int:
    """ν: how many cosines S is the mean of, which are its degrees of freedom.

    0.4 n^⅔ weighs size against power for autocorrelation of unknown form (Lazarus et al. 2018). The
    overlap of futures is known: averages over h rows have a spectrum that falls to zero at 2π/h, so
    that ν also stays at or below 0.4 per independent origin, where it is still within 13 % of its
    peak. Three at least: t(2) and t(1) have tails in which nothing can be found.
    """
    return max(3, int(min(0.4 * n ** (2 / 3), PER_ORIGIN * independent)))


def standard_error(values: np.ndarray, nu: int) -> np.ndarray:
    """√(S/n): the standard error (…) of the means of values (…, n), with `nu` cosines."""
    return np.sqrt((waves(values, nu)[..., 1:] ** 2).mean(-1) / values.shape[-1])


def waves(values: np.ndarray, nu: int) -> np.ndarray:
    """The cosine coefficients (…, 1 + ν) of values (…, n): √n times the mean, then B₁ … B_ν."""
    from scipy.fft import dct  # slow to import, and few tables come so far

    return dct(values, norm="ortho", axis=-1)[..., : nu + 1]


def sampling_error(values: np.ndarray, origins: np.ndarray, horizon: int) -> float | None:
    """The standard error of a mean loss over origins, as if the calendar were drawn again.

    values   (n,) one loss per origin: steps, nodes and seeds averaged
    origins  (n,) rows where the forecasts begin, increasing
    horizon  steps of a forecast

    NaN marks an origin with nothing observed, which is left out. None where fewer than ten origins
    are independent; `too_few(origins, horizon)` says so in words.
    """
    values, origins = np.asarray(values, dtype=float), np.asarray(origins)
    seen = ~np.isnan(values)
    values, origins = values[seen], origins[seen]
    if too_few(origins, horizon) or not np.isfinite(values).all():
        return None
    nu = cosines(len(values), len(disjoint(origins, horizon)))
    return float(standard_error(values, nu))
