"""Where the loop detectors of METR-LA, Los-loop and PEMS-BAY stand.

sensors.csv holds the 207 and 325 places of data/sensor_graph of Li et al. (DCRNN, ICLR 2018),
https://github.com/liyaguang/DCRNN: MIT, copyright (c) 2017 Yaguang Li; docs/datasets.md has the
notice. They are kept here so that everybody's task is the same one, whichever files they have.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from stsfm.datasets.panel import Array, Space


def places_of(sensors: Sequence[str], *, adjacency: Array | None) -> Space:
    """A space with the longitudes and latitudes of sensors, where each of them is known."""
    known = _known()
    if not all(name in known for name in sensors):
        return Space(adjacency=adjacency)
    coords = np.array([known[name] for name in sensors])
    return Space(adjacency=adjacency, coords=coords, geometry="sphere", units="degrees")


@cache
def _known() -> dict[str, tuple[float, float]]:
    with Path(__file__).with_name("sensors.csv").open(newline="") as file:
        rows = [*csv.DictReader(file)]
    return {row["sensor"]: (float(row["lon"]), float(row["lat"])) for row in rows}
