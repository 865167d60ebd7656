"""A field on a rectangular grid, from NetCDF or Zarr: every grid point is a node.

Only the variables, the box and the span of time that are asked for are read. Points that are never
observed, such as land in a field of the sea, are no nodes; lattice.py knows where the others are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from stsfm.datasets.ablation import Graph, ablated
from stsfm.datasets.about import Finding
from stsfm.datasets.graph import check_size
from stsfm.datasets.lattice import Lattice
from stsfm.datasets.panel import About, Panel, Space
from stsfm.datasets.reading import field
from stsfm.datasets.reading.field import Axis
from stsfm.datasets.reading.grid import grid as regular
from stsfm.datasets.reading.matrix import observed
from stsfm.datasets.tabular import stem

Neighbours = Literal[0, 4, 8]

NEAR = 0.01  # degrees


def grid(
    *,
    path: str,
    variables: Sequence[str],
    targets: Sequence[str],
    lon: Sequence[float],
    lat: Sequence[float],
    start: str,
    end: str,
    level: float | None,
    stride: int,
    coarsen: int,
    neighbours: Neighbours,
    season: int | Literal["auto"],
    space: Graph,
) -> Panel:
    """A gridded field in NetCDF or Zarr: rows × grid points × variables.

    Coordinates are longitude and latitude in degrees, or whatever x and y the file has. The digest
    in About is of the values that were read. conf/data/grid.yaml explains the keys.

    Raises ValueError, in one line, where the file or a key makes no panel.
    """
    if not path:
        raise ValueError("which file? Say data=field.nc")
    if min(stride, coarsen) < 1:
        raise ValueError(f"stride and coarsen are at least 1, got {stride} and {coarsen}")
    with field.opened(Path(path).expanduser()) as held:
        names = list(variables) or field.with_space_and_time(held)
        if not variables and len(names) != 1:
            known = ", ".join(names) or "none, though wanted one over time, latitude and longitude"
            raise ValueError(f"{stem(path)}: which variable? There are {known}; data.variables=[…]")
        fields = [field.variable(held, name, level) for name in names]
        y, x = field.side(fields[0], "y", lat, stride), field.side(fields[0], "x", lon, stride)
        time = field.span(fields[0], start, end)
        rows = regular(time.at, "auto")
        cells, seen = field.read(fields, time, y, x, rows.rows, coarsen)
        units = tuple(str(one.attrs.get("units", "")) for one in fields)
        licence = str(held.attrs.get("license", "your own"))
    values, mask = observed(cells)
    if not values.shape[1]:
        raise ValueError(f"{stem(path)}: nothing is observed in the box")
    places = _space(y, x, seen, coarsen, neighbours)
    left_out = int((~seen).sum())
    missing = Finding("points without any value", "such as land", left_out, "are no nodes")
    panel = Panel(
        values=values,
        mask=mask,
        time=rows.time,
        space=places,
        about=About(
            name=stem(path),
            nodes=_names(places),
            channels=tuple(names),
            targets=tuple(targets),
            units=units,
            season=0 if season == "auto" else season,
            step=rows.step,
            source=path,
            licence=licence,
            digest=hashlib.sha256(values.data).hexdigest(),
            findings=(*rows.findings, *([missing] if left_out else [])),
        ),
    )
    return ablated(panel, space)


def _space(y: Axis, x: Axis, seen: np.ndarray, coarsen: int, neighbours: Neighbours) -> Space:
    """Where the nodes are, and a graph of those that touch; around the globe where x goes round."""
    cell = np.argwhere(seen)  # (node, 2): row and column
    lattice = Lattice(field.means(x.at, coarsen), field.means(y.at, coarsen), cell)
    coords = np.stack([lattice.x[cell[:, 1]], lattice.y[cell[:, 0]]], axis=1)  # (node, 2)
    globe = x.unit == y.unit == "degrees"
    units = x.unit if x.unit == y.unit else f"{x.unit}, {y.unit}"
    space = Space(coords=coords, geometry="sphere" if globe else "plane", units=units)
    if not neighbours:
        return space
    check_size(len(cell))
    count = len(lattice.x)
    around = np.ptp(lattice.x) * count / max(count - 1, 1)  # degrees, if the globe is closed
    closed = globe and count > 2 and abs(around - 360) < NEAR
    graph = np.zeros((len(cell), len(cell)))
    graph[tuple(lattice.pairs(corners=neighbours == 8, closed=closed).T)] = 1
    return replace(space, adjacency=graph)


def _names(space: Space) -> tuple[str, ...]:
    """52.5N 13.25E, or x and y"""
    pairs = space.coords.tolist()  # type: ignore[union-attr]
    if space.units != "degrees":
        return tuple(f"{x:g} {y:g}" for x, y in pairs)
    east = ((x + 180) % 360 - 180 for x, _ in pairs)
    return tuple(
        f"{abs(y):g}{'N' if y >= 0 else 'S'} {abs(x):g}{'E' if x >= 0 else 'W'}"
        for x, (_, y) in zip(east, pairs, strict=True)
    )
