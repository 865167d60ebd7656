"""Instants as people write them: ISO, 31.12.2020, 12/31/2020, Jan 2020, 2020-W05, unix seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from stsfm.datasets.about import Finding
from stsfm.datasets.delimited import shown
from stsfm.datasets.zones import localised, to_utc

if TYPE_CHECKING:
    from pandas import Series

DAY = 86_400 * 10**9  # ns
FIRST, LAST = 1678, 2261  # years that nanoseconds of 64 bits reach
UNIX = ((1e8, 1e10, 10**9), (1e11, 1e13, 10**6), (1e14, 1e16, 10**3), (1e17, 9e18, 1))
OFFSET = r"\d:\d\d(?::\d\d)?(?:\.\d+)?\s*(?:Z|[+-]\d\d:?\d\d)$"
NUMERIC = r"^\s*(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})\b[ ,T]*(.*)$"


def stamps(
    column: Series, *, timezone: str, day_first: bool | Literal["auto"], by: Series | None = None
) -> tuple[np.ndarray, list[Finding]] | None:
    """A column as int64 ns since 1970 (NaT where a cell says no instant), or None if it says none.

    Stamps with an offset are UTC where they are finer than a day, else the date that is written.
    `timezone` is that of stamps without one, `by` the series of each where several share a column.
    Raises ValueError where day and month cannot be told apart, or a zone is unknown.
    """
    if column.dtype.kind == "M":
        return _from_text(column.astype("str").where(column.notna()), timezone, day_first, by)
    if column.dtype.kind in "iuf":
        return _from_numbers(column.to_numpy(dtype=float, na_value=np.nan))
    if column.dtype.kind in "bm" or column.isna().all():
        return None
    return _from_text(column.astype("str").where(column.notna()), timezone, day_first, by)


def _from_numbers(x: np.ndarray) -> tuple[np.ndarray, list[Finding]] | None:
    """Years (1958 or 1958.25), months (195801), days (19580131) or unix time; else None."""
    seen = x[np.isfinite(x)]
    if not len(seen):
        return None
    low, high, whole = seen.min(), seen.max(), bool((seen == np.floor(seen)).all())
    found = np.full(len(x), np.datetime64("NaT"), "M8[ns]")
    ok = np.isfinite(x)
    if low >= FIRST and high <= LAST:
        year = np.floor(seen).astype(int)
        start, end = ((year + k - 1970).astype("M8[Y]").astype("M8[s]") for k in (0, 1))
        seconds = (end - start).astype(float) * (seen - year)
        found[ok] = (start + seconds.round().astype("m8[s]")).astype("M8[ns]")
        return found.astype("int64"), [] if whole else [_said("decimal years", "year and part")]
    if whole and low >= 10_000 and high < 10**8:
        days = seen.astype(int) if low > 10**7 else seen.astype(int) * 100 + 1
        year, month, day = days // 10_000, days // 100 % 100, days % 100
        good = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
        if good.all() and year.min() >= FIRST and year.max() <= LAST:
            months = ((year - 1970) * 12 + month - 1).astype("M8[M]")
            moments = months.astype("M8[D]") + (day - 1)
            if (moments.astype("M8[M]") == months).all():
                found[ok] = moments.astype("M8[ns]")
                return found.astype("int64"), []
    for least, most, unit in UNIX:
        if least <= low and high < most:
            whole_part = np.floor(seen)
            ns = whole_part.astype("int64") * unit + ((seen - whole_part) * unit).astype("int64")
            found[ok] = ns.astype("M8[ns]")
            name = {10**9: "seconds", 10**6: "milliseconds", 10**3: "microseconds"}.get(unit, "ns")
            return found.astype("int64"), [_said("unix time", f"{name} since 1970")]
    return None


def _said(what: str, done: str) -> Finding:
    return Finding(what, "time", 1, f"read as {done}")


def _from_text(
    text: Series, timezone: str, day_first: bool | Literal["auto"], by: Series | None
) -> tuple[np.ndarray, list[Finding]] | None:
    import pandas as pd

    text = text.str.strip()
    text = text.mask(text == "")
    digits = text.str.fullmatch(r"\d+(\.\d+)?").fillna(False)
    if digits.sum() == text.notna().sum():
        return _from_numbers(pd.to_numeric(text).to_numpy(dtype=float))
    findings: list[Finding] = []
    text = _weeks_and_quarters(text)
    zoned = text.str.contains(OFFSET).fillna(False).to_numpy(dtype=bool)
    bare = text.str.replace(r"\s*(Z|(?<=\d)[+-]\d\d:?\d\d)$", "", regex=True).where(zoned, text)
    ways = {"ISO": _parse(bare, format="ISO8601")}
    numeric = bare.where(ways["ISO"].isna()).str.extract(NUMERIC)
    if numeric[0].notna().any():
        dotted = bare.str.contains(r"^\d{1,2}\.\d").fillna(False)
        first, more = _day_first(numeric, day_first, bool(dotted.any()))
        findings += more
        ways["numbers"] = _assemble(numeric, first)
    rest = ways["ISO"].isna() & numeric[0].isna() & bare.str.contains(r"[A-Za-z].*\d|\d.*[A-Za-z]")
    if rest.fillna(False).any():
        ways["words"] = _parse(bare.where(rest.fillna(False)), format="mixed")
    used = {name: way for name, way in ways.items() if way.notna().any()}
    if not used:
        return None
    wall = next(iter(used.values()))
    for way in used.values():
        wall = wall.fillna(way)
    if wall.notna().sum() * 2 < text.notna().sum():
        return None
    if len(used) > 1:
        findings.append(Finding("mixed stamps", shown(list(used)), len(used), "each read its way"))
    moments = wall.to_numpy().astype("M8[ns]")
    if zoned.any():
        moments, said = to_utc(moments, text, zoned)
    elif timezone:
        moments, said = localised(wall, timezone, by)
    else:
        said = []
    return moments.astype("int64"), findings + said


def _parse(text: Series, format: str) -> Series:
    import warnings

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
    if week[0].notna().any():
        day = pd.to_datetime(week[0] + week[1] + "1", format="%G%V%u", errors="coerce")
        text = text.mask(day.notna(), day.dt.strftime("%Y-%m-%d"))
    quarter = text.str.extract(r"^(\d{4})[- ]?Q([1-4])$")
    if quarter[0].notna().any():
        month = (pd.to_numeric(quarter[1]) * 3 - 2).astype("Int64").astype("str").str.zfill(2)
        text = text.mask(quarter[0].notna(), quarter[0] + "-" + month + "-01")
    return text


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
        return first, [_said("dates", "day first" if first else "month first")]
    regular = {}
    for first in (True, False):
        days = np.unique(_assemble(numeric, first).dropna().to_numpy().astype("M8[D]"))
        of_month = days - days.astype("M8[M]")
        regular[first] = len(set(np.diff(days))) == 1 or len(set(of_month)) == 1 < len(days)
    if dotted or regular[True] != regular[False]:
        first = dotted or bool(regular[True])
        order = "day first" if first else "month first"
        other = str(not first).lower()
        return first, [_said("ambiguous dates", f"{order}; else data.day_first={other}")]
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
