"""Wilcoxon's signed-rank test: is one model better than another over datasets?

Rank the sizes of the differences; W⁺ is the sum of the ranks of the positive ones. If neither model
is better, each sign is a coin of its own, which gives the distribution of W⁺ exactly, ties and all:
the number of subsets of the ranks with each sum. Differences of zero are ranked, then left out
(Pratt 1959). Wilcoxon (1945); over datasets: Demšar (2006); why not ranks among all models, where
the others decide which of two is better: Benavoli, Corani & Mangili (2016).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class SignedRank:
    """Rank sums of the positive and negative differences, and the exact two-sided p-value."""

    positive: float  # W⁺
    negative: float  # W⁻
    n: int  # differences that are not zero
    p: float


def signed_rank(d: np.ndarray) -> SignedRank:
    """Test differences d (n,), one per family, for symmetry about zero. They may be infinite."""
    from scipy.stats import rankdata  # slow to import

    d = np.asarray(d, dtype=float)
    ranks = rankdata(abs(d))[d != 0]
    signs = d[d != 0] > 0
    doubled = np.rint(2 * ranks).astype(int)  # ranks of ties are halves
    half = int(doubled[signs].sum())
    share = np.ones(1)  # of the 2ⁿ outcomes, those with each doubled sum
    for rank in doubled:
        share = (np.pad(share, (0, rank)) + np.pad(share, (rank, 0))) / 2
    tail = min(share[: half + 1].sum(), share[half:].sum())
    return SignedRank(
        positive=half / 2,
        negative=(int(doubled.sum()) - half) / 2,
        n=len(doubled),
        p=float(min(1.0, 2 * tail)),
    )


def least_p(n: int) -> float:
    """The smallest two-sided p-value that any outcome over n families could have."""
    return min(1.0, 2.0 ** (1 - n))
