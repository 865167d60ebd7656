"""Rows beyond the last one: the stamps go on as the calendar has them, nothing is observed yet.

Months stay months and ends of months their ends, by any number of months at once (quarters,
years); working days skip the weekend; all other steps are of one length.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stsfm.datasets.panel import Array, Panel


def extended(panel: Panel, rows: int) -> Panel:
    """The panel with `rows` unobserved rows behind it, whose covariates are 0.

    Raises ValueError where the stamps follow no rule that could be continued.
    """
    behind = lambda x: np.concatenate([x, np.zeros((rows, *x.shape[1:]), x.dtype)])  # noqa: E731
    space, extra, graph = panel.space, panel.privileged, panel.space.adjacency
    if graph is not None and space.changes:  # the last one holds on
        space = replace(space, adjacency=np.concatenate([graph, np.repeat(graph[-1:], rows, 0)]))
    return replace(
        panel,
        values=behind(panel.values),
        mask=behind(panel.mask),
        known=behind(panel.known),
        privileged=None if extra is None else behind(extra),
        time=np.concatenate([panel.time, onward(panel.time, rows)]),
        space=space,
    )


def onward(time: Array, count: int) -> Array:
    """The next `count` stamps after those of `time` (row,), int64 ns since 1970.

    Raises ValueError where the stamps follow no rule that could be continued.
    """
    if len(time) < 2:
        raise ValueError("one row has no step, so the stamps beyond it are unknown; give more rows")
    moments, ahead = time.astype("M8[ns]"), np.arange(1, count + 1)
    for rule in (_months, _month_ends, _even, _working_days):
        if (found := rule(moments, ahead)) is not None:
            return found.astype("M8[ns]").astype("int64")
    _, which, counts = np.unique(np.diff(time), return_inverse=True, return_counts=True)
    at = int(np.argmax(which != counts.argmax()))
    first, then = moments[at : at + 2].astype("M8[s]")
    raise ValueError(
        f"the stamps keep no one step ({first} is followed by {then}), so those beyond the end are "
        "unknown"
    )


def _months(moments: Array, ahead: Array) -> Array | None:
    """Every so many months, on the same day and at the same time."""
    months = moments.astype("M8[M]")
    into, every = moments - months, np.diff(months.astype(int))
    if (into != into[0]).any() or (every != every[0]).any() or every[0] < 1:
        return None
    return (months[-1] + every[0] * ahead).astype("M8[ns]") + into[0]


def _month_ends(moments: Array, ahead: Array) -> Array | None:
    """Every so many months, on the last day: the first of the next month, less a day."""
    day = np.timedelta64(1, "D")
    if ((moments + day).astype("M8[D]") != (moments + day).astype("M8[M]")).any():
        return None
    found = _months(moments + day, ahead)
    return None if found is None else found - day


def _even(moments: Array, ahead: Array) -> Array | None:
    step = np.diff(moments)
    return moments[-1] + step[0] * ahead if (step == step[0]).all() else None


def _working_days(moments: Array, ahead: Array) -> Array | None:
    """From Monday to Friday, at the same time of day."""
    days = moments.astype("M8[D]")
    into, next_ = moments - days, np.busday_offset(days[:-1], 1, roll="forward")
    if (into != into[0]).any() or (next_ != days[1:]).any():
        return None
    return np.busday_offset(days[-1], ahead).astype("M8[ns]") + into[0]
