"""Where the nodes of a graph without coordinates are drawn: near where few edges lie between.

Multidimensional scaling of the numbers of edges between nodes: from pivots for a start (Brandes &
Pich, Eigensolver methods for progressive multidimensional scaling, 2007), then by majorising the
stress (Gansner, Koren & North, Graph drawing by stress majorization, 2004). No random number is
drawn: a graph looks the same every time.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, shortest_path
from scipy.spatial.distance import cdist

PIVOTS = 50
MOST = 1_200  # nodes whose stress is majorised: all their distances are held
ROUNDS = 40
APART = 1.5  # edges between two parts


def spread(edges: np.ndarray, nodes: int) -> np.ndarray:
    """(node, 2) places for edges (edge, 2); parts with no edge between them lie side by side."""
    graph = csr_array((np.ones(len(edges)), tuple(edges.T)), shape=(nodes, nodes))
    count, part = connected_components(graph, directed=False)
    members = [np.flatnonzero(part == k) for k in range(count)]
    members.sort(key=len, reverse=True)  # stable: nodes alone stay in their order
    parts = [_laid(graph[some][:, some]) for some in members]
    area = sum((np.ptp(part, 0) + APART).prod() for part in parts)
    wide = max(np.ptp(parts[0][:, 0]), 1.3 * area**0.5)
    at, corner, tall = np.zeros((nodes, 2)), np.zeros(2), 0.0
    for some, own in zip(members, parts, strict=True):
        size = np.ptp(own, 0)
        if corner[0] > 0 and corner[0] + size[0] > wide:
            corner, tall = np.array([0.0, corner[1] - tall - APART]), 0.0
        at[some] = own - np.array([own[:, 0].min(), own[:, 1].max()]) + corner
        corner = corner + np.array([size[0] + APART, 0])
        tall = max(tall, size[1])
    return at


def _laid(graph: csr_array) -> np.ndarray:
    """(node, 2) places of one part, the longer way along x."""
    if graph.shape[0] == 1:
        return np.zeros((1, 2))
    at = _scaled(_hops(graph, _pivots(graph)))
    if len(at) <= MOST:
        apart = _hops(graph, np.arange(len(at)))
        weights = 1 / np.maximum(apart, 1) ** 2
        np.fill_diagonal(weights, 0)
        for _ in range(ROUNDS):
            at = _nearer(at, apart, weights)
    at = at - at.mean(0)
    at = at @ np.linalg.eigh(at.T @ at)[1][:, ::-1]
    return at * np.where(at[np.argmax(abs(at), 0), [0, 1]] < 0, -1, 1)


def _hops(graph: csr_array, from_: np.ndarray) -> np.ndarray:
    """(from, node) edges on the shortest way."""
    return shortest_path(graph, directed=False, unweighted=True, indices=from_)


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


def _nearer(at: np.ndarray, apart: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """One round: every node goes where the others, each at its distance, would have it."""
    pull = weights * apart / np.maximum(cdist(at, at), 1e-9)
    moved = pull.sum(1, keepdims=True) * at - pull @ at + weights @ at
    return moved / weights.sum(1, keepdims=True)
