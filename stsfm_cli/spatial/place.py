"""Where the nodes of a run are, and which are neighbours: all that its record keeps of space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from stsfm.datasets.lattice import Lattice, lattice
from stsfm.datasets.panel import Space
from stsfm.words import count

NEAREST = 4  # neighbours of a node that only has coordinates; as many as on a lattice


class Neighbours(NamedTuple):
    """Pairs that may err alike, and what made them neighbours, in words."""

    edges: np.ndarray  # int (edge, 2), from → to
    weights: np.ndarray  # (edge,), positive
    said: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """Edges without loops (edge, 2) from → to, their weights (edge,), and coordinates (node, dim).

    graph     one of datasets.about.GRAPHS: what became of the graph that was given
    geometry  what the coordinates mean: plane or sphere (longitude, latitude)
    """

    nodes: int
    edges: np.ndarray
    weights: np.ndarray
    coords: np.ndarray | None = None
    geometry: str = "plane"
    units: str = ""
    graph: str = "given"

    @classmethod
    def of(cls, space: Space, nodes: int) -> Place:
        """Of a graph that changes, the mean over time; weights of 0 or less are no edges."""
        edges, weights = np.zeros((0, 2), int), np.zeros(0)
        if space.adjacency is not None:
            graph = np.asarray(space.adjacency)
            graph = graph.mean(0) if space.changes else graph
            edges = np.argwhere((graph > 0) & ~np.eye(nodes, dtype=bool))
            weights = graph[tuple(edges.T)].astype(float)
        coords = None if space.coords is None else np.asarray(space.coords, float)
        return cls(nodes=nodes, edges=edges, weights=weights, coords=coords,
                   geometry=space.geometry, units=space.units, graph=space.graph)  # fmt: skip

    def arrays(self) -> dict[str, np.ndarray]:
        """As space.npz has it."""
        words = np.array([self.geometry, self.units, self.graph])
        held = {"nodes": np.array(self.nodes), "words": words}
        held |= {"edges": self.edges.astype(np.int32), "weights": self.weights.astype(np.float32)}
        return held if self.coords is None else held | {"coords": self.coords}

    @classmethod
    def read(cls, held: Mapping[str, np.ndarray]) -> Place | None:
        """What `arrays` gave; None of nothing."""
        if not held:
            return None
        geometry, units, graph = map(str, held["words"])
        return cls(nodes=int(held["nodes"]), edges=held["edges"], weights=held["weights"],
                   coords=held.get("coords"), geometry=geometry, units=units,
                   graph=graph)  # fmt: skip

    @property
    def empty(self) -> bool:
        """Is there nothing to draw or to test?"""
        return not len(self.edges) and self.coords is None

    @property
    def flat(self) -> bool:
        """Are there two coordinates, such as a map has?"""
        return self.coords is not None and self.coords.shape[1] == 2

    @cached_property
    def lattice(self) -> Lattice | None:
        return lattice(self.coords) if self.coords is not None and self.flat else None

    @cached_property
    def degree(self) -> np.ndarray:
        """(node,) the weights of all edges that lead from a node or to it, each pair once."""
        both = np.bincount(self.edges.ravel(), np.repeat(self.weights, 2), self.nodes)
        return both / 2 if self.symmetric else both

    @cached_property
    def symmetric(self) -> bool:
        """Does every edge lead both ways, with one weight?"""
        there = dict(zip(map(tuple, self.edges.tolist()), self.weights.tolist(), strict=True))
        return all(there.get((j, i)) == weight for (i, j), weight in there.items())

    @cached_property
    def neighbours(self) -> Neighbours | None:
        """By the graph that the data have; else cells that share a side, else the nearest nodes.

        A graph that was shuffled or taken away says nothing of who is near: then coordinates do.
        """
        if self.graph == "given" and len(self.edges):
            pairs = len(self.edges) // 2 if self.symmetric else len(self.edges)
            kind = "edge" if self.symmetric else "directed edge"
            return Neighbours(self.edges, self.weights, f"{count(pairs, kind)} of the graph")
        if self.coords is None:
            return None
        if self.lattice is not None:
            edges, said = self.lattice.edges, "cells of the lattice that share a side"
        else:
            edges, said = _nearest(self.coords, self.geometry), f"the {NEAREST} nearest nodes"
        return Neighbours(edges, np.ones(len(edges)), said) if len(edges) else None


def _nearest(coords: np.ndarray, geometry: str) -> np.ndarray:
    """(edge, 2): from each node to those nearest to it."""
    from scipy.spatial import cKDTree

    points = _on_globe(coords) if geometry == "sphere" else coords
    near = min(NEAREST, len(coords) - 1)
    _, found = cKDTree(points).query(points, near + 1)  # as a rule itself is among them
    pairs = np.stack([np.repeat(np.arange(len(coords)), near + 1), found.ravel()], 1)
    return pairs[pairs[:, 0] != pairs[:, 1]]


def _on_globe(degrees: np.ndarray) -> np.ndarray:
    """(node, 3) on the unit sphere, from longitude and latitude."""
    lon, lat = np.radians(degrees[:, :2]).T
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], 1)
