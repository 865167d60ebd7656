"""How long a job may take and how much memory it may hold, as a user types it."""

from __future__ import annotations

import re
from contextlib import suppress

import psutil

from stsfm.mistakes import Mistake

SECONDS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
BYTES = {"": 1, "b": 1} | {
    f"{letter}{unit}": base**power
    for power, letter in enumerate("kmgt", start=1)
    for unit, base in (("", 1024), ("ib", 1024), ("b", 1000))
}


def seconds(value: float | str | None, key: str) -> float | None:
    """60, "90s", "10m", "2h" in seconds; None stays None."""
    return _amount(value, SECONDS, key, "seconds, or a time such as 90s, 10m, 2h")


def size(value: float | str | None, key: str) -> float | None:
    """ "4GiB", "500MB" in bytes, or a number of them; None stays None."""
    return _amount(value, BYTES, key, "a size such as 500MiB or 4GiB")


def _amount(
    value: float | str | None, units: dict[str, int], key: str, wanted: str
) -> float | None:
    if value is None:
        return None
    found = re.fullmatch(r"(\d+\.?\d*|\.\d+)\s*([a-z]*)", str(value).strip().lower())
    if found is None or found[2] not in units or float(found[1]) == 0:
        raise Mistake(f"{key}: wanted {wanted}, got {value!r}")
    return float(found[1]) * units[found[2]]


def resident(pid: int) -> int:
    """Bytes of memory that a process and all that it started hold; 0 where it is gone."""
    total = 0
    for one in family(pid):
        with suppress(psutil.Error):  # it ended while we looked
            total += one.memory_info().rss
    return total


def family(pid: int) -> list[psutil.Process]:
    """A process and all that it started; none where it is gone."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def lasting(seconds: float) -> str:
    """60 s, 10 min, 2 h."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length or seconds == length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.3g} s"


def sized(size: float) -> str:
    """4.2 GiB: the unit of what a user sets as a limit."""
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} GiB"
