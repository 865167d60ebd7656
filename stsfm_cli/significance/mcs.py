"""The Model Confidence Set: the models among which the best is, with 95 % confidence.

Starting from all models M, with d̄ᵢ the mean loss of i minus the mean over M,

    tᵢ = d̄ᵢ / se(d̄ᵢ)      T_max = maxᵢ tᵢ

If equal accuracy of all in M is rejected, the model with the largest tᵢ leaves; else M is the set.
A model's p-value is the largest of those at which it or one before it left. Hansen, Lunde & Nason
(2011), §3.1.2. We depart from it in one thing: its bootstrap takes the variance from the resampled
means, which blocks of overlapping origins understate; here tᵢ has an equal-weighted cosine error,
computed anew in every resample (bootstrap.py), and the set keeps its confidence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stsfm.significance.bootstrap import DRAWS, Blocks
from stsfm.significance.longrun import waves
from stsfm.significance.origins import too_few
from stsfm.significance.pair import EXACT


@dataclass(frozen=True, kw_only=True)
class ConfidenceSet:
    """Indices of the models in the set, and a p-value for each model. Refused: `reason`."""

    members: tuple[int, ...] = ()
    p: tuple[float, ...] = ()
    reason: str = ""


def confidence_set(
    losses: np.ndarray, origins: np.ndarray, horizon: int, *, alpha: float = 0.05, seed: int = 0
) -> ConfidenceSet:
    """The set at 1 − alpha, from losses (models, n) over origins (n,), all finite."""
    losses, origins = np.asarray(losses, float), np.asarray(origins)
    seen = ~np.isnan(losses).all(0)
    losses, origins = losses[:, seen], origins[seen]
    if few := too_few(origins, horizon):
        return ConfidenceSet(reason=few)
    if not np.isfinite(losses).all():
        return ConfidenceSet(reason="no test: some losses are not finite")
    blocks = Blocks.of(origins, horizon)
    here = waves(losses, blocks.nu)  # linear: those of differences are differences of them
    again = [waves(part, blocks.nu) for part in blocks.resample(losses, DRAWS, seed)]
    there = np.concatenate(again, axis=1)  # model, draw, 1 + ν
    there[..., 0] -= here[:, None, 0]  # equal accuracy, as if it were true
    left, p, highest = list(range(len(losses))), np.ones(len(losses)), 0.0
    while len(left) > 1:
        t = _statistics(here[left])
        null = _statistics(there[left]).max(0)
        highest = max(highest, (1 + int((null >= t.max()).sum())) / (1 + len(null)))
        worst = left[int(t.argmax())]
        p[worst] = highest
        left.remove(worst)
    members = tuple(int(i) for i in np.flatnonzero(p > alpha))
    return ConfidenceSet(members=members, p=tuple(p.tolist()))


def _statistics(each: np.ndarray) -> np.ndarray:
    """tᵢ (models, …) from cosine coefficients (models, …, 1 + ν); 0 where models are the same."""
    d = each - each.mean(0)
    error = np.sqrt((d[..., 1:] ** 2).mean(-1))
    some = error > EXACT * abs(each).max()
    return np.divide(d[..., 0], error, out=np.zeros_like(error), where=some)
