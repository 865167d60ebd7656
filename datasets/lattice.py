"""Do nodes lie on a lattice? Then they are cells of an image, and neighbours share a side."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

FEWEST = 3  # rows, and columns
FILLED = 0.25  # of the cells, at least: a coast may leave out the others
NEAR = 1e-6  # of the extent: coordinates so near are one


class Lattice(NamedTuple):
    x: np.ndarray  # (column,) increasing
    y: np.ndarray  # (row,) increasing
    cell: np.ndarray  # int (node, 2): row and column of each node

    def image(self, values: np.ndarray) -> np.ndarray:
        """Values (..., node) as (..., row, column), NaN where no node is."""
        out = np.full((*values.shape[:-1], len(self.y), len(self.x)), np.nan)
        out[(..., *self.cell.T)] = values
        return out

    @property
    def edges(self) -> np.ndarray:
        """(edge, 2) nodes whose cells share a side, in both directions."""
        return self.pairs()

    def pairs(self, *, corners: bool = False, closed: bool = False) -> np.ndarray:
        """(edge, 2) nodes whose cells touch, in both directions.

        corners  at a corner is enough
        closed   the last column touches the first, as around the globe
        """
        node = np.full((len(self.y), len(self.x)), -1)
        node[tuple(self.cell.T)] = np.arange(len(self.cell))
        node = np.concatenate([node, node[:, :1]], 1) if closed else node
        beside = [(node[:, :-1], node[:, 1:]), (node[:-1], node[1:])]
        if corners:
            beside += [(node[:-1, :-1], node[1:, 1:]), (node[:-1, 1:], node[1:, :-1])]
        pairs = np.concatenate([np.stack([a.ravel(), b.ravel()], 1) for a, b in beside])
        pairs = pairs[(pairs >= 0).all(1)]
        return np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0)


def lattice(coords: np.ndarray) -> Lattice | None:
    """The lattice of coordinates (node, 2); None where they are scattered, or two nodes meet."""
    (x, column), (y, row) = map(_lines, coords.T)
    if min(len(x), len(y)) < FEWEST or len(coords) < FILLED * len(x) * len(y):
        return None
    cell = np.stack([row, column], 1)
    return Lattice(x, y, cell) if len(np.unique(cell, axis=0)) == len(cell) else None


def _lines(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct values (line,), and the line of each."""
    size = NEAR * float(np.ptp(values)) or 1.0
    _, first, at = np.unique(np.round(values / size), return_index=True, return_inverse=True)
    return values[first], at
