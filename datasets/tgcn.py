"""Speed on the roads of Los Angeles and Shenzhen, as T-GCN was tried on them.

Zhao et al., T-GCN: a temporal graph convolutional network for traffic prediction, IEEE T-ITS 21
(2020). Los-loop is the first week of METR-LA, its missing cells filled by straight lines between
the readings about them. Such a line is no measurement, yet it is scored as one wherever the file
is taken as it is: `fills` says which.

A cell is taken for a fill where it lies, with the cells before and after it, on a straight line to
the last digit of the file, and

    either at least two in a row do so, on a line that is not level (single ones and level ones are
    also found among readings, which are means of a few counts);
    or most sensors do so in the same row: an outage of the network.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from stsfm.datasets.ablation import Graph, ablated
from stsfm.datasets.about import DAY, Finding
from stsfm.datasets.fetch import Local, Source, fetch
from stsfm.datasets.panel import About, Panel
from stsfm.datasets.places import places_of
from stsfm.datasets.reading.matrix import observed, read_matrix, regular

Fills = Literal["keep", "mask"]

HOME = "https://github.com/lehaifeng/T-GCN"
RAW = "https://raw.githubusercontent.com/lehaifeng/T-GCN/master/data"
MINUTE = DAY // 1440  # ns
DIGITS = 8  # that the file has behind the point

# The digests of Los-loop were checked on the files; those of Shenzhen are not known here.
SOURCES = {
    "los_loop": Source(
        file="los_speed.csv",
        home=HOME,
        urls=(f"{RAW}/los_speed.csv",),
        sha256="7b732d86ae32b2930595becba28aff39dacbfb2197e250fc0332e1744ce2cbf4",
        size=3_402_125,
    ),
    "sz_taxi": Source(file="sz_speed.csv", home=HOME, urls=(f"{RAW}/sz_speed.csv",)),
}
GRAPHS = {
    "los_loop": Source(
        file="los_adj.csv",
        home=HOME,
        urls=(f"{RAW}/los_adj.csv",),
        sha256="7a6eb41e10677992b5af50f5ab187c6c05c5c3a92cb973950cfddbf857361e76",
        size=111_686,
        key="data.adjacency",
    ),
    "sz_taxi": Source(
        file="sz_adj.csv", home=HOME, urls=(f"{RAW}/sz_adj.csv",), key="data.adjacency"
    ),
}


def los_loop(*, path: str, adjacency: str, fills: Fills, space: Graph) -> Panel:
    """Speed on highways of Los Angeles every 5 minutes of a week: 2,016 rows × 207 nodes."""
    local = fetch(SOURCES["los_loop"], path)
    names, values = _speeds(local)
    straight = filled(values)
    if fills == "mask":
        values[straight] = np.nan
    if straight.any():
        done = "masked" if fills == "mask" else "kept; data.fills=mask hides them"
        found = Finding("straight lines for readings", "speed", int(straight.sum()), done)
        local = local._replace(findings=(*local.findings, found))
    return _panel(
        "los_loop", local, names, *observed(values),
        graph=_graph("los_loop", adjacency, path, len(names), space),
        start="2012-03-01", step=5, unit="mph", family="los_angeles", horizon=12, space=space,
    )  # fmt: skip


def sz_taxi(*, path: str, adjacency: str, space: Graph) -> Panel:
    """Speed of taxis on roads of Shenzhen every 15 minutes of January 2015: 156 nodes."""
    local = fetch(SOURCES["sz_taxi"], path)
    names, values = _speeds(local)
    return _panel(
        "sz_taxi", local, names, *observed(values),
        graph=_graph("sz_taxi", adjacency, path, len(names), space),
        start="2015-01-01", step=15, unit="km/h", family="sz_taxi", horizon=4, space=space,
    )  # fmt: skip


def filled(values: np.ndarray) -> np.ndarray:
    """bool (time, node): where a straight line stands for a reading; see the head of this file."""
    bend = abs(values[:-2] - 2 * values[1:-1] + values[2:])
    straight = np.zeros(values.shape, bool)
    straight[1:-1] = bend <= 2.5 * 10.0**-DIGITS  # three readings, each rounded to half a digit
    sloping = straight.copy()
    sloping[1:-1] &= abs(values[2:] - values[1:-1]) > 10.0**-DIGITS
    pair, long = sloping[:-1] & sloping[1:], np.zeros(values.shape, bool)
    long[:-1] |= pair
    long[1:] |= pair
    outage = straight.mean(1, keepdims=True) > 0.5
    return long | (outage & straight)


def _speeds(local: Local) -> tuple[tuple[str, ...], np.ndarray]:
    table = read_matrix(local.path)
    if not table.names or table.time is not None:
        raise ValueError(f"{local.path.name}: wanted a header of sensors and rows of numbers")
    return table.names, table.values


def _graph(name: str, given: str, path: str, nodes: int, space: Graph) -> np.ndarray | None:
    """The published adjacency, without its diagonal; not asked for where no model is shown it."""
    if space in ("none", "learned"):
        return None
    file = fetch(GRAPHS[name], given, beside=path).path
    graph = np.loadtxt(_text(file), delimiter=",", ndmin=2)
    if graph.shape != (nodes, nodes):
        raise ValueError(f"{file.name}: wanted {nodes} × {nodes} weights, got {graph.shape}")
    np.fill_diagonal(graph, 0)
    return graph


def _text(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8-sig").splitlines()


def _panel(
    name: str,
    local: Local,
    names: tuple[str, ...],
    values: np.ndarray,
    mask: np.ndarray,
    *,
    graph: np.ndarray | None,
    start: str,
    step: int,
    unit: str,
    family: str,
    horizon: int,
    space: Graph,
) -> Panel:
    """Sensors (time, node) and their graph; `step` in minutes."""
    panel = Panel(
        values=values[..., None],
        mask=mask[..., None],
        time=regular(start, step * MINUTE, len(values)),
        space=places_of(names, adjacency=graph),
        about=About(
            name=name,
            nodes=names,
            channels=("speed",),
            units=(unit,),
            season=1440 // step,
            step=f"{step} min",
            family=family,
            source=HOME,
            licence="none stated",
            digest=local.sha256,
            suggests={"horizon": horizon},
            findings=local.findings,
        ),
    )
    return ablated(panel, space)
