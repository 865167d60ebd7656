"""Words that stand where a name would and are none: what nothing here is called is not passed over.

In brackets, behind "with" or "given", between commas and "and" beside models: a model that there is
not would otherwise be dropped in silence, and another request be done than was made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from stsfm.asking.reading.linking import Mention, strange
from stsfm.asking.reading.tokens import Token

JOINING = ("and", "with", "in", "given", "among", "compare")


def strangers(
    tokens: Sequence[Token],
    mentions: Sequence[Mention],
    telling: Collection[str],
    *,
    calling: Collection[str],
    group: str,
) -> Iterator[tuple[str, str]]:
    """What names nothing, and the concept before it, in the order of the words.

    telling  words of cards, which tell a dataset and so name it
    calling  concepts, or words, behind which a name of `group` stands
    """
    taken = {k for m in mentions for k in range(m.first, m.last + 1)}
    named = {k for m in mentions if not m.casual and m.of(group) for k in (m.first, m.last)}
    for item in _items(tokens):
        words = [tokens[k] for k in item]
        if taken & {*item} or not all(strange(t) and t.word not in telling for t in words):
            continue
        before = tokens[item[0] - 1] if item[0] else None
        called = before is not None and bool({before.concept, before.word} & {*calling})
        plain = words[0].word.isascii()  # a Russian word is seldom a name
        if words[0].slot or (plain and (called or _listed(tokens, item, named))):
            yield " ".join(t.text for t in words), before.concept if before else ""


def _items(tokens: Sequence[Token]) -> Iterator[list[int]]:
    """Words with one letter between, a blank or a hyphen, inside or outside of a bracket."""
    item: list[int] = []
    for k, token in enumerate(tokens):
        joined = item and _gap(tokens, k) == 1 and token.slot == tokens[k - 1].slot
        if joined and not {token.concept, tokens[k - 1].concept} & {*JOINING}:
            item.append(k)
            continue
        if item:
            yield item
        item = [k]
    if item:
        yield item


def _gap(tokens: Sequence[Token], k: int) -> int:
    """How many letters stand between a word and the one before."""
    return tokens[k].start - tokens[k - 1].start - len(tokens[k - 1].text)


def _listed(tokens: Sequence[Token], item: Sequence[int], named: Collection[int]) -> bool:
    """Does it stand in a list of names: "lstm, gru and IT", "IT vs lstm"?"""
    joining = {k for k, token in enumerate(tokens) if token.concept in ("and", "compare")}
    first, last = item[0], item[-1]
    if (first - 1 in joining and first - 2 in named) or first - 1 in named:
        return first - 1 in joining or _gap(tokens, first) > 1
    if last + 1 in joining:
        return last + 2 in named
    return last + 1 in named and _gap(tokens, last + 1) > 1
