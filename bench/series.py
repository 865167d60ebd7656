"""Real and synthetic series for the regret of bench/selection.py, some hundred rows each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from laws import laws

MOST = 300  # rows, the last ones
LEAST = 50
SEASONS = {  # of the series of TCPD that have one, in rows
    "co2_canada": 1, "construction": 12, "jfk_passengers": 12, "lga_passengers": 12,
    "seatbelts": 12, "unemployment_nl": 1, "us_population": 12,
}  # fmt: skip
SYNTHETIC = ("AR(2), a cycle", "trend + season", "local level", "logistic map", "seasonal walk",
             "threshold AR")  # fmt: skip


@dataclass(frozen=True)
class Series:
    name: str
    values: np.ndarray  # (row,)
    season: int
    horizon: int


def series(data: Path, rng: np.random.Generator) -> Iterator[Series]:
    """All that lies in the folder of data, then some of the synthetic ones."""
    for name, values, season in _real(data):
        values = values[np.isfinite(values)][-MOST:]
        horizon = min(12, season) if season > 1 else 4
        whole = len(values) // 10 >= horizon  # validation is a tenth, and holds a future
        if len(values) >= LEAST and whole and np.ptp(values) > 0:
            yield Series(name, values, season, horizon)
    for law in laws():
        if law.name in SYNTHETIC:
            yield Series(law.name, law.made(rng), law.season, law.horizon)


def _real(data: Path) -> Iterator[tuple[str, np.ndarray, int]]:
    for file in sorted((data / "tcpd").glob("*.json")):
        found = json.loads(file.read_text())
        if len(found.get("series", ())) == 1:
            raw = [np.nan if x is None else x for x in found["series"][0]["raw"]]
            yield file.stem, np.array(raw, float), SEASONS.get(file.stem, 1)
    lines = (data / "air_passengers" / "airline-passengers.csv").read_text().split()[1:]
    yield "airline", np.array([float(line.split(",")[1]) for line in lines]), 12
    lines = (data / "peyton_manning" / "example_wp_log_peyton_manning.csv").read_text().split()[1:]
    days = np.array([float(line.split(",")[1]) for line in lines])
    yield "peyton manning", days[: len(days) // 30 * 30].reshape(-1, 30).mean(1), 12
    counties = np.array(
        json.loads((data / "chickenpox_hungary" / "chickenpox.json").read_text())["FX"]
    )
    for county in range(0, 20, 5):
        yield f"chickenpox {county}", counties[:, county], 52
    table = np.genfromtxt(data / "ett" / "ETTh1.csv", delimiter=",", skip_header=1)[:, 1:]
    for column in (0, 2, 6):  # a row a day
        days = table[: len(table) // 24 * 24, column].reshape(-1, 24).mean(1)
        yield f"ETTh1 {column}", days, 7
