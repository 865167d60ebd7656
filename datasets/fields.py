"""Fields that spread, drift or react, on grids and on graphs; their equations are in equations/.

heat_grid, advection_grid    a plate of cells, row by row
heat_graph, advection_graph  places in the unit square; advection goes with the wind
brusselator                  a chemical clock along a line of cells

Heat and what drifts on a graph fade; `kicks` is the chance that a row adds 1 at some node.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from stsfm.datasets.ablation import Graph, ablated
from stsfm.datasets.equations.base import Linear
from stsfm.datasets.equations.flow import solved
from stsfm.datasets.equations.graphs import GraphHeat, Transport
from stsfm.datasets.equations.grids import Advection, Boundary, Brusselator, Grid, Heat
from stsfm.datasets.equations.simulation import observed, seconds
from stsfm.datasets.graph import between, knn
from stsfm.datasets.panel import Array, Panel, Space


def heat_grid(
    *,
    length: int,
    dt: float,
    shape: Sequence[int],
    spacing: float,
    boundary: Boundary,
    diffusivity: float,
    cooling: float,
    kicks: float,
    noise: float,
    seed: int,
    space: Graph = "given",
) -> Panel:
    """Heat in a plate: length × cells × 1; the graph joins cells that share a side."""
    cells = Grid(shape=tuple(shape), spacing=spacing, boundary=boundary)
    physics = Heat(grid=cells, diffusivity=diffusivity, cooling=cooling)
    rng = np.random.default_rng(seed)
    panel = _kicked("heat_grid", physics, cells.space(), length, dt, kicks, noise, rng)
    return ablated(panel, space)


def heat_graph(
    *,
    length: int,
    dt: float,
    nodes: int,
    neighbours: int,
    diffusivity: float,
    cooling: float,
    kicks: float,
    noise: float,
    seed: int,
    space: Graph = "given",
) -> Panel:
    """Heat between places that are joined with their nearest neighbours: length × nodes × 1."""
    physics = GraphHeat(diffusivity=diffusivity, cooling=cooling)
    rng = np.random.default_rng(seed)
    where = _places(nodes, neighbours, rng)
    return ablated(_kicked("heat_graph", physics, where, length, dt, kicks, noise, rng), space)


def advection_graph(
    *,
    length: int,
    dt: float,
    nodes: int,
    neighbours: int,
    speed: float,
    decay: float,
    kicks: float,
    noise: float,
    seed: int,
    space: Graph = "given",
) -> Panel:
    """What drifts eastwards from place to place: length × nodes × 1."""
    physics = Transport(speed=speed, decay=decay)
    rng = np.random.default_rng(seed)
    where = _places(nodes, neighbours, rng)
    coords: Array = where.coords
    east = coords[:, 0] > coords[:, :1]
    where = replace(where, adjacency=where.adjacency * east)
    return ablated(_kicked("advection_graph", physics, where, length, dt, kicks, noise, rng), space)


def advection_grid(
    *,
    length: int,
    dt: float,
    shape: Sequence[int],
    spacing: float,
    velocity: Sequence[float],
    noise: float,
    seed: int,
    space: Graph = "given",
) -> Panel:
    """Three waves that drift over a plate whose ends meet: length × cells × 1."""
    cells = Grid(shape=tuple(shape), spacing=spacing, boundary="periodic")
    physics = Advection(grid=cells, velocity=tuple(velocity))
    rng = np.random.default_rng(seed)
    where = cells.space()
    coords: Array = where.coords
    turns = 2 * np.pi * coords[:, : len(shape)][:, ::-1] / (spacing * np.array(shape))
    waves = (turns @ rng.integers(-2, 3, len(shape)) + rng.uniform(0, 2 * np.pi) for _ in range(3))
    start = sum(np.sin(wave) for wave in waves)[:, None]
    states = solved(physics, start, seconds(length, dt), where)
    panel = observed(
        states, dt, name="advection_grid", channels=physics.channels, noise=noise, rng=rng,
        physics=physics, space=where, suggests={"horizon": 12},
    )  # fmt: skip
    return ablated(panel, space)


def brusselator(
    *,
    length: int,
    dt: float,
    drop: int,
    cells: int,
    extent: float,
    a: float,
    b: float,
    diffusivity: float,
    noise: float,
    seed: int,
) -> Panel:
    """The Brusselator on a line without flux at its ends: length × cells × 2.

    It starts at u = 1 + sin 2πs, v = 3, s the place as a share of `extent` (Hairer & Wanner,
    Solving ordinary differential equations II, 1996); the first `drop` rows lead to the cycle.
    """
    line = Grid(shape=(cells,), spacing=extent / cells, boundary="no_flux")
    physics = Brusselator(grid=line, a=a, b=b, diffusivity=diffusivity)
    place = (np.arange(cells) + 0.5) / cells
    start = np.stack([1 + np.sin(2 * np.pi * place), np.full(cells, 3.0)], 1)
    states = solved(physics, start, seconds(drop + length, dt), Space())[drop:]
    return observed(
        states, dt, name="brusselator", channels=physics.channels, noise=noise,
        rng=np.random.default_rng(seed), physics=physics, space=line.space(),
        suggests={"horizon": 12},
    )  # fmt: skip


def _kicked(
    name: str,
    physics: Linear,
    where: Space,
    length: int,
    dt: float,
    kicks: float,
    noise: float,
    rng: np.random.Generator,
) -> Panel:
    """A field that starts at random, moves exactly, and is kicked in some rows."""
    if not 0 <= kicks <= 1:
        raise ValueError(f"kicks is the chance of a row, from 0 to 1; got {kicks}")
    coords: Array = where.coords
    nodes = len(coords)
    onwards = physics.propagator(float(seconds(2, dt)[1]), nodes, where)
    hit, at = rng.random(length) < kicks, rng.integers(nodes, size=length)
    states = np.empty((length, nodes))
    states[0] = rng.random(nodes)
    for t in range(1, length):
        states[t] = onwards @ states[t - 1]
        states[t, at[t]] += hit[t]
    return observed(
        states[..., None], dt, name=name, channels=physics.channels, noise=noise, rng=rng,
        physics=physics, space=where, suggests={"horizon": 12},
    )  # fmt: skip


def _places(nodes: int, neighbours: int, rng: np.random.Generator) -> Space:
    """Places in the unit square; w_ij = 1 where one is among the nearest of the other."""
    coords = rng.random((nodes, 2))
    return Space(coords=coords, adjacency=knn(between(coords, "plane"), neighbours))
