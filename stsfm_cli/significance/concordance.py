"""Do several rankings agree? Kendall's coefficient of concordance.

m rankings of k models, R_j the sum of the ranks of model j, T the sum over rankings and their ties
of t models of t³ − t:

    W = 12 Σ (R_j − R̄)² / (m² (k³ − k) − m T)        1: all agree, 0: the rank sums are equal

Kendall & Babington Smith, The problem of m rankings, Ann. Math. Statist. 10 (1939).
"""

from __future__ import annotations

import numpy as np


def concordance(errors: np.ndarray) -> float:
    """W of errors (ranking, model), lower is better; NaN where all models are tied."""
    from scipy.stats import rankdata  # slow to import

    ranks = rankdata(errors, axis=1)
    m, k = ranks.shape
    counts = [np.unique(each, return_counts=True)[1] for each in ranks]
    ties = sum(float((n**3 - n).sum()) for n in counts)
    spread = float(((ranks.sum(0) - m * (k + 1) / 2) ** 2).sum())
    most = m**2 * (k**3 - k) - m * ties
    return 12 * spread / most if most else float("nan")
