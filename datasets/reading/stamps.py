"""A column of stamps as instants: dates in words and numbers, with offsets, or unix seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from stsfm.datasets.about import Finding
from stsfm.datasets.reading.dates import FIRST, LAST, said, wall_clocks
from stsfm.datasets.reading.zones import localised, to_utc

if TYPE_CHECKING:
    from pandas import Series

UNIX = ((1e8, 1e10, 10**9), (1e11, 1e13, 10**6), (1e14, 1e16, 10**3), (1e17, 9e18, 1))
OFFSET = r"\d:\d\d(?::\d\d)?(?:\.\d+)?\s*(?:Z|[+-]\d\d:?\d\d)$"


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
        return found.astype("int64"), [] if whole else [said("decimal years", "year and part")]
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
            return found.astype("int64"), [said("unix time", f"{name} since 1970")]
    return None


def _from_text(
    text: Series, timezone: str, day_first: bool | Literal["auto"], by: Series | None
) -> tuple[np.ndarray, list[Finding]] | None:
    import pandas as pd

    text = text.str.strip()
    text = text.mask(text == "")
    digits = text.str.fullmatch(r"\d+(\.\d+)?").fillna(False)
    if digits.sum() == text.notna().sum():
        return _from_numbers(pd.to_numeric(text).to_numpy(dtype=float))
    zoned = text.str.contains(OFFSET).fillna(False).to_numpy(dtype=bool)
    bare = text.mask(zoned, text.str.replace(r"\s*(Z|[+-]\d\d:?\d\d)$", "", regex=True))
    read = wall_clocks(bare if zoned.any() else text, day_first)
    if read is None:
        return None
    wall, findings = read
    moments = wall.to_numpy().astype("M8[ns]")
    if zoned.any():
        moments, more = to_utc(moments, text, zoned)
    elif timezone:
        moments, more = localised(wall, timezone, by)
    else:
        more = []
    return moments.astype("int64"), findings + more
