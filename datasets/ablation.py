"""Is it the graph? The same series with another graph, or without one.

given     as the dataset has it
none      no node knows of another
shuffled  the same graph between other nodes: degrees and weights stay, places do not
learned   none is given, and a model that can learns one from its training rows

The series are untouched, so all four are one task: rows of one table, under one fingerprint.
Coordinates stay, for maps.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from stsfm.datasets.panel import Panel

Graph = Literal["given", "none", "shuffled", "learned"]
SHUFFLE = 0  # the seed of the one permutation: an ablation draws no luck


def ablated(panel: Panel, graph: Graph) -> Panel:
    """The panel with what `graph` says of its graph. ValueError where there is none to shuffle,
    or where that changes nothing."""
    space, kept = panel.space, panel.space.adjacency
    if graph == "given":
        return panel
    if graph != "shuffled":
        return replace(panel, space=replace(space, adjacency=None, graph=graph))
    if kept is None:
        raise ValueError(
            f"data.space=shuffled needs a graph, and {panel.about.name} has none; give edges, "
            "distances or coords"
        )
    order = np.random.default_rng(SHUFFLE).permutation(panel.nodes)
    mixed = kept[..., order, :][..., order]
    if np.array_equal(mixed, kept):
        raise ValueError(
            f"data.space=shuffled leaves the graph of {panel.about.name} as it is: all its nodes "
            "are alike; use data.space=none"
        )
    return replace(panel, space=replace(space, adjacency=mixed, graph=graph))
