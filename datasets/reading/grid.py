"""Regular time from the stamps of a file: the step, and the row of every stamp.

The step is inferred from the first half of the stamps, which no test border may come before; what
lies off its grid is moved when it is near, and refused when it is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import gcd

import numpy as np

from stsfm.datasets.about import DAY, Finding

SECOND = 10**9  # ns
FIXED = {  # unit → ns
    "s": SECOND, "min": 60 * SECOND, "hour": 3_600 * SECOND, "day": DAY, "week": 7 * DAY,
}  # fmt: skip
USUAL = [k * FIXED[unit] for unit, ks in (
    ("s", (1, 2, 5, 10, 15, 30)), ("min", (1, 2, 5, 10, 15, 20, 30)),
    ("hour", (1, 2, 3, 4, 6, 8, 12)), ("day", (1, 2, 3)), ("week", (1, 2)),
) for k in ks]  # fmt: skip
MONTHS = {"month": 1, "quarter": 3, "year": 12}  # unit → months
ALIASES = {"second": "s", "sec": "s", "minute": "min", "h": "hour", "d": "day"}
NEAR = 0.1  # of a step: how far from the grid a stamp may lie to be moved onto it
SPARSE = 20  # times as many rows as there are stamps: then the step is not the file's
MONDAY = 4 * DAY  # 1970-01-05


@dataclass(frozen=True)
class Grid:
    """Equal steps in time.

    rows      int (stamp): the row of each
    time      int64 (row): ns since 1970
    step      in words: month, 5 min, business day
    """

    rows: np.ndarray
    time: np.ndarray
    step: str
    findings: list[Finding] = field(default_factory=list)


def grid(stamps: np.ndarray, step: str) -> Grid:
    """The grid of sorted, distinct stamps (ns); `step` is "auto" or says it: 15 min, month.

    With `step` said, stamps are put into bins of that length; several in one bin share its row.
    Raises ValueError where the stamps follow no step.
    """
    if len(stamps) < 2:
        raise ValueError("one instant is no time series: wanted rows at 2 or more")
    if step != "auto":
        return _binned(stamps, *_parse(step))
    head = stamps[: max(len(stamps) // 2, min(len(stamps), 4))]
    days = head.astype("M8[ns]").astype("M8[D]")
    apart = np.diff(head)
    if np.median(apart) >= 28 * DAY and (found := _monthly(stamps, head)):
        return found
    if _on_weekdays(stamps, days, apart):
        return _business(stamps)
    return _even(stamps, apart)


def words(count: int, unit: str) -> str:
    """How a step is said: hour, 2 hours, minute, 5 min."""
    if count == 1:
        return {"s": "second", "min": "minute"}.get(unit, unit)
    return f"{count} {unit}" + ("" if unit in ("s", "min") else "s")


def _parse(step: str) -> tuple[int, str]:
    found = re.fullmatch(r"(\d+)?\s*([a-z ]+?)", step.strip().lower())
    unit = found[2] if found else ""
    for name in (unit, unit.removesuffix("s")):
        name = ALIASES.get(name, name)
        if name in (*FIXED, *MONTHS, "business day") and int(found[1] or 1) > 0:  # type: ignore[index]
            return int(found[1] or 1), name  # type: ignore[index]
    known = ", ".join([*FIXED, "business day", *MONTHS])
    raise ValueError(f"step: wanted a number of {known}, such as '15 min'; got {step!r}")


def _month(stamps: np.ndarray) -> np.ndarray:
    return stamps.astype("M8[ns]").astype("M8[M]").astype(int)


def _monthly(stamps: np.ndarray, head: np.ndarray) -> Grid | None:
    """Months, quarters, years: one stamp each, on the same day of the month or on its last."""
    moments, months = stamps.astype("M8[ns]"), _month(stamps)
    starts = months.astype("M8[M]").astype("M8[ns]").astype("int64")
    ends = (months + 1).astype("M8[M]").astype("M8[ns]").astype("int64")
    since, left = stamps - starts, ends - stamps
    if len(set(months)) < len(months):
        return None
    same, last = bool(np.ptp(since) == 0), bool(np.ptp(left) == 0 or left.max() <= DAY)
    if not (same or last or np.ptp(since) <= 5 * DAY):
        return None
    every = gcd(*map(int, np.diff(_month(head))))
    rows = months - months[0]
    if (rows % every).any():
        wrong = str(moments[rows % every > 0][0].astype("M8[D]"))
        raise ValueError(
            f"the first stamps are {words(every, 'month')} apart, but {wrong} lies between: "
            "say the step by data.step=month"
        )
    unit = next(u for u, k in reversed(MONTHS.items()) if every % k == 0)
    said = words(every // MONTHS[unit], unit)
    rows = rows // every
    _check_sparse(rows, said)
    count = months[0] + every * np.arange(rows[-1] + 1) + (last and not same)
    time = count.astype("M8[M]").astype("M8[ns]").astype("int64")
    time += since[0] if same else -left.max() if last else 0
    moved = int((time[rows] != stamps).sum())
    found = [Finding("uneven stamps", "days of the month", moved, "moved to the month's first day")]
    return Grid(rows, time, said, found if moved else [])


def _on_weekdays(stamps: np.ndarray, days: np.ndarray, apart: np.ndarray) -> bool:
    """One stamp a day, from Monday to Friday alone, over more than one week."""
    if not np.is_busday(stamps.astype("M8[ns]").astype("M8[D]")).all() or len(days) < 6:
        return False
    return bool(np.median(apart) == DAY and (apart % DAY == 0).all())


def _business(stamps: np.ndarray) -> Grid:
    days = stamps.astype("M8[ns]").astype("M8[D]")
    rows = np.busday_count(days[0], days)
    _check_sparse(rows, "business day")
    time = np.busday_offset(days[0], np.arange(rows[-1] + 1)).astype("M8[ns]").astype("int64")
    return Grid(rows, time + stamps[0] % DAY, "business day")


def _even(stamps: np.ndarray, apart: np.ndarray) -> Grid:
    """Steps of one length: a usual one where the stamps lie near it, else the most common."""
    lengths, counts = np.unique(apart, return_counts=True)
    common, usual = int(lengths[counts.argmax()]), _usual(float(np.median(apart)))
    for step in (common, usual) if common in (usual, *USUAL) else (usual, common):
        unit = next((u for u, ns in reversed(FIXED.items()) if step % ns == 0), "")
        said = words(step // FIXED[unit], unit) if unit else f"{step / SECOND:g} s"
        first, off = _anchor(stamps, step)
        if off.max() <= NEAR:
            break
    else:
        far = said if said[0].isdigit() else f"one {said}"
        where = str(stamps[off > NEAR][0].astype("M8[ns]").astype("M8[s]")).replace("T", " ")
        raise ValueError(
            f"the stamps follow no step: most are {far} apart, but "
            f"{(off > NEAR).sum()} of {len(stamps)} lie off that grid, the first at {where}; "
            "data.step='…' takes the mean of what falls into each"
        )
    rows = np.rint((stamps - first) / step).astype(int)
    first, rows = first + rows[0] * step, rows - rows[0]
    _check_sparse(rows, said)
    moved = int((off > 0).sum())
    done = f"moved to the nearest {said}"
    found = [Finding("uneven stamps", f"up to {off.max():.1%} of a step", moved, done)]
    return Grid(rows, first + step * np.arange(rows[-1] + 1), said, found if moved else [])


def _anchor(stamps: np.ndarray, step: int) -> tuple[int, np.ndarray]:
    """Where the grid begins, at the first stamp or at a round instant, and how far all are off."""
    best = None
    for first in (stamps[0], (stamps[0] + step // 2) // step * step):
        over = (stamps - first) % step
        off = np.minimum(over, step - over) / step
        if best is None or off.max() < best[1].max():
            best = int(first), off
    assert best
    return best


def _usual(length: float) -> int:
    """The usual sampling step nearest to a length, in ns."""
    return min(USUAL, key=lambda step: abs(np.log(step / length)))


def _binned(stamps: np.ndarray, count: int, unit: str) -> Grid:
    """Each stamp into the bin of `count` units that it falls into."""
    if unit in MONTHS:
        every = count * MONTHS[unit]
        bins = _month(stamps) // every
        time = (np.arange(bins[0], bins[-1] + 1) * every).astype("M8[M]").astype("M8[ns]")
    elif unit == "business day":
        days = stamps.astype("M8[ns]").astype("M8[D]")
        bins = np.busday_count(days[0], np.busday_offset(days, 0, roll="backward")) // count
        bins -= bins[0]
        first = np.busday_offset(days[0], 0, roll="backward")
        time = np.busday_offset(first, count * np.arange(bins[-1] + 1)).astype("M8[ns]")
    else:
        step, anchor = count * FIXED[unit], MONDAY if unit == "week" else 0
        bins = (stamps - anchor) // step
        _check_sparse(bins - bins[0], words(count, unit))
        time = (np.arange(bins[0], bins[-1] + 1) * step + anchor).astype("M8[ns]")
    rows = bins - bins[0]
    _check_sparse(rows, words(count, unit))
    return Grid(rows, time.astype("int64"), words(count, unit))


def _check_sparse(rows: np.ndarray, said: str) -> None:
    if rows[-1] + 1 > SPARSE * len(rows) + 100:
        raise ValueError(
            f"{len(rows):,} stamps at a step of {said} would be {int(rows[-1]) + 1:,} rows, nearly "
            "all missing: say the step by data.step='…', or is one of the stamps wrong?"
        )
