"""Numbers of a text as placeholders: code fills them in from records, and keeps where they stood.

    say("{model} has a test MASE of {test.mase}.", facts) → words

A template holds no numeral. Every number in it is a fact: the value at a place in a file of a
record (a JSON pointer, RFC 6901), in one of the readings below. So whoever puts a sentence in
other words, a language model included, can't touch its numbers.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any, TypeAlias

from stsfm.mistakes import did_you_mean
from stsfm.words import lasting, number, p_value

REPORT = "report.json"  # what a report has worked out of several records
MINUS = "−"
FIGURES = 3  # of a number whose decimals are not given


@dataclass(frozen=True)
class Fact:
    """A value of a record, and how it is read.

    source    file and place in it, from the folder of the page: scores.json#/test/mase/pooled
    how       a key of READINGS
    decimals  of a number; None = three figures
    target    "#anchor" of the cell of a table in which it stands, too
    """

    value: Any
    source: str
    how: str = "number"
    decimals: int | None = None
    target: str = ""

    @property
    def text(self) -> str:
        return READINGS[self.how](self.value, self.decimals)

    @property
    def place(self) -> str:
        """Where it stands, in words: scores.json → test · mase · pooled."""
        file, _, pointer = self.source.partition("#")
        return f"{file} → {' · '.join(_steps(pointer))}" if pointer else file


Said: TypeAlias = list[str | Fact]


class Facts(Mapping[str, Fact]):
    """What may be said of a page, by key. Files are named from the folder of the page."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, Fact] = {}
        self._read = cache(self._load)

    def __getitem__(self, key: str) -> Fact:
        return self._known[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def take(
        self, key: str, source: str, how: str = "number", decimals: int | None = None
    ) -> Fact | None:
        """Know what stands at a place; None, and nothing is known, where nothing stands there."""
        value = at(self._read(source.partition("#")[0]), source.partition("#")[2])
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            return None
        self._known[key] = Fact(value, source, how, decimals)
        return self._known[key]

    def knows(self, *keys: str) -> bool:
        return self._known.keys() >= set(keys)

    def _load(self, file: str) -> Any:
        try:
            return json.loads((self.folder / file).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None


@dataclass(frozen=True)
class Part:
    """A part of report.json while that is made: what was worked out of several records."""

    content: Any
    steps: tuple[str | int, ...]

    def fact(self, how: str, *steps: str | int, decimals: int | None = None) -> Fact:
        value = at(self.content, pointer(*steps)[1:])
        return Fact(value, f"{REPORT}{pointer(*self.steps, *steps)}", how, decimals)


def say(template: str, facts: Mapping[str, Fact]) -> Said:
    """The words of a template, its placeholders filled.

    ValueError where it has a numeral of its own, asks for what is no fact, or formats it.
    """
    words: Said = []
    for text, key in _parts(template):
        words += [text] if text else []
        if key is not None:
            if key not in facts:
                raise ValueError(
                    f"no fact {key!r} for {template!r}.{did_you_mean(key, tuple(facts))}"
                )
            words.append(facts[key])
    return words


def keys_of(template: str) -> tuple[str, ...]:
    """What a template asks for, in the order of its words; ValueError as say has it."""
    return tuple(key for _, key in _parts(template) if key is not None)


def _parts(template: str) -> Iterator[tuple[str, str | None]]:
    for text, key, form, conversion in Formatter().parse(template):
        if any(letter.isnumeric() for letter in text):
            raise ValueError(f"a template has no numerals, got {text.strip()!r} in {template!r}")
        if form or conversion:
            raise ValueError(f"a placeholder is a key alone, got {{{key}…}} in {template!r}")
        yield text, key


def resolve(folder: Path, source: str) -> Any:
    """What stands at a source, read anew; None where nothing does."""
    file, _, pointer = source.partition("#")
    return at(json.loads((folder / file).read_text(encoding="utf-8")), pointer)


def at(content: Any, pointer: str) -> Any:
    """What a JSON pointer leads to; None where that is nothing."""
    for step in _steps(pointer):
        if isinstance(content, dict):
            content = content.get(step)
        elif isinstance(content, list) and step.lstrip("-").isdigit():
            content = content[int(step)] if -len(content) <= int(step) < len(content) else None
        else:
            return None
    return content


def pointer(*steps: str | int) -> str:
    """#/test/mase/pooled"""
    return "#" + "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


def beside(folder: Path, path: Path) -> str:
    """A file as the facts of a page name it, from the folder of the page."""
    return Path(os.path.relpath(path, folder)).as_posix()


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def figures(value: float, decimals: int | None) -> str:
    """With a true minus; to three figures where no decimals are given: 0.561, 15.0, 1,520."""
    if isinstance(value, int) or decimals == 0:
        return f"{round(value):,}".replace("-", MINUS)
    if decimals is None:
        size = abs(value) or 1.0
        if not 1e-4 <= size < 1e7:
            return f"{value:.{FIGURES}g}".replace("-", MINUS)
        decimals = max(0, FIGURES - 1 - math.floor(math.log10(size)))
    return f"{value:z,.{decimals}f}".replace("-", MINUS)


def _counted(value: Any, decimals: int | None) -> str:
    return f"{len(value):,}"


def _tabled(p: float, decimals: int | None) -> str:
    """Of KPSS, whose table ends at 0.01 and at 0.1."""
    return "p ≤ 0.01" if p <= 0.01 else "p ≥ 0.1" if p >= 0.1 else p_value(p)


READINGS: Mapping[str, Callable[[Any, int | None], str]] = {
    "number": figures,
    "cell": lambda value, decimals: number(value, decimals or 0),  # of a table
    "percent": lambda value, decimals: f"{figures(100 * value, decimals)} %",
    "seconds": lambda value, decimals: lasting(value),
    "p": lambda value, decimals: p_value(value),
    "p of KPSS": _tabled,
    "count": _counted,  # how many there are in a list
    "words": lambda value, decimals: str(value),  # as they stand: a date, a sentence
    "list": lambda value, decimals: ", ".join(map(str, value)),
    "name": lambda value, decimals: str(value),  # that stands out
    "code": lambda value, decimals: str(value),
}
