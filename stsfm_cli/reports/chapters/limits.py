"""What the tables do not show, and what nobody has looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stsfm.reports.content import Block, Items, Words
from stsfm.reports.facts import say
from stsfm.reports.shown import Shown


def chapter(shown: Sequence[Shown]) -> Iterator[Block]:
    """What was left out of each table, and how far its rows may be believed."""
    yield Items([words for one in shown for words in _of(one)])


def _of(one: Shown) -> Iterator[Words]:
    told = one.facts() | {"tried": one.fact("number", "tried"), "data": one.fact("words", "data"),
                          "shown": one.fact("number", "shown")}  # fmt: skip
    yield say("{task}: configurations tried under this protocol: {tried}, shown: {shown}.", told)
    for k in range(len(one.table.left_out)):
        told["what"] = one.fact("words", "left_out", k)
        yield say("{task}: without {what}.", told)
    if one.table.exploratory:
        yield say("Every configuration is shown, so the best test score is optimistic.", told)
    told["independent"] = one.fact("number", "independent")
    yield say("All scores are of {data} under one protocol; of its test origins {independent} are "
              "independent. Other data, horizons and borders were not looked at here.",
              told)  # fmt: skip
    if one.record["untuned"]:
        told["untuned"] = one.fact("list", "untuned")
        yield say("No keys were searched for of {untuned}: they stand as their defaults or as they "
                  "were typed.", told)  # fmt: skip
