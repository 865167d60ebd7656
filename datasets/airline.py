"""International airline passengers, monthly totals in thousands, 1949–1960.

Box, Jenkins & Reinsel, Time Series Analysis: Forecasting and Control, 3rd ed. (1994), Series G.
The series that every method is first tried on: trend, a season of 12, variance growing with level.
"""

import csv
import hashlib
from pathlib import Path

import numpy as np

from stsfm.datasets.panel import About, Panel


def airline() -> Panel:
    """Airline passengers by month, in thousands: 144 rows × 1 node × 1 channel."""
    raw = Path(__file__).with_name("airline.csv").read_bytes()
    rows = list(csv.reader(raw.decode().splitlines()))[1:]
    values = np.array([float(count) for _, count in rows])
    time = np.array([np.datetime64(month, "ns") for month, _ in rows]).astype("int64")
    return Panel(
        values=values[:, None, None],
        mask=np.ones((len(rows), 1, 1), bool),
        time=time,
        about=About(
            name="airline",
            nodes=("total",),
            channels=("passengers",),
            units=("thousand passengers",),
            season=12,
            step="month",
            family="airline",
            source="Box, Jenkins & Reinsel (1994), Series G",
            licence="none stated; published facts",
            digest=hashlib.sha256(raw).hexdigest(),
            suggests={"transform": "log", "horizon": 12, "val": "1956-01", "test": "1958-01"},
        ),
    )
