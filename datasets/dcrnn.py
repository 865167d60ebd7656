"""Highway speed of Los Angeles and the San Francisco Bay, with the graph of road distances.

Li, Yu, Shahabi & Liu, Diffusion convolutional recurrent neural network, ICLR (2018). A reading of 0
is a missing one. The graph is theirs, made of the same distances by the same rule (graph.py):
w_ij = exp(−d_ij² / σ²), 0 below 0.1, one way along the road.

PEMS-BAY lacks the hour that a change to summer time leaves out: its rows are kept as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stsfm.datasets.ablation import Graph, ablated
from stsfm.datasets.about import DAY
from stsfm.datasets.fetch import Source, fetch
from stsfm.datasets.graph import gaussian
from stsfm.datasets.panel import About, Array, Panel
from stsfm.datasets.places import places_of
from stsfm.datasets.reading.matrix import Zeros, observed, read_matrix, regular

HOME = "https://github.com/liyaguang/DCRNN"
RAW = "https://raw.githubusercontent.com/liyaguang/DCRNN/master/data/sensor_graph"
TABLES = "https://zenodo.org/records/5146275"
STEP = DAY // 288  # ns
WEIGHT = 0.1  # least of an edge

# The digest of distances_bay_2017.csv was checked on the file; the others are not known here.
SOURCES = {
    name: Source(file=file, home=TABLES, urls=(f"{TABLES}/files/{file}?download=1",))
    for name, file in (("metr_la", "METR-LA.csv"), ("pems_bay", "PEMS-BAY.csv"))
}
GRAPHS = {
    "metr_la": Source(
        file="distances_la_2012.csv",
        home=HOME,
        urls=(f"{RAW}/distances_la_2012.csv",),
        key="data.distances",
    ),
    "pems_bay": Source(
        file="distances_bay_2017.csv",
        home=HOME,
        urls=(f"{RAW}/distances_bay_2017.csv",),
        sha256="e5feed06bfa1ba4c554a946d0e03d99f2018365eec5a8f28fd8504dea9d082b5",
        size=175_771,
        key="data.distances",
    ),
}
STARTS = {"metr_la": "2012-03-01", "pems_bay": "2017-01-01"}
FAMILIES = {"metr_la": "los_angeles", "pems_bay": "pems_bay"}


def metr_la(*, path: str, distances: str, zeros: Zeros, space: Graph) -> Panel:
    """Speed on highways of Los Angeles every 5 minutes of 4 months: 34,272 rows × 207 nodes."""
    return _read("metr_la", path, distances, zeros, space)


def pems_bay(*, path: str, distances: str, zeros: Zeros, space: Graph) -> Panel:
    """Speed on highways of the Bay Area every 5 minutes of 6 months: 52,116 rows × 325 nodes."""
    return _read("pems_bay", path, distances, zeros, space)


def _read(name: str, path: str, distances: str, zeros: Zeros, space: Graph) -> Panel:
    local = fetch(SOURCES[name], path)
    table = read_matrix(local.path)
    cells = table.values[..., 0] if table.values.ndim == 3 else table.values
    sensors = table.names or tuple(str(n) for n in range(cells.shape[1]))
    graph = None
    if space not in ("none", "learned"):
        if not table.names:
            raise ValueError(
                f"{local.path.name} does not name its sensors, so no graph can be laid over them; "
                "give the .h5 or .csv, or say data.space=none"
            )
        graph = road_graph(fetch(GRAPHS[name], distances, beside=path).path, sensors)
    values, mask = observed(np.ascontiguousarray(cells), zeros)
    panel = Panel(
        values=values[..., None],
        mask=mask[..., None],
        time=regular(STARTS[name], STEP, len(cells)) if table.time is None else table.time,
        space=places_of(sensors, adjacency=graph),
        about=About(
            name=name,
            nodes=sensors,
            channels=("speed",),
            units=("mph",),
            season=288,
            step="5 min",
            family=FAMILIES[name],
            source=TABLES,
            licence="not known here",
            digest=local.sha256,
            suggests={"horizon": 12},
            findings=local.findings,
        ),
    )
    return ablated(panel, space)


def road_graph(file: object, sensors: Sequence[str]) -> Array:
    """Weights (node, node) from rows from,to,distance of these sensors and others."""
    import pandas as pd

    rows = pd.read_csv(file, header=None, dtype=str, names=["from", "to", "distance"])
    at = {name: row for row, name in enumerate(sensors)}
    rows = rows[rows["from"].isin(at) & rows["to"].isin(at)]
    if rows.empty:
        raise ValueError(f"{file} has no distance between sensors of the data")
    apart = np.full((len(sensors), len(sensors)), np.nan)
    apart[rows["from"].map(at), rows["to"].map(at)] = rows["distance"].astype(float)
    return gaussian(apart, WEIGHT)
