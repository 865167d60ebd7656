"""What a report is made of, before it is Markdown or HTML: sections of a few kinds of blocks.

Words are plain text or marks in it; whoever renders them escapes them. Nothing here is markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from stsfm.reports.facts import Fact
from stsfm.tables.sheet import Cell, Sheet

Kind: TypeAlias = Literal["strong", "italic", "code", "link"]


@dataclass(frozen=True)
class Mark:
    """Words that stand out, or lead to a place: an address, or "#anchor" in the same page."""

    text: str
    kind: Kind
    target: str = ""


Words: TypeAlias = Sequence[str | Mark | Fact]


@dataclass(frozen=True)
class Paragraph:
    words: Words
    tone: Literal["", "lead", "warning", "heading", "asked", "source"] = ""
    #   asked: the question, in the words of who asked; source: in the words of the code


@dataclass(frozen=True)
class Items:
    items: Sequence[Words]


@dataclass(frozen=True)
class Definitions:
    """Names, and what is true of each."""

    pairs: Sequence[tuple[str, Words]]


@dataclass(frozen=True)
class Grid:
    """A table with a caption; sentences lead to its cells by "#anchor-row-column".

    `name` is the column that says what a row is about.
    """

    sheet: Sheet
    anchor: str = ""
    name: int = 0


@dataclass(frozen=True)
class Figure:
    """A PNG, with an SVG of the same name beside it or not."""

    path: Path
    caption: str


@dataclass(frozen=True)
class Code:
    """Text to copy as it is."""

    text: str
    language: str = "sh"


@dataclass(frozen=True)
class Reference:
    key: str
    words: Words
    bibtex: str


@dataclass(frozen=True)
class References:
    entries: Sequence[Reference]


Block: TypeAlias = Paragraph | Items | Definitions | Grid | Figure | Code | References


@dataclass(frozen=True)
class Section:
    title: str
    blocks: Sequence[Block]

    @property
    def anchor(self) -> str:
        return slug(self.title)


@dataclass(frozen=True)
class Report:
    """`title` is the question; `stamp` is read before anything else, where it is not empty."""

    title: str
    about: Sequence[str]  # a line per task
    written: str
    sections: Sequence[Section]
    stamp: str = ""


def slug(text: str) -> str:
    """A name for an anchor."""
    return re.sub(r"\W+", "-", text.lower()).strip("-")


def grid(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], *words: str) -> Grid:
    """A table of plain cells; the columns named in `words` and the first begin at the left."""
    left = frozenset(k for k, name in enumerate(head) if not k or name in words)
    body = tuple(tuple(_cell(text, k in left) for k, text in enumerate(row)) for row in rows)
    return Grid(Sheet(title="", heads=(tuple(head),), body=body, words=left, caption=caption))


def _cell(text: str, words: bool) -> Cell:
    found = None if words else re.match(r"-?[\d.]+", text.replace("−", "-").replace(",", ""))
    return Cell(text=text, number=float(found[0]) if found else None)


def plain(words: Words) -> str:
    return "".join(word if isinstance(word, str) else word.text for word in words)
