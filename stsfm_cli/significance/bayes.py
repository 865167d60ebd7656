"""How probable it is that a model is better in practice: the Bayesian signed-rank test.

Differences z₁ … z_N over families come from an unknown distribution, with a Dirichlet process as
prior (strength ½, its base measure a point at z₀ = 0). Its posterior weighs them, with z₀, by

    w ~ Dirichlet(½, 1, …, 1)      θ_better = Σᵢⱼ wᵢ wⱼ [zᵢ + zⱼ < −2r]

and likewise θ_alike within ±r, the *region of practical equivalence*, and θ_worse above it. The
answer is how often, over draws of w, each of the three is the largest. Unlike a p-value it can say
that two models are alike. Benavoli, Corani, Mangili, Zaffalon & Ruggeri (2014); Benavoli, Corani,
Demšar & Zaffalon (2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STRENGTH = 0.5  # of the prior, as 2017
DRAWS = 20_000


@dataclass(frozen=True, kw_only=True)
class Posterior:
    """Probabilities that the first model has the lower, the same or the higher error."""

    better: float
    alike: float
    worse: float


def signed_rank_posterior(d: np.ndarray, rope: float, *, seed: int = 0) -> Posterior:
    """From differences d (n,) of errors, first minus second; `rope` in their units.

    For differences of log errors 0.01 stands for one per cent. They may be infinite.
    """
    z = np.concatenate([[0.0], np.asarray(d, dtype=float)])
    with np.errstate(invalid="ignore"):
        sums = z[:, None] + z
    sums = np.where(np.isnan(sums), 0.0, sums)  # one failed here, the other there: even
    below, above = (sums < -2 * rope).astype(float), (sums > 2 * rope).astype(float)
    rng = np.random.default_rng(seed)
    w = rng.dirichlet([STRENGTH, *np.ones(len(z) - 1)], size=DRAWS)
    better, worse = (((w @ region) * w).sum(1) for region in (below, above))
    winner = np.argmax([better, 1 - better - worse, worse], axis=0)
    share = np.bincount(winner, minlength=3) / DRAWS
    return Posterior(better=float(share[0]), alike=float(share[1]), worse=float(share[2]))
