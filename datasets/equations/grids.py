"""Fields on a rectangular grid, by finite differences of second order.

    Heat        ∂x/∂t = D Δx − r x
    Advection   ∂x/∂t = −c · ∇x             periodic; energy Σ x² / 2
    Brusselator ∂u/∂t = a − (b + 1) u + u² v + D Δu,   ∂v/∂t = b u − u² v + D Δv

    ∂x/∂s ≈ (x₊ − x₋) / 2h,   Δx ≈ Σ_axes (x₊ − 2x + x₋) / h²

x₋ and x₊ are the neighbours along an axis: around the end where the boundary is `periodic`, the
cell itself where it is `no_flux`. Cells are nodes, row by row. Prigogine & Lefever, Symmetry
breaking instabilities in dissipative systems II, J. Chemical Physics 48 (1968).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from stsfm.datasets.about import Array, Space, xp
from stsfm.datasets.equations.base import Conservative, Equation, Linear

Boundary = Literal["periodic", "no_flux"]


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Cells of one size. shape: how many along each axis, spacing: h, in units of length."""

    shape: tuple[int, ...]
    spacing: float
    boundary: Boundary

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))  # YAML has lists
        if not 1 <= len(self.shape) <= 2 or min(self.shape) < 3 or self.spacing <= 0:
            raise ValueError(
                "a grid has one axis or two with 3 cells or more, of a size above 0; "
                f"got {list(self.shape)} cells of size {self.spacing}"
            )

    def space(self) -> Space:
        """Where the cells are, and a graph of those that touch."""
        cells = np.indices(self.shape).reshape(len(self.shape), -1).T[:, ::-1]  # (node, axis)
        coords = np.zeros((len(cells), 2))
        coords[:, : cells.shape[1]] = (cells + 0.5) * self.spacing
        graph = np.zeros((len(cells), len(cells)))
        for near in (side for pair in _neighbours(self.shape, self.boundary) for side in pair):
            graph[np.arange(len(cells)), near] = 1
        np.fill_diagonal(graph, 0)
        return Space(coords=coords, adjacency=graph)

    def laplacian(self, x: Array) -> Array:
        """Δx of fields (…, node, channel)."""
        pairs = _neighbours(self.shape, self.boundary)
        total = sum(x[..., after, :] + x[..., before, :] for before, after in pairs)
        return (total - 2 * len(pairs) * x) / self.spacing**2

    def along(self, x: Array, axis: int) -> Array:
        """∂x/∂s along an axis of the grid."""
        before, after = _neighbours(self.shape, self.boundary)[axis]
        return (x[..., after, :] - x[..., before, :]) / (2 * self.spacing)


@dataclass(frozen=True, kw_only=True)
class Heat(Linear):
    channels = ("temperature",)

    grid: Grid
    diffusivity: float  # D, length² / s
    cooling: float  # r, 1/s: what is lost to the air

    def rate(self, x: Array, space: Space) -> Array:
        return self.diffusivity * self.grid.laplacian(x) - self.cooling * x


@dataclass(frozen=True, kw_only=True)
class Advection(Conservative, Linear):
    channels = ("concentration",)

    grid: Grid
    velocity: tuple[float, ...]  # c, length / s along each axis

    def __post_init__(self) -> None:
        if self.grid.boundary != "periodic" or len(self.velocity) != len(self.grid.shape):
            raise ValueError("advection wants a periodic grid, and a velocity along each axis")

    def rate(self, x: Array, space: Space) -> Array:
        return -sum(c * self.grid.along(x, axis) for axis, c in enumerate(self.velocity))

    def energy(self, x: Array, space: Space) -> Array:
        return (x**2).sum((-2, -1)) / 2


@dataclass(frozen=True, kw_only=True)
class Brusselator(Equation):
    channels = ("u", "v")

    grid: Grid
    a: float
    b: float  # oscillates above 1 + a²
    diffusivity: float  # D of both species

    def rate(self, x: Array, space: Space) -> Array:
        u, v = x[..., :1], x[..., 1:]
        spread = self.diffusivity * self.grid.laplacian(x)
        made, turned = self.a - (self.b + 1) * u + u**2 * v, self.b * u - u**2 * v
        return spread + xp(x).concatenate([made, turned], -1)


def grid_of(space: Space, boundary: Boundary) -> Grid:
    """The grid whose cells, row by row, are the nodes. ValueError where they are none."""
    if space.coords is None:
        raise ValueError("a grid is made of the coordinates of the nodes, and the data have none")
    coords: Array = space.coords
    lines = [np.unique(axis.round(9)) for axis in coords.T[::-1]]  # rows first
    apart = np.concatenate([np.diff(line) for line in lines])
    shape = tuple(len(line) for line in lines if len(line) > 1)
    if shape and np.allclose(apart, apart[0]) and np.prod(shape) == len(coords):
        grid = Grid(shape=shape, spacing=float(apart[0].round(9)), boundary=boundary)
        place: Array = grid.space().coords
        if np.allclose(place - place[0], coords - coords[0]):
            return grid
    raise ValueError("the nodes are not the cells of a grid, of one spacing, row by row")


@lru_cache
def _neighbours(shape: tuple[int, ...], boundary: Boundary) -> tuple[tuple[np.ndarray, ...], ...]:
    """Along each axis, which node comes before each node, and which after."""
    nodes = np.arange(np.prod(shape)).reshape(shape)
    mode: Literal["wrap", "clip"] = "wrap" if boundary == "periodic" else "clip"
    return tuple(
        tuple(nodes.take(np.arange(size) + way, axis=axis, mode=mode).ravel() for way in (-1, 1))
        for axis, size in enumerate(shape)
    )
