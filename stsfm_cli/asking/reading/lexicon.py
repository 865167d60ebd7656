"""The dictionary: words, English or Russian, and the concepts that they stand for.

A word is found as it is written, else by the longest stem that it begins with, else by the nearest
stem: one slip of the keys in five letters, two in nine (Damerau 1964, counted as by Ukkonen 1985
against the beginnings of the word).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

FORGIVEN = (5, 9)  # letters from which one slip, two slips are forgiven


class Stems:
    """Patterns, each for a concept; `chang*` may go on."""

    def __init__(self, of: Mapping[str, Iterable[str]]) -> None:
        self._whole: dict[str, str] = {}
        begun: dict[str, str] = {}
        for concept, patterns in of.items():
            for pattern in patterns:
                table = begun if pattern.endswith("*") else self._whole
                table.setdefault(pattern.rstrip("*"), concept)
        self._begun = dict(sorted(begun.items(), key=lambda item: -len(item[0])))

    def of(self, word: str) -> str:
        """The concept of a word; "" where it has none."""
        if word in self._whole:
            return self._whole[word]
        return next((c for stem, c in self._begun.items() if word.startswith(stem)), "")

    @cache  # noqa: B019  of one dictionary
    def near(self, word: str) -> tuple[str, int]:
        """The concept that a misspelt word is nearest to, and the slips; "" where none is near.
        Nobody is taken to have meant a word that is forbidden."""
        best = (9, 0, "")
        for table, begins in ((self._whole, False), (self._begun, True)):
            for stem, concept in table.items():
                if stem[0] == word[0] and (begins or abs(len(stem) - len(word)) <= 2):
                    far = slips(stem, word, begins=begins)
                    swapped = not begins and far == 1 and sorted(stem) == sorted(word)
                    if concept != "forbidden" and far <= max(forgiven(len(stem)), swapped):
                        best = min(best, (far, -len(stem), concept))
        return (best[2], best[0]) if best[2] else ("", 0)


@dataclass(frozen=True)
class Lexicon:
    """What lexicon.yaml holds, ready to be asked."""

    raw: Mapping[str, Any]

    @cached_property
    def concepts(self) -> Stems:
        return Stems({concept: words.split() for concept, words in self.raw["concepts"].items()})

    @cached_property
    def fillers(self) -> frozenset[str]:
        return frozenset(self.raw["fillers"].split())

    @cached_property
    def numbers(self) -> Mapping[str, float]:
        return {w: float(n) for n, words in self.raw["numbers"].items() for w in words.split()}

    @property
    def cues(self) -> Mapping[str, Mapping[str, float]]:
        cues: Mapping[str, Mapping[str, float]] = self.raw["cues"]
        return cues

    @cached_property
    def idioms(self) -> Mapping[int, list[tuple[tuple[str, ...], str]]]:
        """Number of words, the most first → patterns of words that follow each other, concept."""
        found: dict[int, list[tuple[tuple[str, ...], str]]] = {}
        for concept, idioms in self.raw["idioms"].items():
            for idiom in idioms.split("|"):
                words = tuple(idiom.split())
                found.setdefault(len(words), []).append((words, concept))
        return dict(sorted(found.items(), reverse=True))

    @cached_property
    def phrases(self) -> Mapping[int, list[tuple[tuple[str, ...], str, str]]]:
        """Number of words → patterns of words that follow each other, section, what they mean."""
        found: dict[int, list[tuple[tuple[str, ...], str, str]]] = {}
        for section in ("names", "classes", "metrics"):
            for meaning, phrases in self.raw[section].items():
                for phrase in phrases.split("|"):
                    words = tuple(phrase.split())
                    found.setdefault(len(words), []).append((words, section, str(meaning)))
        return found


@cache
def lexicon() -> Lexicon:
    return Lexicon(yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text()))


def fits(pattern: str, word: str) -> bool:
    stem = pattern.rstrip("*")
    return word.startswith(stem) if stem != pattern else word == pattern


def forgiven(letters: int) -> int:
    """How many slips a word of so many letters is forgiven."""
    return sum(letters >= least for least in FORGIVEN)


def slips(wanted: str, word: str, *, begins: bool = False) -> int:
    """Letters put in, left out, taken for another or swapped with their neighbour.

    begins   of the beginning of `word` that is nearest to `wanted`
    """
    before: Sequence[int] = []
    row = list(range(len(word) + 1))
    for i, letter in enumerate(wanted, 1):
        previous, before, row = before, row, [i]
        for j, other in enumerate(word, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == word[j - 2] and wanted[i - 2] == other:
                cost = min(cost, previous[j - 2] + 1)
            row.append(cost)
    return min(row) if begins else row[-1]
