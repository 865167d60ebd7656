"""Dates as people write them: 2020-12-31, 31.12.2020, 12/31/2020, 31 Dec 2020, 2020-W05, 2020Q1."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Literal

import numpy as np

from stsfm.datasets.about import Finding
from stsfm.datasets.reading.delimited import shown

if TYPE_CHECKING:
    from pandas import Series

FIRST, LAST = 1678, 2261  # years that nanoseconds of 64 bits reach
NUMERIC = r"^\s*(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})\b[ ,T]*(.*)$"


def wall_clocks(
    text: Series, day_first: bool | Literal["auto"]
) -> tuple[Series, list[Finding]] | None:
    """Text as moments of a clock without a zone, NaT where it says none; None if most is none.

    Raises ValueError where day and month cannot be told apart.
    """
    iso = _parse(text, format="ISO8601")
    if iso.notna().sum() == text.notna().sum():
        return iso, []
    findings: list[Finding] = []
    ways = {"ISO": iso, "weeks or quarters": _weeks_and_quarters(text)}
    numeric = text.where(iso.isna()).str.extract(NUMERIC)
    if numeric[0].notna().any():
        dotted = text.str.contains(r"^\d{1,2}\.\d").fillna(False)
        first, findings = _day_first(numeric, day_first, bool(dotted.any()))
        ways["numbers"] = _assemble(numeric, first)
    rest = text.where(iso.isna() & numeric[0].isna())
    rest = rest.where(rest.str.contains(r"[A-Za-z].*\d|\d.*[A-Za-z]").fillna(False))
    ways["words"] = _parse(rest.where(ways["weeks or quarters"].isna()), format="mixed")
    used = {name: way for name, way in ways.items() if way.notna().any()}
    wall = iso
    for way in used.values():
        wall = wall.fillna(way)
    if not used or wall.notna().sum() * 2 < text.notna().sum():
        return None
    if len(used) > 1:
        findings.append(Finding("mixed stamps", shown(list(used)), len(used), "each read its way"))
    return wall, findings


def said(what: str, done: str) -> Finding:
    return Finding(what, "time", 1, f"read as {done}")


def _parse(text: Series, format: str) -> Series:
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parsed = pd.to_datetime(text, format=format, errors="coerce", utc=True)
    inside = parsed.dt.year.between(FIRST, LAST)
    return parsed.where(inside).dt.tz_localize(None).dt.as_unit("ns")


def _weeks_and_quarters(text: Series) -> Series:
    """2020-W05 → its Monday; 2020Q1, 2020-Q1 → its first day."""
    import pandas as pd

    week = text.str.extract(r"^(\d{4})-?W(\d\d)$")
    monday = pd.to_datetime(week[0] + week[1] + "1", format="%G%V%u", errors="coerce")
    quarter = text.str.extract(r"^(\d{4})[- ]?Q([1-4])$")
    month = quarter[1].map({"1": "01", "2": "04", "3": "07", "4": "10"})
    return monday.fillna(_parse(quarter[0] + "-" + month + "-01", format="ISO8601"))


def _day_first(
    numeric: Series, wanted: bool | Literal["auto"], dotted: bool
) -> tuple[bool, list[Finding]]:
    """Is the first number the day? Said by a number above 12, by dots, or by regular steps."""
    import pandas as pd

    if wanted != "auto":
        return wanted, []
    a, b = (pd.to_numeric(numeric[k]) for k in (0, 1))
    if (a > 12).any() and (b > 12).any():
        raise ValueError(
            f"the stamps mix day-first ({_one(numeric, a > 12)}) and month-first "
            f"({_one(numeric, b > 12)}) dates: write them as 2020-12-31"
        )
    if (a > 12).any() or (b > 12).any():
        first = bool((a > 12).any())
        return first, [said("dates", "day first" if first else "month first")]
    regular = {}
    for first in (True, False):
        days = np.unique(_assemble(numeric, first).dropna().to_numpy().astype("M8[D]"))
        of_month = days - days.astype("M8[M]")
        regular[first] = len(set(np.diff(days))) == 1 or len(set(of_month)) == 1 < len(days)
    if dotted or regular[True] != regular[False]:
        first = dotted or bool(regular[True])
        order = "day first" if first else "month first"
        other = str(not first).lower()
        return first, [said("ambiguous dates", f"{order}; else data.day_first={other}")]
    raise ValueError(
        f"is {_one(numeric, a > 0)} day-first or month-first? Say data.day_first=true or false"
    )


def _one(numeric: Series, where: Series) -> str:
    row = numeric[where.fillna(False)].iloc[0]
    return f"{row[0]}/{row[1]}/{row[2]}"


def _assemble(numeric: Series, first: bool) -> Series:
    day, month = (0, 1) if first else (1, 0)
    year = numeric[2].mask(numeric[2].str.len() == 2, "20" + numeric[2])
    clock = numeric[3].fillna("").str.strip()
    date = year + "-" + numeric[month].str.zfill(2) + "-" + numeric[day].str.zfill(2)
    plain = _parse(date.where(clock == "").fillna(date + " " + clock), format="ISO8601")
    return plain.fillna(_parse(date + " " + clock, format="mixed"))
