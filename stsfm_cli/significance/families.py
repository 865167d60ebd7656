"""What counts as one replicate when models are compared over datasets.

ETTh1 and ETTm1 at four horizons are one transformer's station eight times over, not eight
datasets; a test that counts them so finds what is not there. So tasks of one family are put
together first, by the geometric mean of their errors, in which the units of a task cancel out when
two models are compared.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stsfm.significance.origins import FEWEST


def by_family(errors: np.ndarray, families: Sequence[str]) -> np.ndarray:
    """Mean log errors (family, model) of errors (task, model), families in order of appearance.

    A model that failed (NaN) on any task of a family has failed there: +inf, worse than any other.
    ValueError where an error is negative, or the names don't fit.
    """
    errors = np.asarray(errors, dtype=float)
    if len(families) != len(errors) or (errors < 0).any():
        raise ValueError("wanted errors ≥ 0 (task, model) and a family for each task")
    with np.errstate(divide="ignore"):
        logs = np.log(np.where(np.isnan(errors), np.inf, errors))
    names = np.asarray(families)
    parts = [logs[names == name] for name in dict.fromkeys(families)]
    with np.errstate(invalid="ignore"):  # a failure here and an error of 0 there
        return np.array([np.where(np.isposinf(p).any(0), np.inf, p.mean(0)) for p in parts])


def too_few_families(families: int) -> str | None:
    """Why nothing can be tested over so few families, in words; None where it can."""
    if families >= FEWEST:
        return None
    few = "1 family" if families == 1 else f"{families} families"
    return f"no test over datasets: {few}, {FEWEST} are wanted"
