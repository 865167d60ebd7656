"""Numbers in a prompt, by the words beside them: steps ahead, seeds, seconds.

"12 steps ahead", "next 24 hours", "на 12 месяцев"     horizon, in its unit
"3 seeds", "repeat 5 times", "с тремя сидами"          seeds
"within 10 minutes", "budget 2h", "за полчаса"         budget
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from stsfm.asking.answers import Ambiguous, Refused
from stsfm.asking.reading.lexicon import lexicon
from stsfm.asking.reading.tokens import Token

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
UNITS = (*SECONDS, "month", "year")
DOZEN = 12
PASSED = ("next", "future", "ahead", "seed")  # between a number and what it counts
A_DATE = range(1000, 3000)  # no number of years
FAR = 4  # words around a number that may say what it is of


@dataclass(frozen=True)
class Amount:
    """A number and what it counts."""

    number: float
    unit: str  # step, or a unit of time
    said: str


@dataclass(frozen=True)
class Amounts:
    """What the numbers of a prompt say."""

    horizon: Amount | None = None
    seeds: Amount | None = None
    budget: Amount | None = None


def amounts(tokens: Sequence[Token], taken: frozenset[int] = frozenset()) -> Amounts:
    """Every number that is of something; the first of each kind."""
    found: dict[str, Amount] = {}
    for i, token in enumerate(tokens):
        number = None if i in taken else _number(tokens, i)
        if number is not None:
            kind, unit, last = _of_what(tokens, i)
            if kind:
                said = " ".join(t.text for t in tokens[i : last + 1])
                found.setdefault(kind, Amount(number, unit, said))
        elif token.concept == "half" and token.word.startswith("пол") and len(token.word) > 3:
            found.setdefault("budget", Amount(0.5, "hour", token.text))
        elif token.concept in ("minute", "hour") and i and tokens[i - 1].concept == "limit":
            found.setdefault("budget", Amount(1, token.concept, token.text))
        elif token.concept in UNITS and _a_unit_ahead(tokens, i):
            found.setdefault("horizon", Amount(1, token.concept, token.text))
    return Amounts(**found)


def steps(amount: Amount, step: tuple[int, str] | None, data: str) -> int:
    """How many steps an amount is, where a step is `step`. Ambiguous where that isn't whole.

    step   (5, "minute"); None where it is not known before the data are read: taken as said
    """
    if amount.unit == "step" or step is None or (step[1] == amount.unit and step[0] == 1):
        count = amount.number
    elif step[1] in SECONDS and amount.unit in SECONDS:
        count = amount.number * SECONDS[amount.unit] / (step[0] * SECONDS[step[1]])
    else:
        count = 0.5
    if amount.unit == "step" and count != max(int(count), 1):
        raise Ambiguous("horizon", (), f"{amount.said!r}: wanted a whole number of steps, from 1")
    if count != int(count) or count < 1:
        size = (
            f"{step[0]} {step[1]}s"
            if step and step[0] > 1
            else f"one {step[1]}"
            if step
            else "not whole"
        )
        raise Ambiguous(
            "horizon", (), f"{amount.said!r}: a step of {data} is {size}; say how many steps ahead"
        )
    return int(count)


def whole(amount: Amount, what: str) -> int:
    if amount.number != int(amount.number) or amount.number < 1:
        raise Refused(f"{amount.said!r}: wanted 1 or more {what}, got {amount.number:g}")
    return int(amount.number)


def seconds(amount: Amount) -> int:
    """A budget in seconds."""
    return max(1, round(amount.number * SECONDS[amount.unit]))


def _number(tokens: Sequence[Token], i: int) -> float | None:
    token = tokens[i]
    if token.kind == "number":
        return float(token.word)
    if token.concept == "half" and token.word in ("half", "пол"):
        return 0.5
    number = lexicon().numbers.get(token.word)
    dozens = i + 1 < len(tokens) and lexicon().numbers.get(tokens[i + 1].word) == DOZEN
    return number * DOZEN if number and dozens else number


def _of_what(tokens: Sequence[Token], i: int) -> tuple[str, str, int]:
    """(horizon | seeds | budget | "", unit, last token) of the number at i."""
    before = [t.concept for t in tokens[max(0, i - FAR) : i]]
    for k in range(i + 1, min(i + 4, len(tokens))):  # "12 more steps", "half an hour"
        concept = tokens[k].concept
        if concept == "seed" or (
            concept in ("repeat", "run") and k == i + 1 and _several(tokens[i])
        ):
            return "seeds", "seed", k
        if concept in ("step", "point"):
            return "horizon", "step", k
        if concept in UNITS:
            return _time(tokens, i, k, before), concept, k
        one = lexicon().numbers.get(tokens[k].word) in (1, DOZEN)  # half an hour, two dozen steps
        if tokens[k].kind == "number" or not (one or tokens[k].filler or concept in PASSED):
            break
    if not _several(tokens[i]):
        return "", "", i
    for kind, concept in (("horizon", "horizon"), ("seeds", "seed"), ("horizon", "step")):
        if (
            concept in before[-2 if concept != "step" else -1 :]
        ):  # "seeds: five", "шагов двенадцать"
            return kind, "step", i
    if i + 1 < len(tokens) and tokens[i + 1].concept == "ahead":
        return "horizon", "step", i
    return "", "", i


def _several(token: Token) -> bool:
    """Is it surely a number, and no article?"""
    return token.kind == "number" or lexicon().numbers.get(token.word, 0) > 1


def _time(tokens: Sequence[Token], i: int, k: int, before: Sequence[str]) -> str:
    """Is a stretch of time looked into, or waited for? "" where it only describes the data."""
    unit, after = tokens[k].concept, [t.concept for t in tokens[k + 1 : k + 3]]
    if "every" in before[-2:] or "last" in before[-2:]:
        return ""
    if unit == "year" and _number(tokens, i) in A_DATE:
        return ""
    if {"ahead", "next"} & {*before[-2:], *after}:
        return "horizon"
    if "limit" in (*before, *after) and unit in SECONDS:
        return "budget"
    if "horizon" in before[-2:]:
        return "horizon"
    if unit in ("month", "year", "week", "day") or "forecast" in before:
        return "horizon"
    if i and tokens[i - 1].word in ("на", "for"):
        return "horizon"
    return "budget" if _several(tokens[i]) else ""


def _a_unit_ahead(tokens: Sequence[Token], i: int) -> bool:
    """ "на сутки вперёд" is one day; English has its article for it."""
    after = tokens[i + 1].concept if i + 1 < len(tokens) else ""
    return i > 0 and tokens[i - 1].word == "на" and after == "ahead"


def numbered(tokens: Sequence[Token]) -> None:
    """Ambiguous where a stretch of time has no number: "the next year"."""
    for one, other in pairwise(tokens):
        if one.concept == "next" and other.concept in UNITS:
            said = f"{one.text} {other.text}"
            raise Ambiguous("horizon", (), f"{said!r}: say how many steps ahead, as a number")
