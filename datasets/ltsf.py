"""Electricity, weather, exchange rates and road traffic, as long-term forecasting is tried on them.

Lai et al., Modeling long- and short-term temporal patterns with deep neural networks (LSTNet),
SIGIR (2018), gathered all but weather as text without stamps. Wu et al., Autoformer, NeurIPS
(2021), wrote the CSV files that published tables use; either is read. The stamps of electricity in
the CSV are not those of the measurements (2012–2014, as LSTNet says), and the exchange rates are
stamped day by day though markets close at weekends: neither tells a true day of the week.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stsfm.datasets.about import DAY, Finding
from stsfm.datasets.fetch import Source, fetch
from stsfm.datasets.panel import About, Panel
from stsfm.datasets.reading.matrix import Matrix, observed, read_matrix, regular

HOME = "https://huggingface.co/datasets/thuml/Time-Series-Library"
HOUR = DAY // 24  # ns


class Kind(NamedTuple):
    """What the files of a dataset do not say."""

    start: str  # of a file without stamps
    step: int  # ns
    said: str
    season: int  # steps
    channel: str  # "" = the columns are the channels of one node
    unit: str
    source: str
    sha256: str  # of the CSV, as others state it: none of the files was seen here


KINDS = {
    "electricity": Kind(
        "2012-01-01", HOUR, "hour", 24, "consumption", "kWh",
        "UCI, ElectricityLoadDiagrams20112014",
        "7e45845d54c5219bad0ae6bc1b5316cf8ff9cead5d33fa998a5a51c2e4a497ad",
    ),
    "weather": Kind(
        "2020-01-01 00:10", HOUR // 6, "10 min", 144, "", "",
        "Max Planck Institute for Biogeochemistry, Jena",
        "34ee981d07313e51da2a50bb600072c8ae4a69cb4b0651f4cb93a069d7a2ba63",
    ),
    "exchange_rate": Kind(
        "1990-01-01", DAY, "day", 1, "rate", "US dollars",
        "Lai et al. (2018)",
        "48b4d9d3d508f5104162e85b9a6042e3557fde11aa9f2944eba8c0d0efc89842",
    ),
    "traffic": Kind(
        "2015-01-01", HOUR, "hour", 24, "occupancy", "share of time",
        "California Department of Transportation, PeMS",
        "cb06463d56fa17d87f47027cd9389ceae82a69eddee51cdb61480e120dab0b16",
    ),
}  # fmt: skip
SOURCES = {
    name: Source(
        file=f"{name}.csv",
        home=HOME,
        urls=(f"{HOME}/resolve/main/{name}/{name}.csv",),
        sha256=kind.sha256,
    )
    for name, kind in KINDS.items()
}


def electricity(*, path: str) -> Panel:
    """Hourly consumption of 321 clients, in kWh: 26,304 rows × 321 nodes × 1 channel."""
    return _read("electricity", path)


def weather(*, path: str, targets: Sequence[str]) -> Panel:
    """A weather station in Jena every 10 minutes of 2020: 52,696 rows × 1 node × 21 channels."""
    return _read("weather", path, targets)


def exchange_rate(*, path: str) -> Panel:
    """Daily exchange rates of 8 currencies to the US dollar: 7,588 rows × 8 nodes × 1 channel."""
    return _read("exchange_rate", path)


def traffic(*, path: str) -> Panel:
    """Hourly occupancy of 862 roads about San Francisco: 17,544 rows × 862 nodes × 1 channel."""
    return _read("traffic", path)


def _read(name: str, path: str, targets: Sequence[str] = ()) -> Panel:
    kind, local = KINDS[name], fetch(SOURCES[name], path)
    table = read_matrix(local.path)
    if table.values.ndim != 2:
        raise ValueError(f"{local.path.name}: wanted (time, column), got {table.values.shape}")
    time, findings = _time(table, kind)
    columns = table.names or tuple(str(n) for n in range(table.values.shape[1]))
    values, mask = observed(table.values)
    axis = 2 if kind.channel else 1  # (time, column) → (time, node, 1) or (time, 1, channel)
    return Panel(
        values=np.expand_dims(values, axis),
        mask=np.expand_dims(mask, axis),
        time=time,
        about=About(
            name=name,
            nodes=columns if kind.channel else ("station",),
            channels=(kind.channel,) if kind.channel else columns,
            targets=tuple(targets),
            units=(kind.unit,) if kind.channel else tuple(map(_unit, columns)),
            season=kind.season,
            step=kind.said,
            family=name,
            source=kind.source,
            licence="not known here",
            digest=local.sha256,
            suggests={"horizon": 96},
            findings=(*local.findings, *findings),
        ),
    )


def _time(table: Matrix, kind: Kind) -> tuple[np.ndarray, tuple[Finding, ...]]:
    """The stamps of the file; counted from the first where there are none, or they do not rise."""
    rows = len(table.values)
    if table.time is None:
        return regular(kind.start, kind.step, rows), ()
    back = int((np.diff(table.time) <= 0).sum())
    if not back:
        return table.time, ()
    found = Finding("stamps that do not rise", "rows", back, "counted on from the first")
    return table.time[0] + kind.step * np.arange(rows), (found,)


def _unit(column: str) -> str:
    """p (mbar) → mbar"""
    found = re.search(r"\((.+)\)", column)
    return found[1] if found else ""
