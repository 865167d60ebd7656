"""Do neighbours err alike? Moran's I of residuals over a graph.

At each origin t let z be the residuals of the n nodes less their mean, over their deviation. With
weights w that sum to 1 from each node that has neighbours,

    I = Σₜ Σᵢⱼ wᵢⱼ zₜᵢ zₜⱼ / Σₜ Σᵢⱼ wᵢⱼ      E I = −1 / (n − 1) where nodes can be exchanged

and a pair counts at the origins where both nodes were observed. With one row this is Moran's I
(1950); with several, each weighs as many pairs as it has. The p-value is that of a permutation of
nodes, the same at all origins, so that whatever memory residuals have in time stays as it is:
the share of permutations whose I is as far from E I as the one found (Cliff & Ord 1981).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stsfm.words import count

FEWEST = 8  # nodes: of fewer no arrangement is rare enough to reject at 5 %
DRAWS, LEAST = 999, 99  # permutations, and how few there may be over a dense graph
PAIRS = 50_000_000  # pairs looked at in all permutations
PRODUCTS = 4_000_000_000  # origins × node²: of more, every so many origins are taken
EXACT = 1e-9  # two values of I are the same


@dataclass(frozen=True, kw_only=True)
class Moran:
    """I beside what chance makes of it. Refused: `reason`, and no number."""

    i: float | None = None
    expected: float | None = None
    p: float | None = None  # two-sided
    nodes: int = 0
    origins: int = 0  # that were looked at
    draws: int = 0  # permutations
    reason: str = ""


def moran(x: np.ndarray, seen: np.ndarray, edges: np.ndarray, weights: np.ndarray) -> Moran:
    """I of x (origin, node) where `seen`, over edges (edge, 2) from → to with weights (edge,)."""
    linked = np.zeros(x.shape[1], bool)
    linked[edges] = True
    z, seen = standardised(x, seen & linked)
    if (n := int(seen.any(0).sum())) < FEWEST:
        return Moran(
            reason=f"not tested: {count(n, 'node')} with neighbours and errors that differ"
        )
    every = max(1, -(-len(z) * z.shape[1] ** 2 // PRODUCTS))
    z, seen = z[::every], seen[::every]
    likeness, pairs = z.T @ z, seen.astype(np.float32).T @ seen.astype(np.float32)
    shares = by_row(edges, weights, z.shape[1])
    found = _ratio(likeness, pairs, edges, shares)
    if found is None:
        return Moran(reason="not tested: no two neighbours were observed at the same origin")
    own, all_ = float(np.trace(pairs)), float(pairs.sum(dtype=float))
    expected = -own / (all_ - own)
    p, draws = _permuted(likeness, pairs, edges, shares, found - expected)
    return Moran(i=found, expected=expected, p=p, nodes=n, origins=len(z), draws=draws)


def by_row(edges: np.ndarray, weights: np.ndarray, nodes: int) -> np.ndarray:
    """Weights (edge,) over their sum from each node."""
    return weights / np.bincount(edges[:, 0], weights, nodes)[edges[:, 0]]


def standardised(x: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of x (origin, node) with mean 0 and deviation 1 over what was seen, and 0 elsewhere.

    Rows in which too few nodes were seen, or all erred by the same, say nothing and are left out.
    """
    n = seen.sum(1, keepdims=True).clip(1)
    z = np.where(seen, x - np.where(seen, x, 0).sum(1, keepdims=True) / n, 0)
    spread = np.sqrt((z**2).sum(1, keepdims=True) / n)
    size = abs(np.where(seen, x, 0)).max(1, keepdims=True, initial=0)
    told = ((spread > 1e-12 * size) & (n >= FEWEST))[:, 0]
    return (z[told] / spread[told]).astype(np.float32), seen[told]


def _permuted(
    likeness: np.ndarray, pairs: np.ndarray, edges: np.ndarray, shares: np.ndarray, far: float
) -> tuple[float, int]:
    """The two-sided p-value of an I that lies `far` from what is expected, and its permutations.

    Nodes without residuals are not exchanged for others: they stay where they are.
    """
    rng, there = np.random.default_rng(0), np.flatnonzero(np.diag(pairs))
    expected = -np.trace(pairs) / (pairs.sum(dtype=float) - np.trace(pairs))
    draws = int(np.clip(PAIRS // len(edges), LEAST, DRAWS))
    order, beyond = np.arange(len(pairs)), 1
    for _ in range(draws):
        order[there] = rng.permutation(there)
        other = _ratio(likeness, pairs, order[edges], shares)
        beyond += other is None or abs(other - expected) >= abs(far) - EXACT
    return beyond / (draws + 1), draws


def _ratio(
    likeness: np.ndarray, pairs: np.ndarray, edges: np.ndarray, shares: np.ndarray
) -> float | None:
    at = edges[:, 0], edges[:, 1]
    below = float(shares @ pairs[at])
    return float(shares @ likeness[at]) / below if below > 0 else None
