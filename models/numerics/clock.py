"""Where a stamp stands in the cycles of the calendar, as whole numbers to look up by.

    step below a day         time of day, in slots of a step (but at most `slots`), and weekday
    a day, up to a week      weekday
    a week and more, uneven  month of the year: months are what rows that differ in length are

Stamps are int64 ns since 1970-01-01, a Thursday; the calendar is Gregorian.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from stsfm.datasets.about import DAY
from stsfm.datasets.panel import Array


class Cycle(NamedTuple):
    """A cycle and how a stamp is placed in it: 0 … length − 1."""

    length: int
    place: Callable[[Array], Array]


def cycles(step: int, slots: int) -> tuple[Cycle, ...]:
    """The cycles that rows `step` ns apart can tell apart; 0 = rows apart by different steps."""
    week, year = Cycle(7, weekday), Cycle(12, month)
    if step >= 7 * DAY or step <= 0:
        return (year,)
    if step >= DAY:
        return (week,)
    count = min(slots, -(-DAY // step))
    return Cycle(count, partial(slot, count=count)), week


def slot(time: Array, count: int) -> Array:
    """Which of `count` equal parts of its day."""
    return time % DAY * count // DAY


def weekday(time: Array) -> Array:
    """Monday is 0."""
    return (time // DAY + 3) % 7


def month(time: Array) -> Array:
    """January is 0; years begin in March and come in eras of 400 (Hinnant's civil_from_days)."""
    day = (time // DAY + 719_468) % 146_097  # of the era
    year = (day - day // 1_460 + day // 36_524 - day // 146_096) // 365
    day = day - (365 * year + year // 4 - year // 100)  # since the first of March
    return ((5 * day + 2) // 153 + 2) % 12
