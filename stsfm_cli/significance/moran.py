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
DRAWS, LEAST = 999, 199  # permutations, and how few there may be over many edges
PAIRS = 5_000_000  # pairs looked at in all permutations
PRODUCTS = 4_000_000_000  # origins × node²: of more, every so many origins are taken
EXACT = 1e-6  # two values of I are the same


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


def moran(
    x: np.ndarray, seen: np.ndarray, edges: np.ndarray, weights: np.ndarray, *, most: int = DRAWS
) -> Moran:
    """I of x (origin, node) where `seen`, over edges (edge, 2) from → to with weights (edge,).

    most  permutations, of which there are fewer over many edges
    """
    linked = np.zeros(x.shape[1], bool)
    linked[edges] = True
    if (n := int((seen.any(0) & linked).sum())) < FEWEST:
        return Moran(reason=f"not tested: {count(n, 'node')} with neighbours, {FEWEST} are wanted")
    z, seen = standardised(x, seen & linked)
    if not len(z):
        return Moran(reason="not tested: all nodes err by the same")
    every = max(1, -(-len(z) * z.shape[1] ** 2 // PRODUCTS))
    z, seen = z[::every], seen[::every]
    held = _Held.of(z, seen)
    shares = by_row(edges, weights, z.shape[1])
    found = held.ratio(edges, shares)
    if found is None:
        return Moran(reason="not tested: no two neighbours were observed at the same origin")
    draws = min(most, max(LEAST, PAIRS // len(edges)))
    p = _permuted(held, edges, shares, abs(found - held.expected), draws)
    return Moran(i=found, expected=held.expected, p=p, nodes=n, origins=len(z), draws=draws)


@dataclass(frozen=True)
class _Held:
    """What any arrangement of the nodes is judged by: sums over origins for every pair of nodes."""

    likeness: np.ndarray  # (node, node) Σₜ zₜᵢ zₜⱼ
    pairs: np.ndarray | None  # (node, node) origins where both were seen; None: all of them
    there: np.ndarray  # the nodes that were seen at all
    expected: float

    @classmethod
    def of(cls, z: np.ndarray, seen: np.ndarray) -> _Held:
        likeness, there, n = z.T @ z, np.flatnonzero(seen.any(0)), seen.sum(1, dtype=float)
        expected = -float(n.sum() / (n * (n - 1)).sum())
        if seen[:, there].all():
            return cls(likeness / len(z), None, there, expected)
        counted = seen.astype(np.float32)
        return cls(likeness, counted.T @ counted, there, expected)

    def ratio(self, edges: np.ndarray, shares: np.ndarray) -> float | None:
        """I over these edges; None where nobody saw both ends of any."""
        at = edges[:, 0], edges[:, 1]
        below = shares.sum() if self.pairs is None else shares @ self.pairs[at]
        return float(shares @ self.likeness[at] / below) if below > 0 else None


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


def _permuted(held: _Held, edges: np.ndarray, shares: np.ndarray, far: float, draws: int) -> float:
    """The two-sided p-value of an I that lies `far` from what is expected.

    Nodes that were never seen are not exchanged for others: they stay where they are.
    """
    rng, order = np.random.default_rng(0), np.arange(len(held.likeness))
    beyond = 1
    for _ in range(draws):
        order[held.there] = rng.permutation(held.there)
        other = held.ratio(order[edges], shares)
        beyond += other is None or abs(other - held.expected) >= far - EXACT
    return float(beyond / (draws + 1))
