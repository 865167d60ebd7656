"""Have residuals a memory? The portmanteau test of Ljung and Box.

    Q = n (n + 2) Σₖ r²ₖ / (n − k)  ~  χ²(K)

if they are independent, of one variance. Ljung & Box, Biometrika 65 (1978). No degree of freedom is
taken off: the residuals are those of later rows than the model was fitted to.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2


def ljung_box(r: np.ndarray, n: int) -> float | None:
    """The p-value of autocorrelations r₁ … r_K of n residuals; None where one is undefined."""
    if not np.isfinite(r).all():
        return None
    lags = np.arange(1, len(r) + 1)
    return float(chi2.sf(n * (n + 2) * (r**2 / (n - lags)).sum(), len(r)))
