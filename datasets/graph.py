"""Where the nodes are, from files: a list of edges, distances or coordinates becomes a Space.

    gaussian   w_ij = exp(−d_ij² / σ²) where that is at least the threshold, else 0
               σ the standard deviation of all distances given, of a node to itself too
    knn        w_ij = 1 where j is one of the k nearest of i, or i of j

The Gaussian kernel is that of Li et al., Diffusion convolutional recurrent neural network, ICLR
(2018). An edge leads one way: a list of edges or road distances may give an asymmetric graph; kNN
and coordinates give a symmetric one. Nodes without an edge stay alone. The diagonal is 0: what a
node has to do with itself is for a model to say.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from stsfm.datasets.panel import Array, Space

Kernel = Literal["gaussian", "knn", "none"]
Geometry = Literal["plane", "sphere"]

MOST = 20_000  # nodes of a graph: its matrix takes 3 GB
EARTH = 6371.0088  # km, mean radius
COLUMNS = {"plane": ("x", "y"), "sphere": ("lon", "lat")}  # and longer names that begin so


def space_of(
    nodes: Sequence[str],
    *,
    edges: str | Path | None = None,
    distances: str | Path | None = None,
    coords: str | Path | None = None,
    kernel: Kernel = "gaussian",
    neighbours: int = 8,
    threshold: float = 0.1,
    geometry: Geometry = "plane",
) -> Space:
    """The space of the named nodes, in their order, from CSV files.

    edges       rows from,to[,weight], weight 1 unless given; or a matrix with the names of the
                nodes in its first row and column
    distances   rows from,to,distance, or a matrix likewise; made into a graph by the kernel
    coords      a header and rows node,x,y (plane) or node,lon,lat in degrees (sphere); made into
                a graph by the kernel, in km on a sphere, unless edges or distances are given
    kernel      gaussian | knn | none (coordinates alone)
    neighbours  k of knn
    threshold   of gaussian: lesser weights are 0

    Raises ValueError that names the file: for nodes that the data lack, nodes without coordinates,
    pairs given twice, negative or unreadable numbers.
    """
    if edges and distances:
        raise ValueError("give edges or distances, not both: each of them makes a graph")
    places = _places(Path(coords), nodes, geometry) if coords else None
    graph = None
    if edges:
        graph = np.nan_to_num(_pairs(Path(edges), nodes))
        np.fill_diagonal(graph, 0)
    elif kernel != "none" and (distances or places is not None):
        apart = _pairs(Path(distances), nodes) if distances else between(places, geometry)
        graph = gaussian(apart, threshold) if kernel == "gaussian" else knn(apart, neighbours)
    elif distances:
        raise ValueError("distances need a kernel to become a graph: gaussian or knn")
    units = "degrees" if geometry == "sphere" and places is not None else ""
    return Space(adjacency=graph, coords=places, geometry=geometry, units=units)


def gaussian(apart: Array, threshold: float) -> Array:
    """Distances (node, node), NaN where there is no way → weights in [threshold, 1], else 0."""
    spread = np.nanstd(apart) if np.isfinite(apart).any() else 0.0
    if not spread > 0:
        raise ValueError("distances that are all equal give the Gaussian kernel no width; use knn")
    weights = np.exp(-((apart / spread) ** 2))
    weights[np.isnan(weights) | (weights < threshold)] = 0
    np.fill_diagonal(weights, 0)
    return weights


def knn(apart: Array, neighbours: int) -> Array:
    """Distances (node, node), NaN where there is no way → 1 between near nodes, else 0."""
    if not 1 <= neighbours < len(apart):
        raise ValueError(f"neighbours must be 1 … {len(apart) - 1}, got {neighbours}")
    far = np.where(np.isfinite(apart) & ~np.eye(len(apart), dtype=bool), apart, np.inf)
    nearest = np.argsort(far, axis=1, kind="stable")[:, :neighbours]
    near = np.zeros(far.shape, bool)
    np.put_along_axis(near, nearest, True, axis=1)
    near &= np.isfinite(far)
    return (near | near.T).astype(float)


def between(places: Array, geometry: Geometry) -> Array:
    """Distances (node, node): straight in the units of the plane, or in km along great circles.

    On the sphere by the haversine formula, which loses no digits where places are near.
    """
    check_size(len(places))
    if geometry == "plane":
        (x, y), (u, v) = places.T[:, :, None], places.T[:, None, :]
        return np.hypot(x - u, y - v)
    (lon, lat), (east, north) = np.radians(places).T[:, :, None], np.radians(places).T[:, None, :]
    across = np.cos(lat) * np.cos(north) * np.sin((lon - east) / 2) ** 2
    return 2 * EARTH * np.arcsin(np.sqrt((np.sin((lat - north) / 2) ** 2 + across).clip(0, 1)))


# ---- files ---------------------------------------------------------------------------------------


def _pairs(path: Path, nodes: Sequence[str]) -> Array:
    """Numbers between nodes (from, to); NaN where the file has none."""
    check_size(len(nodes))
    rows = _rows(path)
    at = {name: i for i, name in enumerate(nodes)}
    out = np.full((len(nodes), len(nodes)), np.nan)
    names = rows[0][1:]
    if len(rows) > 2 and names == [row[0] for row in rows[1:]]:  # a matrix
        _check_names(path, names, nodes, all_=True)
        order = [at[name] for name in names]
        cells = [[_number(path, cell, least=0) for cell in row[1:]] for row in rows[1:]]
        out[np.ix_(order, order)] = cells
        return out
    rows = rows[1:] if _is_header(rows[0], nodes) else rows
    _check_names(path, {name for row in rows for name in row[:2]}, nodes, all_=False)
    for a, b, *rest in rows:
        if np.isfinite(out[at[a], at[b]]):
            raise ValueError(f"{path.name} gives {a} → {b} twice")
        out[at[a], at[b]] = _number(path, rest[0], least=0) if rest else 1.0
    return out


def _places(path: Path, nodes: Sequence[str], geometry: Geometry) -> Array:
    """Coordinates (node, 2) in the order of the nodes."""
    header, *rows = _rows(path)
    found = [
        next((i for i, name in enumerate(header) if i and name.lower().startswith(wanted)), 0)
        for wanted in COLUMNS[geometry]
    ]
    if not all(found):
        wanted = ",".join(("node", *COLUMNS[geometry]))
        raise ValueError(
            f"{path.name}: geometry={geometry} wants a header {wanted}, got {','.join(header)}"
        )
    _check_names(path, [row[0] for row in rows], nodes, all_=True)
    where = {row[0]: [_number(path, row[i]) for i in found] for row in rows}
    places = np.array([where[name] for name in nodes])
    if geometry == "sphere" and (abs(places) > (360, 90)).any():
        raise ValueError(f"{path.name}: longitudes are within ±360 and latitudes within ±90")
    return places


def _rows(path: Path) -> list[list[str]]:
    """The rows of a CSV, without spaces about its cells; all as long as the first."""
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = [[cell.strip() for cell in row] for row in csv.reader(file) if row]
    if len(rows) < 2 or len(rows[0]) < 2:
        raise ValueError(f"{path.name}: wanted rows of at least two cells, with commas between")
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            raise ValueError(
                f"{path.name}: row {number} has {len(row)} cells, and the first {len(rows[0])}"
            )
    return rows


def _is_header(row: list[str], nodes: Sequence[str]) -> bool:
    return not {*row[:2]} & {*nodes} and (len(row) == 2 or not _is_number(row[2]))


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _number(path: Path, text: str, least: float = -np.inf) -> float:
    if not _is_number(text) or float(text) < least:
        kind = "a number of 0 or more" if least == 0 else "a number"
        raise ValueError(f"{path.name}: wanted {kind}, got {text!r}")
    return float(text)


def _check_names(path: Path, named: Iterable[str], nodes: Sequence[str], *, all_: bool) -> None:
    """All names must be nodes; where `all_`, each node must be named, and once."""
    count = Counter(named)
    unknown, missing = sorted({*count} - {*nodes}), sorted({*nodes} - {*count})
    if all_ and (twice := [name for name, times in count.items() if times > 1]):
        raise ValueError(f"{path.name} gives {twice[0]} twice")
    if unknown or (all_ and missing):
        raise ValueError(
            f"{path.name} and the data name different nodes; only in the file: {_short(unknown)}; "
            f"only in the data: {_short(missing)}"
        )


def _short(names: list[str]) -> str:
    shown = ", ".join(names[:5]) or "none"
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown


def check_size(count: int) -> None:
    if count > MOST:
        raise ValueError(f"a graph has at most {MOST:,} nodes, got {count:,}; give coordinates "
                         "with kernel=none")  # fmt: skip
