"""Yearly flow of the Nile at Aswan, 1871–1970, in 10⁸ m³: the series of every change point paper.

Cobb, The problem of the Nile: conditional solution to a changepoint problem, Biometrika 65 (1978).
It falls at the end of the nineteenth century, which Cobb puts into 1898. The copy is the one that
statsmodels brings.
"""

import csv
import hashlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from stsfm.datasets.panel import About, Panel


def nile() -> Panel:
    """Flow of the Nile at Aswan by year, in 10⁸ m³: 100 rows × 1 node × 1 channel."""
    home = Path(str(find_spec("statsmodels").origin)).parent  # type: ignore[union-attr]
    raw = (home / "datasets" / "nile" / "nile.csv").read_bytes()  # without importing it
    rows = list(csv.reader(raw.decode().splitlines()))[1:]
    values = np.array([float(volume) for _, volume in rows])
    time = np.array([np.datetime64(year, "ns") for year, _ in rows]).astype("int64")
    return Panel(
        values=values[:, None, None],
        mask=np.ones((len(rows), 1, 1), bool),
        time=time,
        about=About(
            name="nile",
            nodes=("Aswan",),
            channels=("flow",),
            units=("10⁸ m³",),
            step="year",
            family="nile",
            source="Cobb (1978), as statsmodels has it",
            licence="public domain, as statsmodels states",
            digest=hashlib.sha256(raw).hexdigest(),
            suggests={"horizon": 5},
        ),
    )
