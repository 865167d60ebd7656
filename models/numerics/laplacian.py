"""The Laplacian of a graph, and its eigenvectors: the waves of the graph, slow ones first.

    L = D − (W + Wᵀ)/2,    L u_k = λ_k u_k,    0 = λ_1 ≤ … ≤ λ_N,    UᵀU = I    (node, node)

λ_k = Σ w_ij (u_ki − u_kj)² / 2 is how much u_k differs between neighbours. Shuman et al., The
emerging field of signal processing on graphs, IEEE Signal Processing Magazine 30 (2013).
"""

from __future__ import annotations

import numpy as np

from stsfm.datasets.panel import Array, Space
from stsfm.models.numerics.signs import signs


def waves(space: Space | None) -> tuple[Array, Array]:
    """λ (node,) and U (node, node); the largest entry of each wave is positive.

    Raises ValueError without a graph, for one that changes with time or has negative weights.
    """
    if space is None or space.adjacency is None:
        raise ValueError("a graph of the nodes is needed, and the data have none")
    if space.changes:
        raise ValueError("the graph changes with time, and its waves need one that stays")
    weights = np.asarray(space.adjacency, float)
    if (weights < 0).any():
        raise ValueError("the graph has negative weights, and its waves need none below 0")
    weights = (weights + weights.T) / 2
    rates, basis = np.linalg.eigh(np.diag(weights.sum(1)) - weights)
    return rates.clip(0), basis * signs(basis)
