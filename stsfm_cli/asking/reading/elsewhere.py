"""Names of here that mean something else: the weather of another place, a class of a library."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stsfm.asking.answers import Refused
from stsfm.asking.reading.lexicon import lexicon
from stsfm.asking.reading.linking import Mention, strange
from stsfm.asking.reading.names import Names, squeezed
from stsfm.asking.reading.tokens import FILE, Token, fold

DOTTED = re.compile(r"(?<![\w./-])[^\W\d_]\w+(?:\.[^\W\d_]\w*)+(?![\w./])")  # torch.nn.Linear


def code(text: str, names: Names) -> None:
    """Refused where a name of a program stands in it."""
    for found in DOTTED.findall(text):
        if not (FILE.fullmatch(found) or _sentences(found, names)):
            raise Refused(f"{found!r} is no name of a model or of data; `stsfm list` has those")


def _sentences(dotted: str, names: Names) -> bool:
    """Is it the end of one and the beginning of another, without a blank between them?"""
    first, *more = map(fold, dotted.split("."))
    known = lexicon().concepts.of(first) or first in lexicon().fillers
    return len(more) == 1 and bool(known or squeezed(first) in names.called)


def place(
    data: Mention, tokens: Sequence[Token], mentions: Sequence[Mention], names: Names
) -> None:
    """Refused where data are said to be of a place that their card has not: weather in Paris."""
    after = tokens[data.last + 1 : data.last + 3]
    if len(after) < 2 or after[0].concept != "in" or not strange(after[1]):
        return
    if any(mention.first == data.last + 2 for mention in mentions):
        return
    card = names.cards["data"][data.of("data")[0]]
    if squeezed(after[1].text) not in map(squeezed, re.findall(r"\w+", card)):
        raise Refused(f"{data.of('data')[0]} is not of {after[1].text}: {card}")
