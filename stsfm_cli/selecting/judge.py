"""The simplest within one standard error of the best, on arrays.

    m̄ᵢ  mean loss of candidate i over origins,    b = argmin m̄,    dᵢ = mᵢ − m_b  at each origin
    chosen = the simplest of { i : d̄ᵢ ≤ se(d̄ᵢ) }

The difference is paired: origins are hard for all candidates alike, which a standard error of m̄
itself would count, and of d̄ does not. Futures of near origins share rows, so that se is the
equal-weighted cosine error, with as many cosines as the independent origins allow (longrun.py); for
four origins a horizon apart that is the textbook s/√n. Breiman, Friedman, Olshen & Stone,
Classification and Regression Trees (1984), §3.4.3, for the rule; paired as in Hastie, Tibshirani &
Friedman's lecture code it is not, which is where we depart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stsfm.significance.longrun import cosines, standard_error
from stsfm.significance.origins import disjoint


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A candidate beside the best of those that were judged on the same origins."""

    loss: float
    se: float | None  # of the loss; None where fewer than two origins are independent
    behind: float  # how much more than the best
    behind_se: float | None
    within: bool  # one standard error of the best


def standings(losses: np.ndarray, origins: np.ndarray, horizon: int) -> list[Standing]:
    """Candidates side by side.

    losses   (candidate, n) one loss per origin; NaN where nothing was observed
    origins  (n,) rows where the forecasts begin, increasing
    """
    seen = ~np.isnan(losses).any(0)
    losses, origins = losses[:, seen], np.asarray(origins)[seen]
    if not losses.size:
        raise ValueError("no origin has a loss of every candidate")
    means = losses.mean(1)
    behind = losses - losses[means.argmin()]
    own, paired = error(losses, origins, horizon), error(behind, origins, horizon)
    found = []
    for k, mean in enumerate(means):
        gap, se = float(behind[k].mean()), None if paired is None else float(paired[k])
        found.append(
            Standing(
                loss=float(mean), se=None if own is None else float(own[k]), behind=gap,
                behind_se=se, within=gap <= (se or 0.0),
            )
        )  # fmt: skip
    return found


def error(values: np.ndarray, origins: np.ndarray, horizon: int) -> np.ndarray | None:
    """Standard errors (…) of the means of values (…, n); None of fewer than two independent ones.

    Ten independent origins are wanted for a test (origins.py), two for a yardstick.
    """
    n, independent = len(origins), len(disjoint(origins, horizon))
    if independent < 2:
        return None
    return standard_error(values, min(n - 1, cosines(n, independent)))


def simplest(found: Sequence[Standing], simplicity: Sequence[tuple[object, ...]]) -> int:
    """The index of the one chosen: of those within one standard error, the least `simplicity`."""
    near = [k for k, standing in enumerate(found) if standing.within]
    return min(near, key=lambda k: simplicity[k])
