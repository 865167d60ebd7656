"""How much evidence there is: origins whose futures share no row.

The forecast errors of two origins less than a horizon apart are made of the same rows, so that
400 origins of which the next begins a row later hold no more of them than 34 do at a horizon of 12.
"""

from __future__ import annotations

import numpy as np

from stsfm.words import count

FEWEST = 10  # independent origins below which nothing is tested


def disjoint(origins: np.ndarray, horizon: int) -> np.ndarray:
    """Indices of the most origins (n,) with futures of `horizon` rows that do not overlap.

    Taking the earliest that fits is optimal, as in any scheduling of intervals. ValueError unless
    origins increase and the horizon is a row or more.
    """
    origins = np.asarray(origins)
    if horizon < 1 or origins.ndim != 1 or (np.diff(origins) <= 0).any():
        raise ValueError(f"wanted increasing origins and horizon ≥ 1, got {origins}, {horizon}")
    after = np.searchsorted(origins, origins + horizon).tolist()
    chosen: list[int] = []
    k = 0
    while k < len(after):
        chosen.append(k)
        k = after[k]
    return np.array(chosen, dtype=int)


def reach(origins: np.ndarray, horizon: int) -> int:
    """The most origins (n,) that begin within one horizon: how far overlap carries, in origins."""
    ends = np.searchsorted(origins, np.asarray(origins) + horizon)
    return int((ends - np.arange(len(ends))).max(initial=1))


def too_few(origins: np.ndarray, horizon: int) -> str | None:
    """Why nothing can be tested with these origins (n,), in words; None where it can."""
    independent = len(disjoint(origins, horizon))
    return f"no test: {count(independent, 'independent origin')}" if independent < FEWEST else None
