"""A prompt that is read by rules and, where that was asked for, by a language model.

The rules come first. What they refuse for its words (delete, a shell, another task), what may not
be read at all, and what fits several names, is not sent: there is nothing to help with. Where the
model gives nothing that can be used, what the rules said stands, refusals included.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stsfm.asking.answers import Ambiguous, Refused, Understood
from stsfm.asking.llm.endpoint import URL, Endpoint, Unanswered
from stsfm.asking.llm.exchanges import Exchanges
from stsfm.asking.llm.filling import filled
from stsfm.asking.reading.lexicon import lexicon
from stsfm.asking.reading.names import Step
from stsfm.asking.reading.tokens import read
from stsfm.asking.spec import RunSpec
from stsfm.mistakes import Mistake

if TYPE_CHECKING:
    from stsfm.reports.content import Report


def exchanges(asks: Path, *, replay: bool) -> Exchanges:
    """Where a model is asked; of `replay` nothing but what is kept in the folders of prompts."""
    if replay:
        return Exchanges(asks, None)
    if (endpoint := Endpoint.of()) is None:
        raise Mistake(f"--llm asks a model, and {URL} names none; see docs/llm.md, or --replay")
    return Exchanges(asks, endpoint)


def understand(
    text: str,
    rules: Callable[[], Understood],
    exchanges: Exchanges,
    say: Callable[[str], None],
    *,
    data: str | None = None,
    step: Callable[[str], Step] | None = None,
) -> Understood:
    """What a prompt asks for; Ambiguous or Refused as `rules` have it.

    say         is told in a line why there is no answer, or that the rules have another one
    data, step  as `filled` has them
    """
    told: Understood | None = None
    failed: Ambiguous | Refused | None = None
    try:
        told = rules()
    except (Ambiguous, Refused) as error:
        if _settled(text, error):
            raise
        failed = error
    try:
        found = filled(text, exchanges, data=data, step=step)
    except Unanswered as error:
        say(f"without a model: {error}")
        if told is None:
            raise failed from None  # type: ignore[misc]
        return told
    if told and told.spec != found.spec:
        say(f"by rules alone it would be: {_briefly(told.spec)}")
    return found


def wording(exchanges: Exchanges, say: Callable[[str], None]) -> Callable[[Report], Report]:
    """What puts a report in other words, and says in it that it did; else it stays as it is."""
    from stsfm.asking.llm.rewording import reworded

    def put(report: Report) -> Report:
        try:
            sections = reworded(report.sections, exchanges)
        except Unanswered as error:
            say(f"the report is in its own words: {error}")
            return report
        if sections == list(report.sections):
            return report
        by = f"Some sentences are in the words of {exchanges.model}; numbers and names are not."
        return replace(report, sections=sections, about=[*report.about, by])

    return put


def _settled(text: str, error: Ambiguous | Refused) -> bool:
    """Whether no model is to be asked: of several names it would guess, and words may forbid."""
    if isinstance(error, Ambiguous):
        return len(error.candidates) > 1
    return any(token.concept in lexicon().cues["reject"] for token in read(text))


def _briefly(spec: RunSpec) -> str:
    """forecast · airline · gru"""
    values = (", ".join(v) if isinstance(v, tuple) else v for v in asdict(spec).values())
    return " · ".join(str(value) for value in values if value)
