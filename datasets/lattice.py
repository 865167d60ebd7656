"""Nodes that are points of a rectangular grid: their row and column, and who is whose neighbour.

A Space of geometry "grid" has one x and one y per node, longitude and latitude in degrees or
others. Its shape is that of the distinct ones: every distinct y is a row, every distinct x a
column. Points that are no nodes, such as land in a field of the sea, leave their cells empty:

    lattice = lattice_of(panel.space)
    image = lattice.image(mae_by_node)         # (row, column), NaN where there is no node
    plt.pcolormesh(lattice.x, lattice.y, image)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from stsfm.datasets.graph import check_size
from stsfm.datasets.panel import Array, Space

Neighbours = Literal[0, 4, 8]

STEPS = {4: ((0, 1), (1, 0)), 8: ((0, 1), (1, 0), (1, 1), (1, -1))}  # half of them: rows, columns


@dataclass(frozen=True)
class Lattice:
    """x (column) and y (row), both rising; the row and the column of each node."""

    x: Array
    y: Array
    row: Array
    column: Array

    def image(self, values: Array) -> Array:
        """Values (..., node) as (..., row, column), NaN where there is no node."""
        out = np.full((*values.shape[:-1], len(self.y), len(self.x)), np.nan)
        out[..., self.row, self.column] = values
        return out


def lattice_of(space: Space) -> Lattice | None:
    """The grid that the nodes are points of; None where they are none."""
    if space.coords is None or space.geometry != "grid":
        return None
    x, column = np.unique(space.coords[:, 0], return_inverse=True)
    y, row = np.unique(space.coords[:, 1], return_inverse=True)
    return Lattice(x, y, row, column)


def neighbourhood(lattice: Lattice, neighbours: Neighbours, *, closed: bool) -> Array:
    """1 between nodes (node, node) that touch along a side, and with 8 at a corner, too.

    closed  the first column touches the last, as around the globe
    """
    count = len(lattice.row)
    check_size(count)
    at = np.full((len(lattice.y), len(lattice.x)), -1)
    at[lattice.row, lattice.column] = np.arange(count)
    graph = np.zeros((count, count))
    for down, right in STEPS.get(neighbours, ()):
        row, column = lattice.row + down, lattice.column + right
        if closed:
            column = column % len(lattice.x)
        inside = (row < len(lattice.y)) & (column >= 0) & (column < len(lattice.x))
        node = np.flatnonzero(inside)
        other = at[row[inside], column[inside]]
        node, other = node[other >= 0], other[other >= 0]
        graph[node, other] = graph[other, node] = 1
    np.fill_diagonal(graph, 0)
    return graph
