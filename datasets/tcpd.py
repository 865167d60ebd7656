"""The Turing Change Point Dataset: series of all kinds, in which people marked what changes.

van den Burg & Williams, An evaluation of change point detection algorithms, arXiv 2003.06222. Each
series was shown to five people, who marked the rows at which something new begins; they often
differ. Their marks are `About.changes`: for scores, never for a detector.

A file NAME.json holds T rows of one column or several, null where missing, and mostly dates.
annotations.json holds the marks of all series. Series that the authors may not pass on are made by
their scripts; they are read here from wherever they were put, by data.path=FOLDER.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from stsfm.datasets.about import DAY, Finding
from stsfm.datasets.fetch import Source, fetch
from stsfm.datasets.panel import About, Panel
from stsfm.datasets.reading.grid import grid
from stsfm.datasets.reading.matrix import observed

HOME = "https://github.com/alan-turing-institute/TCPD"
RAW = "https://raw.githubusercontent.com/alan-turing-institute/TCPD/master"
OWN = {  # series under a licence of their own; the files are passed on under that of the dataset
    "bank": "MIT", "nile": "GPL-2.0", "run_log": "MIT", "seatbelts": "GPL-2.0",
}  # fmt: skip
MARKS = "annotations.json"
NAMELESS = "V1"  # what R calls a column without a name

# Checked on the files; of other series whatever comes first is kept.
DIGESTS = {
    "bank": "e00567946a10dfae6f118dc22f2290dd7065cf40c093e4e61853201999537676",
    "co2_canada": "7caa7401c17a0d7359033854a3b47146d5927f39365e2675c69a4765649876ef",
    "construction": "c1da31f779e2fb6d99b4b2a2260c1bf0aa0fe4cbf57da0ab84e777df5d411a53",
    "debt_ireland": "25e873421f4346b8c7c7abf1453bf540858f9c73941d1d6e251ffef473d43314",
    "gdp_argentina": "f1d341fd4a94cdc5420cdd2e0b18c72f71dc656af72f57632d88bfb5b3270987",
    "gdp_croatia": "95f183f7a8470581d1d3a19f5ee3bdc3b2bed7c0021377b3fa91783f28adbb2d",
    "gdp_iran": "c3cd3409aeaed76242f90e43d1c152de9bdb6bdf3887c87ddffa8eedd3ae9369",
    "homeruns": "ab91df278d1a1682a2449cb6c4d914b7fa0fe6c45ff9ccc54f3a42a0a3941508",
    "jfk_passengers": "53f5b2495ad7596cb5511e9f0470db185bcda0a798c68565150c7be1f95edb7b",
    "lga_passengers": "88fe23ccba28838de840469a76c2a3af49a5e341c8c00c6fc830a1fc530aa98a",
    "nile": "1d3bd0c3d8b4cbb5d1368aa1128d59631cfc71889f110def34ec42ba91ec9103",
    "quality_control_2": "2cca35f891c9966c6fe98faf5b51249898de4ac2761b2f810f6ca7d956d4c316",
    "quality_control_4": "82a20f938daa891430e2970b852bd36f2708137f64c6f66a9922d5f65582e383",
    "quality_control_5": "da1d721d3e3a70b0843c10512f25222358f8c9563a7d96a72e54b7f17164097c",
    "rail_lines": "628ed2ef53e7123bd98a3d171d34f70404a70c720081036bb2b3cab03f8a9d57",
    "run_log": "6d70ba6dde16e29609283fe8ebfaf3e03048f0e44493809e4f496bc1b89a6f65",
    "seatbelts": "aacf93cbd3b41bba6d7fe9855172a0a54b5d2a605ba0998b29e4e6823804a11f",
    "shanghai_license": "476c83d07f29815b08bde4a8e6bfdb60336f82b5314c9c5930e43c8646f04113",
    "uk_coal_employ": "88cda80d4e9c1ce534fe6a278c09f4878e48495ecfe1233a99ad6c26b65edcee",
    "unemployment_nl": "cc4621436e4ed21982eb3ed6cac07bdb41cc37e4f33845cf9bbcf6690c4ff6bb",
    "us_population": "7c440060003ada87981c252a2b462d2516d3e69c03a09dd85dcd0d08e20cdcf4",
}


def tcpd(*, series: str, path: str, annotations: str) -> Panel:
    """One of the series, with what five people marked: T rows × 1 node × 1 channel or more."""
    if not series.isidentifier():
        raise ValueError(f"data.series={series!r}: wanted one of {', '.join(DIGESTS)}, or another")
    local = fetch(_source(series), str(_beside(path, f"{series}.json")) if path else "")
    given = annotations or (str(_beside(path, MARKS)) if path else "")
    marks = fetch(_marks(), given)
    try:
        held = json.loads(local.path.read_text())
        people = json.loads(marks.path.read_text()).get(series, {})
        columns = [column["raw"] for column in held["series"]]  # (column, time)
        values, mask = observed(np.array(columns, float).T.copy())
        names = tuple(str(column["label"]) for column in held["series"])
        longname, clock = str(held["longname"]), held["time"]
        changes = {who: tuple(sorted(map(int, rows))) for who, rows in people.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{local.path.name}: wanted JSON of longname, time and series, as published; {error!r}"
        ) from None
    if outside := [row for rows in changes.values() for row in rows if not 0 <= row < len(values)]:
        raise ValueError(f"{marks.path.name}: {series} has {len(values)} rows, and no {outside[0]}")
    time, step, found = _time(clock, len(values))
    return Panel(
        values=values[:, None],  # (time, column) → (time, 1, channel)
        mask=mask[:, None],
        time=time,
        about=About(
            name=f"tcpd_{series}",
            nodes=(series,),
            channels=tuple(longname if name == NAMELESS else name for name in names),
            season=0 if step else 1,  # of what has a clock: what it shows
            step=step,
            family=f"tcpd_{series}",
            source=HOME,
            licence=OWN.get(series, "MIT; the source's terms"),
            digest=local.sha256,
            findings=(*local.findings, *found),
            changes=changes,
        ),
    )


def _source(series: str) -> Source:
    return Source(
        file=f"tcpd_{series}.json",
        home=HOME,
        urls=(f"{RAW}/datasets/{series}/{series}.json",),
        sha256=DIGESTS.get(series, ""),
    )


def _marks() -> Source:
    return Source(file=f"tcpd_{MARKS}", home=HOME, urls=(f"{RAW}/{MARKS}",), key="data.annotations")


def _beside(path: str, file: str) -> Path:
    """A file of the folder that was named, or of the folder of the file: flat, or as published."""
    home = Path(path).expanduser()
    if home.is_file() and home.name == file:
        return home
    home = home.parent if home.is_file() else home
    name = Path(file).stem
    places = (home / file, home / name / file, home / "datasets" / name / file, home.parent / file)
    return next((place for place in places if place.is_file()), home / file)


def _time(clock: Mapping[str, Any], rows: int) -> tuple[np.ndarray, str, tuple[Finding, ...]]:
    """Stamps (row) in ns, the step in words, and what was odd; a day a row where there are none."""
    texts, numbered = clock.get("raw"), np.arange(rows) * DAY
    if not texts:
        return numbered, "", ()
    try:
        time = np.array([_nanoseconds(str(text), clock["format"]) for text in texts])
    except (ValueError, KeyError) as error:
        return numbered, "", (Finding("stamps that cannot be read", str(error), rows, "counted"),)
    if len(time) != rows or not (np.diff(time) > 0).all():
        return numbered, "", (Finding("stamps that do not rise", "time", rows, "counted"),)
    with suppress(ValueError):
        axis = grid(time, "auto")
        if np.array_equal(axis.time, time):
            return time, axis.step, ()
    often = np.median(np.diff(time)) / 10**9
    uneven = np.diff(time) != np.median(np.diff(time))
    found = Finding("stamps off their step", "time", int(uneven.sum()), "kept as they are")
    return time, f"{often:g} s", (found,)


def _nanoseconds(text: str, form: str) -> int:
    return int(np.datetime64(datetime.strptime(text, form), "ns").astype("int64"))
