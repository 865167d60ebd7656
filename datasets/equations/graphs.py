"""Fields on the nodes of a graph, w_ij ≥ 0 the weight of the edge i → j in space.adjacency.

    GraphHeat  dx_i/dt = D Σ_j ½(w_ij + w_ji) (x_j − x_i) − r x_i      the graph Laplacian, −D L x
    Transport  dx_j/dt = c (Σ_i w_ij x_i − x_j Σ_k w_jk) − r x_j       along the edges' direction

Without loss (r = 0) both keep Σ x. Chung, Spectral graph theory (1997).
"""

from __future__ import annotations

from dataclasses import dataclass

from stsfm.datasets.about import Array, Space
from stsfm.datasets.equations.base import Linear


@dataclass(frozen=True, kw_only=True)
class GraphHeat(Linear):
    channels = ("temperature",)
    needs = frozenset({"graph"})

    diffusivity: float  # D, 1/s for a weight of 1
    cooling: float  # r, 1/s

    def rate(self, x: Array, space: Space) -> Array:
        directed = _adjacency(space)
        graph = (directed + directed.swapaxes(-1, -2)) / 2
        flow = graph @ x - graph.sum(-1)[..., None] * x
        return self.diffusivity * flow - self.cooling * x


@dataclass(frozen=True, kw_only=True)
class Transport(Linear):
    channels = ("concentration",)
    needs = frozenset({"graph"})

    speed: float  # c, 1/s for a weight of 1
    decay: float  # r, 1/s

    def rate(self, x: Array, space: Space) -> Array:
        graph = _adjacency(space)
        flow = graph.swapaxes(-1, -2) @ x - graph.sum(-1)[..., None] * x
        return self.speed * flow - self.decay * x


def _adjacency(space: Space) -> Array:
    if space.adjacency is None:
        raise ValueError("the equation acts along a graph, and the data have none")
    return space.adjacency
