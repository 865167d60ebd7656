"""A report as Markdown that GitHub, GitLab and pandoc read alike."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from stsfm.reports.content import (
    Block,
    Code,
    Definitions,
    Figure,
    Grid,
    Items,
    Kind,
    Mark,
    Paragraph,
    References,
    Report,
    Words,
)  # fmt: skip
from stsfm.reports.facts import Fact
from stsfm.tables.sheet import Sheet

KINDS: dict[str, Kind] = {"name": "strong", "code": "code"}  # readings of facts
TONES = {"warning": "> **Note.** ", "heading": "### ", "asked": "> ", "source": "> "}
MARKS = {"best": "**{}**", "second": "<u>{}</u>", "": "{}"}


def markdown(report: Report, folder: Path) -> str:
    """The text of report.md in `folder`, which figures are named from."""
    tables, figures = count(1), count(1)
    parts = [f"# {text(report.title)}", "  \n".join(map(text, [*report.about, report.written]))]
    parts += [f"> **{text(report.stamp)}**"] if report.stamp else []
    for section in report.sections:
        parts.append(f"## {text(section.title)}")
        for block in section.blocks:
            parts += _block(block, folder, tables, figures)
    return "\n\n".join(parts) + "\n"


def _block(
    block: Block, folder: Path, tables: Iterator[int], figures: Iterator[int]
) -> Iterator[str]:
    match block:
        case Paragraph(words=words, tone=tone):
            before = {
                "warning": "> **Note.** ",
                "heading": "### ",
                "asked": "> ",
                "source": "> ",
            }.get(tone, "")
            yield before + _start(inline(words))
        case Items(items=items):
            yield "\n".join(f"- {inline(words)}" for words in items)
        case Definitions(pairs=pairs):
            yield "\n".join(f"- **{text(name)}**: {inline(words)}" for name, words in pairs)
        case Grid():
            yield f"**Table {next(tables)}.** {text(block.sheet.caption)}"
            yield _grid(block.sheet)
        case Figure(path=path, caption=caption):
            place = os.path.relpath(path, folder).replace(" ", "%20")
            number = next(figures)
            yield f"![Figure {number}](<{place}>)"
            yield f"**Figure {number}.** {text(caption)}"
        case Code(text=words, language=language):
            yield _fenced(words, language)
        case References(entries=entries):
            yield "\n".join(
                f"{k}. {inline(entry.words).rstrip()}" for k, entry in enumerate(entries, 1)
            )
            yield _fenced("\n\n".join(entry.bibtex for entry in entries), "bibtex")


def _grid(sheet: Sheet) -> str:
    """One row of headings: those above others are said in every column."""
    head = [text(" · ".join(filter(None, path))) for path in zip(*sheet.heads, strict=True)]
    align = [":--" if k in sheet.words else "--:" for k in range(len(head))]
    body = [[MARKS[cell.mark].format(text(cell.text)) for cell in row] for row in sheet.body]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, align, *body))


def _fenced(words: str, language: str) -> str:
    """A block of code, whatever backticks are in it."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", words)), default=0))
    return f"{fence}{language}\n{words.strip()}\n{fence}"


def inline(words: Words) -> str:
    return "".join(map(_word, words))


def _word(word: str | Mark | Fact) -> str:
    """Where a number stands is for those who read the page; here it is a number."""
    if isinstance(word, Fact):
        kind: Kind | None = KINDS.get(word.how)
        return _mark(Mark(word.text, kind)) if kind else text(word.text)
    return text(word) if isinstance(word, str) else _mark(word)


def _mark(mark: Mark) -> str:
    if mark.kind == "code":
        fence = "`" * (1 + max((len(run) for run in re.findall("`+", mark.text)), default=0))
        pad = " " if mark.text[:1] == "`" or mark.text[-1:] == "`" else ""
        return f"{fence}{pad}{_line(mark.text)}{pad}{fence}".replace("|", "\\|")
    if mark.kind == "link":
        outside = mark.target.startswith(("http://", "https://"))
        target = re.sub(r"[<>\s]", "", mark.target)
        return f"[{text(mark.text)}](<{target}>)" if outside else text(mark.text)
    return {"strong": "**{}**", "italic": "*{}*"}[mark.kind].format(text(mark.text))


def text(words: str) -> str:
    """Words that mean nothing to Markdown or HTML."""
    words = re.sub(r"([\\`*\[\]|~])", r"\\\1", _line(words))
    words = re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", words)
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _start(words: str) -> str:
    """A paragraph that begins as a list or a heading would is none."""
    return re.sub(r"^(\d*)([#+.)-])", r"\1\\\2", words)


def _line(words: str) -> str:
    return " ".join(words.split()) if "\n" in words or "\r" in words else words
