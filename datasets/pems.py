"""Traffic flow in four districts of California, every 5 minutes, with the road between detectors.

PEMS04 and PEMS08: Guo et al., Attention based spatial-temporal graph convolutional networks, AAAI
(2019). PEMS03 and PEMS07: Song et al., Spatial-temporal synchronous graph convolutional networks,
AAAI (2020). Flow is in vehicles per 5 minutes; 04 and 08 hold occupancy and speed, too. A file has
no stamps: they are counted from the days that the papers name.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from stsfm.datasets.ablation import Graph, ablated
from stsfm.datasets.about import DAY
from stsfm.datasets.fetch import Source, fetch
from stsfm.datasets.graph import gaussian
from stsfm.datasets.panel import About, Array, Panel, Space
from stsfm.datasets.reading.matrix import Zeros, observed, read_matrix, regular

Kernel = Literal["binary", "gaussian"]

RECORD = "https://zenodo.org/records/7816008"
REPOSITORY = "https://github.com/guoshnBJTU/ASTGNN"
RAW = "https://raw.githubusercontent.com/guoshnBJTU/ASTGNN/29ce7a17942e5e11d5fc15e61c6cd0cb2e64ec63"
FEATURES = {"flow": "vehicles / 5 min", "occupancy": "share of time", "speed": "mph"}
STEP = DAY // 288  # ns
WEIGHT = 0.1  # least of an edge of kernel=gaussian


class District(NamedTuple):
    """What is known of one of the four; "" = not known here."""

    start: str
    flows: Source
    distances: Source
    sensors: Source | None = None  # their names in the order of the nodes


def _district(number: str, start: str, *, digest: str = "", named: bool = False) -> District:
    """The series from Zenodo, the graph from there (04, 08) or from the repository (03, 07)."""
    file, table = f"PEMS{number}.npz", f"PEMS{number}.csv"
    there = f"{RAW}/data/PEMS{number}"
    zenodo = number in ("04", "08")
    flows = Source(file=file, home=RECORD, urls=(f"{RECORD}/files/{file}?download=1",))
    if number == "07":  # of which no plain link is known
        flows = Source(file=file, home=REPOSITORY)
    distances = Source(
        file=table,
        home=RECORD if zenodo else REPOSITORY,
        urls=(f"{RECORD}/files/{table}?download=1" if zenodo else f"{there}/{table}",),
        sha256=digest,
        key="data.distances",
    )
    names = f"PEMS{number}.txt"
    sensors = Source(file=names, home=REPOSITORY, urls=(f"{there}/{names}",), key="data.sensors")
    return District(start, flows, distances, sensors if named else None)


# The digests of the distances of 04 and 08 were checked on files; the others are not known here.
DISTRICTS = {
    "pems03": _district("03", "2018-09-01", named=True),
    "pems04": _district(
        "04", "2018-01-01",
        digest="68ffaa80447eb34428a9999dc28363c61406ec0fd714686d0582d2386ac6f5f7",
    ),
    "pems07": _district("07", "2017-05-01"),
    "pems08": _district(
        "08", "2016-07-01",
        digest="859d68e7583ed4e6016588eaaca494d3ece286dae361614c5c1833017f87eaa7",
    ),
}  # fmt: skip


def pems03(
    *, path: str, distances: str, sensors: str, zeros: Zeros, kernel: Kernel, space: Graph
) -> Panel:
    """Flow in Caltrans district 3, September to November 2018: 26,208 rows × 358 nodes."""
    return _read("pems03", path, ("flow",), distances, sensors, zeros, kernel, space)


def pems04(
    *,
    path: str,
    features: Sequence[str],
    distances: str,
    zeros: Zeros,
    kernel: Kernel,
    space: Graph,
) -> Panel:
    """Flow in Caltrans district 4, January and February 2018: 16,992 rows × 307 nodes."""
    return _read("pems04", path, features, distances, "", zeros, kernel, space)


def pems07(*, path: str, distances: str, zeros: Zeros, kernel: Kernel, space: Graph) -> Panel:
    """Flow in Caltrans district 7, May to August 2017: 28,224 rows × 883 nodes."""
    return _read("pems07", path, ("flow",), distances, "", zeros, kernel, space)


def pems08(
    *,
    path: str,
    features: Sequence[str],
    distances: str,
    zeros: Zeros,
    kernel: Kernel,
    space: Graph,
) -> Panel:
    """Flow in Caltrans district 8, July and August 2016: 17,856 rows × 170 nodes."""
    return _read("pems08", path, features, distances, "", zeros, kernel, space)


def _read(
    name: str,
    path: str,
    features: Sequence[str],
    distances: str,
    sensors: str,
    zeros: Zeros,
    kernel: Kernel,
    space: Graph,
) -> Panel:
    """Flow, the target, and other features as past-only channels where they are asked for."""
    district = DISTRICTS[name]
    local = fetch(district.flows, path)
    cells = read_matrix(local.path).values
    cells = cells if cells.ndim == 3 else cells[..., None]
    if "flow" not in features or set(features) - {*list(FEATURES)[: cells.shape[2]]}:
        held = ", ".join(list(FEATURES)[: cells.shape[2]])
        raise ValueError(f"data.features: wanted flow and others of {held}, got {list(features)}")
    picked = [list(FEATURES).index(feature) for feature in features]
    values, mask = observed(np.ascontiguousarray(cells[..., picked]), zeros)
    nodes = tuple(str(n) for n in range(cells.shape[1]))
    if district.sensors:
        nodes = _names(fetch(district.sensors, sensors, beside=path).path, len(nodes))
    graph = None
    if space not in ("none", "learned"):
        graph = _graph(fetch(district.distances, distances, beside=path).path, nodes, kernel)
    panel = Panel(
        values=values,
        mask=mask,
        time=regular(district.start, STEP, len(cells)),
        space=Space(adjacency=graph),
        about=About(
            name=name,
            nodes=nodes,
            channels=tuple(features),
            targets=("flow",),
            units=tuple(FEATURES[feature] for feature in features),
            season=288,
            step="5 min",
            family=name,
            source=district.flows.home,
            licence="none stated" if name == "pems07" else "not known here",
            digest=local.sha256,
            suggests={"horizon": 12, "val": 0.6, "test": 0.8},
            findings=local.findings,
        ),
    )
    return ablated(panel, space)


def _names(file: Path, nodes: int) -> tuple[str, ...]:
    found = tuple(file.read_text().split())
    if len(found) != nodes:
        raise ValueError(f"{file.name}: wanted the names of {nodes} sensors, got {len(found)}")
    return found


def _graph(file: Path, nodes: Sequence[str], kernel: Kernel) -> Array:
    """Weights (node, node), one way, from rows from,to,distance: 1 or by the kernel of DCRNN."""
    rows = np.genfromtxt(file, delimiter=",", skip_header=1, dtype=str, ndmin=2)
    at = {name: row for row, name in enumerate(nodes)}
    if unknown := {name for name in rows[:, :2].flat if name not in at}:
        raise ValueError(f"{file.name} names {min(unknown)}, which is no node of {len(nodes)}")
    pairs = tuple(np.array([[at[a], at[b]] for a, b, *_ in rows]).T)
    if kernel == "gaussian":
        apart = np.full((len(nodes), len(nodes)), np.nan)
        apart[pairs] = rows[:, 2].astype(float)
        return gaussian(apart, WEIGHT)
    graph = np.zeros((len(nodes), len(nodes)))
    graph[pairs] = 1
    np.fill_diagonal(graph, 0)
    return graph
