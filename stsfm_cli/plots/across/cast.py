"""Who is shown in colour: a few that matter, the same in every figure of a comparison."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from stsfm.plots import style
from stsfm.plots.across.contest import Entry, Look
from stsfm.tables.table import LEVEL

COLOURS = ((style.MODEL, "-"), *style.OTHERS)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")
STARS = 7  # shown in colour where not all can be
GREY = Look(style.FAINT, "-", "o", star=False)


def order(entries: Sequence[Entry], control: str) -> list[Entry]:
    """By how much they matter, judged on validation alone.

    The best model, the control, the best net, the seasonal naive; then the best of the nets and the
    best of the others in turn.
    """
    ranked = sorted(entries, key=lambda entry: entry.preference)
    first = [
        *ranked[:1],
        *(entry for entry in ranked if entry.label == control),
        *[entry for entry in ranked if entry.net][:1],
        *[entry for entry in ranked if entry.model == LEVEL][:1],
    ]
    sorts = ([e for e in ranked if e.net is net and e not in first] for net in (True, False))
    turns = (entry for pair in zip_longest(*sorts) for entry in pair if entry is not None)
    return list(dict.fromkeys([*first, *turns]))


def looks(orders: Iterable[Sequence[str]]) -> dict[str, Look]:
    """Name → look, for the names of several contests, each in the order of what matters in it."""
    rounds = zip_longest(*orders)
    names = list(dict.fromkeys(name for each in rounds for name in each if name is not None))
    stars = names if len(names) <= len(COLOURS) else names[:STARS]
    given = zip(stars, COLOURS, MARKERS, strict=False)
    found = {name: Look(color, dashes, marker) for name, (color, dashes), marker in given}
    return {name: found.get(name, GREY) for name in names}
