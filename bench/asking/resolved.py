"""What a prompt comes to, from its text to a request, with any selector of intents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from prompts import Prompt

from stsfm.asking.answers import Ambiguous
from stsfm.asking.resolve import resolve
from stsfm.asking.spec import RunSpec
from stsfm.mistakes import Mistake

Outcome = RunSpec | tuple[str, frozenset[str]] | None  # a request, what is unclear, or a rejection


@dataclass(frozen=True)
class Said:
    """A selector that has made up its mind."""

    intent: Any

    def scores(self, text: str) -> dict[Any, float]:
        return {self.intent: 1.0}


@cache
def outcome(text: str, intent: str | None = None) -> Outcome:
    """What `stsfm ask` makes of a text; with an intent that somebody else told, if one is given."""
    try:
        return resolve(text, Said(intent) if intent else None).spec
    except Ambiguous as unclear:
        return unclear.slot, frozenset(unclear.candidates)
    except Mistake:
        return None


def wanted(prompt: Prompt) -> Outcome:
    """What its label says."""
    if "ambiguous" in prompt.label:
        return prompt.label["ambiguous"], frozenset(prompt.label["candidates"])
    return prompt.spec


def exact(prompt: Prompt, got: Outcome) -> bool:
    """Field by field; of models and classes the order does not matter. Of an unclear slot its name
    counts, and the candidates where the label has any."""
    want = wanted(prompt)
    if isinstance(want, tuple):
        return isinstance(got, tuple) and got[0] == want[0] and (not want[1] or got[1] == want[1])
    if want is None or not isinstance(got, RunSpec):
        return want is got
    return set(pairs(want)) == set(pairs(got))


def pairs(spec: Outcome) -> Iterator[tuple[str, Any]]:
    """(slot, value) of what a request says; one for each name of a list; of all else nothing."""
    if isinstance(spec, RunSpec):
        for slot, value in asdict(spec).items():
            values = value if isinstance(value, tuple) else (value,)
            yield from ((slot, one) for one in values if one is not None)


def slot_counts(prompt: Prompt, got: Outcome) -> tuple[int, int, int]:
    """(right, said, wanted) slots, the intent not among them."""
    said, want = ({p for p in pairs(s) if p[0] != "intent"} for s in (got, wanted(prompt)))
    return len(said & want), len(said), len(want)
