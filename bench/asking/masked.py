"""A prompt without its fillings: names, files, runs and numbers become one word per kind.

    "lstm vs gru on airline, 3 seeds" → "xmodel vs xmodel on xdata, xnumber seeds"

What fills a slot says little of what is asked, and would be learned by heart; how many models are
named says much. As in ToolkenGPT, where the arguments of a call are masked.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache

from stsfm import options

GROUPS = ("data", "model", "detector", "model/embedding", "given")  # of one name, the first counts
FIRM = 4  # letters from which a name may be misspelt
FILE = re.compile(r"[\w./~-]*\w\.(?:csv|tsv|txt|parquet|nc|npz|h5)\b")
RUN = re.compile(r"runs/\S*\w|\bs\d+-[0-9a-f]{6,}")
WORD = re.compile(r"[a-z]+[a-z0-9_]*\d*|\d+")


@cache
def names() -> dict[str, str]:
    """A name as it may be typed → the word for its kind."""
    known = options.groups()
    found: dict[str, str] = {}
    for group in reversed(GROUPS):
        word = f"x{group.rpartition('/')[2]}"
        found |= dict.fromkeys(known.get(group, ()), word)
    return found


@cache
def masked(text: str) -> str:
    """The text in lower case, with a word for the kind of what fills it."""
    text = FILE.sub(" xdata ", text.lower())
    return WORD.sub(_word, RUN.sub(" xrun ", text))


def _word(found: re.Match[str]) -> str:
    word = found[0]
    if word in ("xdata", "xrun") or word.isdigit():
        return word if word[0] == "x" else "xnumber"
    near = [word] if len(word) < FIRM else get_close_matches(word, names(), 1, 0.8)
    return names().get(near[0], word) if near else word
