"""Chickenpox in the 20 counties of Hungary, weekly, with the graph of neighbouring counties.

Rozemberczki et al., Chickenpox cases in Hungary: a benchmark dataset for spatiotemporal signal
processing with graph neural networks, arXiv 2102.08100 (2021). The published file holds the
standardised counts, and no dates: the weeks are counted from the first Monday of 2005.
"""

from __future__ import annotations

import json

import numpy as np

from stsfm.datasets.ablation import Graph, ablated
from stsfm.datasets.about import DAY
from stsfm.datasets.fetch import Source, fetch
from stsfm.datasets.panel import About, Panel, Space
from stsfm.datasets.reading.matrix import observed, regular

HOME = "https://github.com/benedekrozemberczki/pytorch_geometric_temporal"
RAW = "https://raw.githubusercontent.com/benedekrozemberczki/pytorch_geometric_temporal"
SOURCES = {
    "chickenpox": Source(
        file="chickenpox.json",
        home=HOME,
        urls=(f"{RAW}/master/dataset/chickenpox.json",),
        sha256="724b48cfb274b2ecbb855bdb99b970b5ef9dd3671694fa477435dc1e08293735",
        size=220_340,
    )
}


def chickenpox(*, path: str, space: Graph) -> Panel:
    """Weekly chickenpox cases of Hungary's counties: 521 rows × 20 nodes × 1 channel."""
    local = fetch(SOURCES["chickenpox"], path)
    try:
        held = json.loads(local.path.read_text())
        nodes = sorted(held["node_ids"], key=held["node_ids"].__getitem__)
        values, mask = observed(np.array(held["FX"], float))
        graph = np.zeros((len(nodes), len(nodes)))
        graph[tuple(np.array(held["edges"]).T)] = 1
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise ValueError(
            f"{local.path.name}: wanted JSON of edges, node_ids and FX, as published; {error!r}"
        ) from None
    np.fill_diagonal(graph, 0)
    panel = Panel(
        values=values[..., None],
        mask=mask[..., None],
        time=regular("2005-01-03", 7 * DAY, len(values)),
        space=Space(adjacency=graph),
        about=About(
            name="chickenpox",
            nodes=tuple(nodes),
            channels=("cases",),
            units=("standard deviations",),
            season=52,
            step="week",
            family="chickenpox",
            source=HOME,
            licence="MIT",
            digest=local.sha256,
            suggests={"horizon": 4},
            findings=local.findings,
        ),
    )
    return ablated(panel, space)
