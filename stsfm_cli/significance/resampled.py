"""A confidence interval for a mean over datasets, which are drawn again with replacement.

    x̄*ᵦ = mean of n values drawn from x₁ … xₙ        interval: the quantiles of x̄* at (1 ± level)/2

The percentile bootstrap: it keeps within the range of scores that are bounded, as 0 … 1, where a
mean ± a multiple of its error leaves it. Efron & Tibshirani, An introduction to the bootstrap
(1993), 13. It says nothing of series unlike those at hand.
"""

from __future__ import annotations

import numpy as np

from stsfm.significance.bootstrap import Interval

DRAWS = 9_999
FEWEST = 5  # values below which the bounds are but the values themselves


def interval_over_datasets(
    values: np.ndarray, *, level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> Interval:
    """The mean of values (n,), one per independent dataset, between its bounds."""
    x = np.asarray(values, dtype=float)
    if len(x) < FEWEST:
        reason = f"no interval over {len(x)} datasets: {FEWEST} are wanted"
        return Interval(estimate=float(x.mean()) if len(x) else None, reason=reason)
    drawn = np.random.default_rng(seed).integers(0, len(x), (draws, len(x)))
    low, high = np.quantile(x[drawn].mean(1), [(1 - level) / 2, (1 + level) / 2])
    return Interval(estimate=float(x.mean()), low=float(low), high=float(high))
