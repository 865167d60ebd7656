"""What a clock says ahead of time: features of a panel's stamps, each a point on its circle.

    name → sin 2πp, cos 2πp,    p ∈ [0, 1) the share of its cycle that has passed

A pair and not a column per value (one-hot): December lies beside January, a cycle of any length
takes two columns, and they need no scaling. A pair holds the first harmonic alone; several names
(month and quarter, hour and weekday) make a finer shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from stsfm.datasets.panel import Array, Panel

Stamps = Array  # datetime64[ns]


def _of_day(time: Stamps, unit: str) -> Array:
    """Whole units since midnight, as a share of the day."""
    passed = time.astype(f"M8[{unit}]") - time.astype("M8[D]")
    return passed / np.timedelta64(1, "D")


def _of_year(time: Stamps, days: int) -> Array:
    """Runs of so many whole days since the first of January, as a share of that year."""
    first, after = (time.astype("M8[Y]") + k for k in (0, 1))
    passed = (time.astype("M8[D]") - first.astype("M8[D]")).astype(int) // days * days
    return passed / (after.astype("M8[D]") - first.astype("M8[D]")).astype(int)


def _month(time: Stamps) -> Array:
    return time.astype("M8[M]").astype(int) % 12


FEATURES: Mapping[str, Callable[[Stamps], Array]] = {
    "minute_of_day": lambda time: _of_day(time, "m"),
    "hour": lambda time: _of_day(time, "h"),
    "weekday": lambda time: (time.astype("M8[D]").astype(int) + 3) % 7 / 7,  # Monday is 0
    "week": lambda time: _of_year(time, 7),  # since the first of January
    "day_of_year": lambda time: _of_year(time, 1),
    "month": lambda time: _month(time) / 12,
    "quarter": lambda time: _month(time) // 3 / 4,
}
FITTING = (  # days of a sampling step at least, and the features that it can tell apart
    (360, ()),
    (89, ("quarter",)),
    (28, ("month",)),
    (7, ("week",)),
    (1, ("weekday", "day_of_year")),
    (1 / 24, ("hour", "weekday", "day_of_year")),
    (0, ("minute_of_day", "weekday", "day_of_year")),
)


def add_calendar(panel: Panel, names: Sequence[str] | Literal["auto"]) -> Panel:
    """The panel with two covariates of kind calendar per name, behind those that it has.

    names   of FEATURES; auto: those that fit the sampling step

    A feature that is there already is made anew from the stamps, in the place where it would be
    added: so a panel with more rows gets the same columns. ValueError for an unknown name.
    """
    names = fitting(panel.time) if names == "auto" else tuple(dict.fromkeys(names))
    if unknown := [name for name in names if name not in FEATURES]:
        raise ValueError(f"a calendar has {', '.join(FEATURES)}, got {unknown[0]!r}")
    if not names:
        return panel
    time = panel.time.astype("M8[ns]")
    angles = 2 * np.pi * np.stack([FEATURES[name](time) for name in names], -1)  # (*b, t, name)
    pairs = np.stack([np.sin(angles), np.cos(angles)], -1).reshape(*time.shape, 1, -1)
    columns = tuple(f"{name} {wave}" for name in names for wave in ("sin", "cos"))
    about = panel.about
    old = [i for i, name in enumerate(about.covariates) if name not in columns]
    known = panel.known[..., old]
    pairs = np.broadcast_to(pairs, (*known.shape[:-1], len(columns)))
    about = replace(
        about,
        covariates=(*(about.covariates[i] for i in old), *columns),
        kinds=(*(about.kinds[i] for i in old), *["calendar"] * len(columns)),
    )
    return replace(panel, known=np.concatenate([known, pairs], -1), about=about)


def fitting(time: Array) -> tuple[str, ...]:
    """The features that the sampling step can tell apart."""
    if time.shape[-1] < 2:
        return ()
    days = np.median(np.diff(time)).astype("m8[ns]") / np.timedelta64(1, "D")
    return next(names for least, names in FITTING if days >= least)
