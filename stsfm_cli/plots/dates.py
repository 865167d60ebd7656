"""Dates on an axis: years for months, hours for hours, and the larger unit where it changes."""

from __future__ import annotations

import numpy as np

from stsfm.datasets.about import DAY

# numpy's unit, its length in days, how many of it may lie between two ticks
LADDER = (
    ("s", 1 / 86_400, (1, 5, 15, 30)),
    ("m", 1 / 1_440, (1, 5, 15, 30)),
    ("h", 1 / 24, (1, 2, 3, 6, 12)),
    ("D", 1.0, (1, 2, 7, 14)),
    ("M", 30.44, (1, 2, 3, 6)),
    ("Y", 365.25, (1, 2, 5, 10, 20, 50, 100, 200, 500)),
)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def ticks(
    start: float, stop: float, most: int, least: float = 0.0
) -> tuple[list[float], list[str]]:
    """Ticks between two instants (days since 1970), about `most` at most, and their labels.

    No two are nearer than `least` days, which is the step of the data.
    """
    unit, every = _rung(max((stop - start) / max(most, 1), least))
    low, high = (_moment(x).astype(f"M8[{unit}]") for x in (start, stop))
    moments = np.arange(low, high + 1)
    shift = {"Y": 1970, "D": 3}.get(unit, 0)  # decades end in 0, weeks begin on a Monday
    moments = moments[(moments.astype(int) + shift) % every == 0]
    days = moments.astype("M8[ns]").astype("int64") / DAY
    inside = (days >= start - 1e-9) & (days <= stop + 1e-9)
    return list(days[inside]), _labels(moments[inside], unit)


def stamp(day: float, clock: np.ndarray) -> str:
    """An instant in words, no finer than those of `clock`: 1958, 1958-01, 1958-01-31, …"""
    moments = (clock * 86_400).round().astype("int64").astype("M8[s]")
    unit = next((u for u in "YMDm" if (moments.astype(f"M8[{u}]") == moments).all()), "s")
    return str(_moment(day).astype(f"M8[{unit}]")).replace("T", " ")


def _moment(day: float) -> np.datetime64:
    return np.datetime64(round(day * 86_400_000), "ms")


def _rung(apart: float) -> tuple[str, int]:
    """The finest unit and multiple that are about `apart` days or more."""
    for unit, length, multiples in LADDER:
        for every in multiples:
            if length * every >= 0.9 * apart:
                return unit, every
    return "Y", 1_000


def _labels(moments: np.ndarray, unit: str) -> list[str]:
    """Each tick in its own unit; on a second line, where it changes, what it is a part of."""
    if unit == "Y":
        return [str(moment) for moment in moments]
    parents = moments.astype("M8[Y]" if unit in "DM" else "M8[D]")
    changes = [i for i in range(1, len(moments)) if parents[i] != parents[i - 1]]
    if not changes or changes[0] > 1:
        changes.insert(0, 0)  # the first tick says it too, unless the second is about to
    labels = [_write(moment, unit) for moment in moments]
    for i in changes if labels else ():
        year = f" {parents[i].astype('M8[Y]')}" if i == changes[0] and unit in "hms" else ""
        labels[i] += f"\n{_write(parents[i], 'Y' if unit in 'DM' else 'D')}{year}"
    return labels


def _write(moment: np.datetime64, unit: str) -> str:
    year, month, day = str(moment.astype("M8[D]")).rsplit("-", 2)
    if unit in "hms":
        return str(moment.astype("M8[s]"))[11 : 19 if unit == "s" else 16]
    name = MONTHS[int(month) - 1]  # not strftime, which speaks the machine's language
    return {"Y": year, "M": name, "D": f"{int(day)} {name}"}[unit]
