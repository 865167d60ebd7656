"""A prompt without its fillings, as the grammar reads it.

    "lstm vs gru on airline, 3 seeds"   → names:    "MODEL vs MODEL on DATA xnumber seeds"
                                        → concepts: "MODEL compare MODEL in DATA xnumber seed"

What fills a slot says little of what is asked, and would be learned by heart; how many models are
named says much. As in ToolkenGPT, where the arguments of a call are masked. Concepts are those of
the dictionary of the rules: they are the same in English and in Russian, and without slips.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from stsfm.asking.answers import Refused
from stsfm.asking.reading.linking import Mention, mentions
from stsfm.asking.reading.names import registry
from stsfm.asking.reading.tokens import Token, read

UNREAD = "xunread"  # a prompt that is refused before it is read
KINDS = {"file": "DATA", "run": "RUN", "number": "xnumber"}


def names(text: str) -> str:
    """The words of a text, a name being its group."""
    return _read(text)[0]


def concepts(text: str) -> str:
    """The concepts of its words, and the words that have none."""
    return _read(text)[1]


@cache
def _read(text: str) -> tuple[str, str]:
    try:
        tokens = read(text)
    except Refused:
        return UNREAD, UNREAD
    found = mentions(tokens, registry())
    plain = _words(tokens, found, lambda token: token.word)
    return plain, _words(tokens, found, lambda token: token.concept or token.word)


def _words(tokens: Sequence[Token], found: Sequence[Mention], word: Callable[[Token], str]) -> str:
    words = [KINDS.get(token.kind, "") or word(token) for token in tokens]
    for mention in found:
        group = min(mention.senses)[0].rpartition("/")[2].upper()
        words[mention.first : mention.last + 1] = [group] + [""] * (mention.last - mention.first)
    return " ".join(filter(None, words))
