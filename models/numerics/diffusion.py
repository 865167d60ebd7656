"""How a graph spreads what its nodes know: matrices of a walk on it, and of averages over it.

    P_f = D_out⁻¹ W  along the edges,    P_b = D_in⁻¹ Wᵀ  against them
    S = D⁻¹ᐟ² W̄ D⁻¹ᐟ²  both ways alike,  W̄ = (W + Wᵀ) / 2, or that + I
    H = exp(−t (I − P))  heat after a time t, with P of W̄: steps of a walk, Poisson(t) of them

Rows of P sum to 1; a node without an edge keeps what it has, so that no row is empty. P x averages
x over those that a node leads to, Pᵏ x over those that k steps reach. The diagonal of W counts as
an edge to itself where the data give one. S has eigenvalues within ±1. H conserves
mass, each node weighed by its degree, and evens out what neighbours have.
Li et al., Diffusion convolutional recurrent neural network, ICLR (2018); Kipf & Welling,
Semi-supervised classification with graph convolutional networks, ICLR (2017); Klicpera et al.,
Diffusion improves graph learning, NeurIPS (2019).
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import expm
from scipy.sparse import csr_array, diags_array

from stsfm.datasets.panel import Array, Space


def transitions(space: Space | None) -> tuple[csr_array, ...]:
    """P_f and P_b (node, node), sparse; one of them where the graph is symmetric, none without one.

    Raises ValueError for a graph that changes with time, or has negative weights.
    """
    if (weights := _weights(space)) is None:
        return ()
    both = (weights,) if np.array_equal(weights, weights.T) else (weights, weights.T)
    return tuple(walk(each) for each in both)


def symmetric(space: Space | None, *, loops: bool) -> tuple[csr_array, ...]:
    """S (node, node), sparse; none without a graph. With `loops` each node is its own neighbour.

    Raises ValueError as `transitions` does.
    """
    if (weights := _weights(space)) is None:
        return ()
    edges = csr_array((weights + weights.T) / 2 + loops * np.eye(len(weights)))
    degree = edges.sum(1)
    scale = diags_array(np.where(degree > 0, degree, 1) ** -0.5)
    return (csr_array(scale @ edges @ scale),)


def heat_kernel(space: Space | None, *, time: float) -> tuple[csr_array, ...]:
    """H (node, node), in which all nodes of a component have a part; none without a graph."""
    if (weights := _weights(space)) is None:
        return ()
    step = walk((weights + weights.T) / 2).toarray()
    return (csr_array(expm(time * (step - np.eye(len(step))))),)


def walk(weights: Array) -> csr_array:
    """D⁻¹ W of one matrix of weights (node, node), sparse."""
    alone = weights.sum(1) == 0
    edges = csr_array(weights) + diags_array(alone.astype(float))
    return csr_array(diags_array(1 / edges.sum(1)) @ edges)


def _weights(space: Space | None) -> Array | None:
    if space is None or space.adjacency is None:
        return None
    if space.changes:
        raise ValueError("the graph changes with time, and this model wants one that stays")
    weights = np.asarray(space.adjacency)
    if (weights < 0).any():
        raise ValueError("a walk needs weights of 0 or more, and the graph has negative ones")
    return weights
