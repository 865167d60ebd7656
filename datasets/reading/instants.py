"""Which row of a regular time axis every record of a table belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from stsfm.datasets.about import DAY, Finding
from stsfm.datasets.reading.grid import grid
from stsfm.datasets.reading.roles import Roles
from stsfm.datasets.reading.stamps import stamps

if TYPE_CHECKING:
    from pandas import DataFrame, Series


@dataclass(frozen=True)
class Rows:
    """Where the records go.

    kept  bool (record): those with a stamp
    row   int (kept record)
    time  int64 (row): ns since 1970; a day a row where there are no dates
    step  in words; "" where there are no dates
    """

    kept: np.ndarray
    row: np.ndarray
    time: np.ndarray
    step: str
    findings: list[Finding]


def place(
    frame: DataFrame,
    role: Roles,
    *,
    step: str,
    timezone: str,
    day_first: bool | Literal["auto"],
) -> Rows:
    """Put every record of a table on the grid of its stamps, whatever their order.

    Raises ValueError where the stamps cannot be read or follow no step.
    """
    everything = np.ones(len(frame), bool)
    if role.time is None:
        row = np.arange(len(frame))
        found = [Finding("no time column", "file", 1, "rows are numbered; else data.time")]
        return Rows(everything, row, row * DAY, "", found)
    column, by = frame[role.time], frame[role.node] if role.node else None
    read = stamps(column, timezone=timezone, day_first=day_first, by=by)
    if read is None:
        return _counted(column, by)
    ns, findings = read
    kept = ns != np.iinfo("int64").min  # NaT
    if not kept.all():
        odd = next((repr(str(cell)[:20]) for cell in column[~kept] if cell == cell), "empty")
        lost = int((~kept).sum())
        findings.append(Finding("rows without a stamp", f"such as {odd}", lost, "left out"))
    ns, by = ns[kept], by[kept] if by is not None else None
    findings += _order(ns, by)
    distinct, inverse = np.unique(ns, return_inverse=True)
    axis = grid(distinct, step)
    row = axis.rows[inverse]
    fine = len(axis.time) > 1 and axis.time[1] - axis.time[0] < DAY
    hint = "; daylight saving? data.timezone" if fine and not timezone else ""
    findings += [*axis.findings, *_twice(row, by, axis.time, hint)]
    if inserted := len(axis.time) - len(np.unique(axis.rows)):
        findings.append(Finding("missing rows", "between the stamps", inserted, "masked rows"))
    return Rows(kept, row, axis.time, axis.step, findings)


def _counted(column: Series, by: Series | None) -> Rows:
    """A column called time that counts in equal steps: rows without dates."""
    shown = repr(column.dropna().iloc[0]) if column.notna().any() else "nothing"
    if column.dtype.kind not in "iuf" or column.notna().sum() < 2:
        raise ValueError(
            f"time: column {column.name!r} holds no stamps that can be read, such as {shown}: "
            "wanted 2020-12-31 23:00; data.time=null numbers the rows"
        )
    x = column.to_numpy(dtype=float, na_value=np.nan)
    kept = np.isfinite(x)
    values = np.unique(x[kept])
    apart = np.diff(values)
    unit = float(np.median(apart)) if len(apart) else 1.0
    row = (x[kept] - values[0]) / unit
    if abs(row - np.rint(row)).max() > 1e-6 * max(1.0, abs(row).max()) or row.max() > 20 * len(x):
        raise ValueError(
            f"time: column {column.name!r} counts in uneven steps and is no date: "
            "data.time=null numbers the rows in the order of the file"
        )
    row = np.rint(row).astype(int)
    findings = [Finding("no dates", str(column.name), 1, f"rows, each {unit:g} after the last")]
    time = np.arange(row.max() + 1) * DAY
    if inserted := len(time) - len(values):
        findings.append(Finding("missing rows", "between the counts", inserted, "masked rows"))
    lost = int((~kept).sum())
    findings += [Finding("rows without a stamp", "empty", lost, "left out")] if lost else []
    twice = _twice(row, by[kept] if by is not None else None, time, "")
    order = _order(x[kept], by[kept] if by is not None else None)
    return Rows(kept, row, time, "", [*findings, *order, *twice])


def _order(ns: np.ndarray, by: Series | None) -> list[Finding]:
    import pandas as pd

    series = pd.Series(ns)
    back = series.diff() if by is None else series.groupby(by.to_numpy()).diff()
    count = int((back < 0).sum())
    return [Finding("unsorted stamps", "steps back", count, "sorted")] if count else []


def _twice(row: np.ndarray, by: Series | None, time: np.ndarray, hint: str) -> list[Finding]:
    import pandas as pd

    from stsfm.datasets.reading.oddities import stamp

    pairs = pd.DataFrame({"row": row, "by": 0 if by is None else by.to_numpy()})
    again = pairs.duplicated().to_numpy()
    if not again.any():
        return []
    where = f"first at {stamp(time[row[again][0]])}"
    return [Finding("duplicate stamps", where, int(again.sum()), f"the mean of each{hint}")]
