"""Where the nodes of a graph without coordinates are drawn: near where few edges lie between.

Multidimensional scaling of the numbers of edges between nodes: from pivots for a start (Brandes &
Pich, Eigensolver methods for progressive multidimensional scaling, 2007), then by majorising the
stress (Gansner, Koren & North, Graph drawing by stress majorization, 2004). No random number is
drawn: a graph looks the same every time.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path

PIVOTS = 50
MOST = 1_200  # nodes whose stress is majorised: all their distances are held
ROUNDS = 40


def spread(edges: np.ndarray, nodes: int) -> np.ndarray:
    """(node, 2) places for edges (edge, 2), about the origin, as wide as high or wider."""
    graph = csr_array((np.ones(len(edges)), tuple(edges.T)), shape=(nodes, nodes))
    far = _hops(graph, _pivots(graph))  # (pivot, node)
    at = _scaled(far)
    if nodes <= MOST:
        apart = _hops(graph, np.arange(nodes))
        for _ in range(ROUNDS):
            at = _nearer(at, apart)
    _, axes = np.linalg.eigh(at.T @ at)
    at = at @ axes[:, ::-1]  # the longer way along x
    return at * np.where(at[np.argmax(abs(at), 0), [0, 1]] < 0, -1, 1)


def _hops(graph: csr_array, from_: np.ndarray) -> np.ndarray:
    """(from, node) edges on the shortest way; a little more than the longest where there is none."""
    hops = shortest_path(graph, directed=False, unweighted=True, indices=from_)
    reached = np.isfinite(hops)
    return np.where(reached, hops, 1.2 * hops[reached].max(initial=0) + 1)


def _pivots(graph: csr_array) -> np.ndarray:
    """Nodes far from each other: the next is that farthest from all before."""
    chosen, near = [0], _hops(graph, np.array([0]))[0]
    while len(chosen) < min(PIVOTS, graph.shape[0]) and near.max() > 0:
        chosen.append(int(near.argmax()))
        near = np.minimum(near, _hops(graph, np.array(chosen[-1:]))[0])
    return np.array(chosen)


def _scaled(far: np.ndarray) -> np.ndarray:
    """Classical scaling of distances (pivot, node): the two directions that say most of them."""
    square = far.T**2  # (node, pivot)
    centred = square - square.mean(0) - square.mean(1, keepdims=True) + square.mean()
    _, _, ways = np.linalg.svd(centred, full_matrices=False)
    at = centred @ ways[:2].T
    if at.shape[1] < 2:
        at = np.column_stack([at, np.zeros(len(at))])
    size = np.sqrt((at**2).sum(1).mean()) or 1.0
    turn = 2.4 * np.arange(len(at))  # radians: nodes at one place are drawn apart
    return at / size * far.mean() + 1e-3 * np.stack([np.cos(turn), np.sin(turn)], 1)


def _nearer(at: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """One round: every node goes where the others, each at its distance, would have it."""
    weights = 1 / np.maximum(apart, 1) ** 2
    np.fill_diagonal(weights, 0)
    lengths = np.sqrt(((at[:, None] - at) ** 2).sum(-1))
    pull = weights * apart / np.maximum(lengths, 1e-9)
    moved = pull.sum(1, keepdims=True) * at - pull @ at + weights @ at
    return moved / weights.sum(1, keepdims=True)
