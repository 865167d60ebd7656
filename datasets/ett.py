"""Electricity transformer temperature: load and oil temperature of two transformers, two years.

Zhou et al., Informer: Beyond efficient transformer for long sequence time-series forecasting, AAAI
(2021). Two transformers in China, 2016-07-01 … 2018-06-26, each by the hour (h) and by 15 minutes
(m). The columns are high, middle and low useful (UFL) and useless (ULL) load, whose units the
source does not state, and the oil temperature OT, in °C presumably.
"""

from __future__ import annotations

from collections.abc import Sequence

from stsfm.datasets.fetch import Source, fetch
from stsfm.datasets.panel import About, Panel
from stsfm.datasets.reading.matrix import observed, read_matrix

HOME = "https://github.com/zhouhaoyi/ETDataset"
RAW = "https://raw.githubusercontent.com/zhouhaoyi/ETDataset"
COMMIT = "1d16c8f4f943005d613b5bc962e9eeb06058cf07"

# The digests of h1 and m1 were checked on the files; those of h2 and m2 are as others state them.
SOURCES = {
    name: Source(
        file=file,
        home=HOME,
        urls=(f"{RAW}/{COMMIT}/ETT-small/{file}",),
        sha256=digest,
        size=size,
    )
    for name, file, digest, size in (
        ("etth1", "ETTh1.csv",
         "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066", 2_589_657),
        ("etth2", "ETTh2.csv",
         "a3dc2c597b9218c7ce1cd55eb77b283fd459a1d09d753063f944967dd6b9218b", 0),
        ("ettm1", "ETTm1.csv",
         "6ce1759b1a18e3328421d5d75fadcb316c449fcd7cec32820c8dafda71986c9e", 10_360_719),
        ("ettm2", "ETTm2.csv",
         "db973ca252c6410a30d0469b13d696cf919648d0f3fd588c60f03fdbdbadd1fd", 0),
    )
}  # fmt: skip


def etth1(*, path: str, targets: Sequence[str]) -> Panel:
    """Transformer 1 by the hour: 17,420 rows × 1 node × 7 channels."""
    return _ett("etth1", path, targets)


def etth2(*, path: str, targets: Sequence[str]) -> Panel:
    """Transformer 2 by the hour: 17,420 rows × 1 node × 7 channels."""
    return _ett("etth2", path, targets)


def ettm1(*, path: str, targets: Sequence[str]) -> Panel:
    """Transformer 1 by 15 minutes: 69,680 rows × 1 node × 7 channels."""
    return _ett("ettm1", path, targets)


def ettm2(*, path: str, targets: Sequence[str]) -> Panel:
    """Transformer 2 by 15 minutes: 69,680 rows × 1 node × 7 channels."""
    return _ett("ettm2", path, targets)


def _ett(name: str, path: str, targets: Sequence[str]) -> Panel:
    """One of the four. The borders suggested are those of the published tables, as dates."""
    local = fetch(SOURCES[name], path)
    table = read_matrix(local.path)
    if table.time is None:
        raise ValueError(f"{local.path.name}: wanted a first column of stamps, named date")
    values, mask = observed(table.values)
    hourly = name.startswith("etth")
    return Panel(
        values=values[:, None],  # (time, column) → (time, 1, channel)
        mask=mask[:, None],
        time=table.time,
        about=About(
            name=name,
            nodes=("transformer",),
            channels=table.names,
            targets=tuple(targets),
            units=tuple("°C" if column == "OT" else "" for column in table.names),
            season=24 if hourly else 96,
            step="hour" if hourly else "15 min",
            family="ett",
            source=HOME,
            licence="CC BY-ND 4.0",
            digest=local.sha256,
            suggests={
                "horizon": 96,
                "val": "2017-06-26",
                "test": "2017-10-24",
                "borders": "months",
            },
            findings=local.findings,
        ),
    )
