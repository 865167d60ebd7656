"""Is structure left in the residuals? The AZ test of whiteness on a graph in space and time.

Over pairs of cells that are neighbours, in space at one origin or in time at one node, what counts
is whether two residuals have the same sign:

    S = Σ w_uv sgn⟨xₜᵤ, xₜᵥ⟩ / √Σ w_uv²      T = Σ sgn⟨xₜᵤ, xₜ₊₁,ᵤ⟩ / √(number of pairs)
    C = (S + T) / √2  ~  N(0, 1)

if residuals are independent with a median of 0 (of several channels: symmetric about 0), whatever
their law: no two pairs of cells then have signs that correlate. Zambon & Alippi, AZ-whiteness test:
a test for signal uncorrelation on spatio-temporal graphs, NeurIPS (2022), with their weights that
let space and time count alike. A pair with an unobserved cell, or with a residual of exactly 0, is
left out. A model that is biased leaves a structure, too: its residuals have a sign.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

BATCH = 4_000_000  # pairs held at once
MOST = 60_000_000  # pairs in space: of more, the first origins are taken
FEWEST = 100  # pairs, of fewer of which the normal law is no approximation


@dataclass(frozen=True, kw_only=True)
class Whiteness:
    """C with its p-value, and its two parts. Refused: `reason`, and no number."""

    z: float | None = None
    p: float | None = None  # two-sided
    space: float | None = None  # S
    time: float | None = None  # T; None without pairs in time, and then C is S
    pairs: tuple[int, int] = (0, 0)  # in space, in time
    origins: int = 0  # that were looked at
    reason: str = ""


def whiteness(
    x: np.ndarray,
    seen: np.ndarray,
    origins: np.ndarray,
    edges: np.ndarray,
    weights: np.ndarray,
) -> Whiteness:
    """Test residuals x (origin, node, channel) one step ahead, where `seen`.

    origins  (origin,) rows; two of them are neighbours in time where the next row is meant
    edges    (edge, 2) with weights (edge,): both directions of a pair are one edge
    """
    edges, weights = undirected(edges, weights)
    shown = max(2, MOST // max(1, len(edges)))
    x, origins = np.where(seen, x, 0)[:shown], origins[:shown]
    total, square, in_space = 0.0, 0.0, 0
    batch = max(1, BATCH // max(1, len(edges) * x.shape[2]))
    for rows in (x[k : k + batch] for k in range(0, len(x), batch)):
        signs = np.sign((rows[:, edges[:, 0]] * rows[:, edges[:, 1]]).sum(2))
        total, square = total + (signs @ weights).sum(), square + (signs**2 @ weights**2).sum()
        in_space += int(np.count_nonzero(signs))
    signs = np.sign((x[1:] * x[:-1]).sum(2))[np.diff(origins) == 1]
    in_time = int(np.count_nonzero(signs))
    if in_space < FEWEST:
        return Whiteness(reason=f"not tested: {in_space} pairs of neighbours were observed")
    space, time = float(total / math.sqrt(square)), None
    if in_time >= FEWEST:
        time = float(signs.sum() / math.sqrt(in_time))
    z = space if time is None else (space + time) / math.sqrt(2)
    return Whiteness(
        z=z,
        p=math.erfc(abs(z) / math.sqrt(2)),
        space=space,
        time=time,
        pairs=(in_space, in_time if time is not None else 0),
        origins=len(x),
    )


def undirected(edges: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each pair of nodes once, with the sum of the weights of its directions; no loops."""
    apart = edges[:, 0] != edges[:, 1]
    pairs, at = np.unique(np.sort(edges[apart], axis=1), axis=0, return_inverse=True)
    return pairs, np.bincount(at.ravel(), weights[apart], len(pairs))
