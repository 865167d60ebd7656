"""Whether a law that was given has helped: the model that was chosen, with it and without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stsfm.reports.content import Block, Definitions, Paragraph, Words
from stsfm.reports.facts import Facts, say

LAW = (  # of the ablation
    ("with", "with/name", "name"), ("with.error", "with/error", "number"),
    ("without", "without/name", "name"), ("without.error", "without/error", "number"),
    ("difference", "difference", "number"), ("low", "low", "number"), ("high", "high", "number"),
    ("p", "p", "p"), ("method", "method", "words"), ("n", "n", "number"),
    ("free", "independent", "number"),
)  # fmt: skip


def chapter(found: dict[str, Any], facts: Facts, place: str) -> Iterator[Block]:
    """Whether the law that was given has helped: the one chosen, with it and without."""
    if not found.get("ablation"):
        return
    yield from map(Paragraph, helped(facts, place))
    for key, where, how in LAW:
        facts.take(key, f"{place}#/ablation/{where}", how)
    pairs: list[tuple[str, Words]] = [
        ("With it", say("{with}: test {metric} {with.error}", facts)),
        ("Without it", say("{without}: test {metric} {without.error}", facts)),
    ]
    if facts.knows("low", "high", "p"):
        words = "{difference}, from {low} to {high} ({p}; {method}; over {n} origins, "
        pairs.append(("Difference", say(words + "{free} of them independent)", facts)))
    yield Definitions(pairs)


def helped(facts: Facts, place: str) -> Iterator[Words]:
    """The sentence that says whether it has; nothing where no law was given."""
    if fact := facts.take("law", f"{place}#/ablation/said", "words"):
        yield [fact]
