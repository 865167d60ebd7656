"""Numbers in words: "twenty-four", "a hundred and twenty", «сто двадцать пять», "two dozen".

units after tens after hundreds add up; a hundred, a thousand, a dozen multiply what stands before
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

MANY = (12, 100, 1000)  # what may be counted itself
TENS = range(20, 100, 10)


def numeral(words: Sequence[str], known: Mapping[str, float]) -> tuple[float, int]:
    """The number that a list of words begins with, and of how many words it is made; (0, 0): none.

    known   word → number, of single words
    """
    total, n, last = 0.0, 0, 0.0
    for k, word in enumerate(words):
        if word == "and" and last >= MANY[1] and known.get("".join(words[k + 1 : k + 2]), 0) > 0:
            continue
        number = known.get(word, 0.0)
        if not number or (n and not _goes_on(last, number)):
            break
        total = total * number if n and number in MANY and number > last else total + number
        last, n = number, k + 1
    return total, n


def _goes_on(last: float, number: float) -> bool:
    """May a number word stand after another?"""
    if number != int(number) or last != int(last):
        return False
    if number in MANY and last < number:
        return True
    return (last in TENS and number < 10) or (last % 100 == 0 and number < last and number < 100)
