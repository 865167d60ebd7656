"""A report as one HTML file: style, script and figures are inside, and nothing is ever fetched."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from itertools import count
from pathlib import Path
from string import Template

from stsfm.reports.content import (
    Block,
    Code,
    Definitions,
    Figure,
    Grid,
    Items,
    Mark,
    Paragraph,
    References,
    Report,
    Section,
    Words,
    slug,
)  # fmt: skip
from stsfm.reports.facts import Fact
from stsfm.tables.html import SCRIPT, headings
from stsfm.tables.sheet import Sheet

FAILED = ' class="failed"'
LONG = 40  # letters, of more of which a cell has lines
SMALL = 150_000  # bytes of an SVG that is embedded as it is; of others the PNG is
TONES = {
    "": ("p", "p"),
    "lead": ('p class="lead"', "p"),
    "warning": ('p class="note" role="note"', "p"),
    "heading": ("h3", "h3"),
    "asked": ("blockquote><p", "p></blockquote"),
    "source": ('p class="source"', "p"),
}
TAGS = {"strong": "strong", "name": "strong", "italic": "i", "code": "code"}


def html(report: Report) -> str:
    """The text of report.html."""
    page, style, copy = (_asset(name) for name in ("page.html", "report.css", "report.js"))
    script = f"{SCRIPT.strip()}\n\n{copy}"
    tables, figures = count(1), count(1)
    sections = [_section(section, tables, figures) for section in report.sections]
    links = [f'<li><a href="#{s.anchor}">{escape(s.title)}</a></li>' for s in report.sections]
    digest = hashlib.sha256(f"\n{script}\n".encode()).digest()
    return Template(page).substitute(
        title=escape(report.title), style=style, script=script,
        digest=f"sha256-{base64.b64encode(digest).decode()}",  # no other script may run
        head="\n".join(_head(report)),
        contents="\n".join(["<ol>", *links, "</ol>"]),
        main="\n".join(sections),
    )  # fmt: skip


def _asset(name: str) -> str:
    return files("stsfm.reports.rendering").joinpath(name).read_text(encoding="utf-8").strip()


def _head(report: Report) -> Iterator[str]:
    yield f"<h1>{escape(report.title)}</h1>"
    yield from (f"<p>{escape(line)}</p>" for line in report.about)
    yield f"<p>{escape(report.written)}</p>"
    if report.stamp:
        yield f'<p class="stamp" role="note">{escape(report.stamp)}</p>'


def _section(section: Section, tables: Iterator[int], figures: Iterator[int]) -> str:
    blocks = "\n".join(_block(block, tables, figures) for block in section.blocks)
    name = section.anchor
    title = f'<h2 id="{name}-title">{escape(section.title)}</h2>'
    return f'<section id="{name}" aria-labelledby="{name}-title">\n{title}\n{blocks}\n</section>'


def _block(block: Block, tables: Iterator[int], figures: Iterator[int]) -> str:
    match block:
        case Paragraph(words=words, tone=tone):
            start, end = TONES[tone]
            return f"<{start}>{inline(words)}</{end}>"
        case Items(items=items):
            return "\n".join(["<ul>", *(f"<li>{inline(words)}</li>" for words in items), "</ul>"])
        case Definitions(pairs=pairs):
            lines = [f"<dt>{escape(name)}</dt><dd>{inline(words)}</dd>" for name, words in pairs]
            return "\n".join(["<dl>", *lines, "</dl>"])
        case Grid():
            return _grid(block, next(tables))
        case Figure():
            return _figure(block, next(figures))
        case Code(text=text, language="text"):
            return f'<pre class="equation" tabindex="0">{escape(text.strip())}</pre>'
        case Code(text=text):
            return _code(text)
        case References():
            return _references(block)


def _grid(table: Grid, number: int) -> str:
    sheet = table.sheet
    first = len(sheet.body) - sheet.last
    rows = [
        f"<tr{FAILED if i >= first else ''}>"
        + "".join(_cell(table, i, k) for k in range(len(line)))
        + "</tr>"
        for i, line in enumerate(sheet.body)
    ]
    caption = f"<b>Table {number}.</b> {escape(sheet.caption)}"
    return "\n".join(
        [
            f'<div class="scroll" role="region" aria-label="Table {number}" tabindex="0">',
            f'<table class="stsfm">\n<caption><span>{caption}</span></caption>',
            f"{headings(sheet)}\n<tbody>",
            *rows,
            "</tbody>\n</table>\n</div>",
        ]
    )


def _style(column: int, sheet: Sheet, *more: str) -> str:
    names = [*(["words"] if column in sheet.words else []), *filter(None, more)]
    return f' class="{" ".join(names)}"' if names else ""


def _cell(table: Grid, i: int, k: int) -> str:
    cell = table.sheet.body[i][k]
    tag, scope = ("th", ' scope="row"') if k == table.name else ("td", "")
    place = f' id="{table.anchor}-{i}-{k}"' if table.anchor else ""
    value = "" if cell.number is None else f' data-value="{cell.number!r}"'
    long = "long" if len(cell.text) > LONG else ""
    style = _style(k, table.sheet, cell.mark, long)
    return f"<{tag}{scope}{style}{place}{value}>{escape(cell.text)}</{tag}>"


def _figure(figure: Figure, number: int) -> str:
    first = figure.caption.split(". ")[0]
    return (
        f'<figure>\n<div><img src="{_data(figure.path)}" alt="{escape(first)}"></div>\n'
        f"<figcaption><b>Figure {number}.</b> {escape(figure.caption)}</figcaption>\n</figure>"
    )


def _data(path: Path) -> str:
    """A figure as a data address: its SVG where that is small, else its PNG."""
    drawn = path.with_suffix(".svg")
    kind = "svg+xml" if drawn.is_file() and drawn.stat().st_size < SMALL else "png"
    content = (drawn if kind == "svg+xml" else path).read_bytes()
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _code(text: str) -> str:
    return f'<div class="code"><pre tabindex="0"><code>{escape(text.strip())}</code></pre></div>'


def _references(block: References) -> str:
    lines = [
        f'<li id="ref-{slug(entry.key)}">{inline(entry.words)}</li>' for entry in block.entries
    ]
    bibtex = _code("\n\n".join(entry.bibtex for entry in block.entries))
    return "\n".join(
        ["<ol>", *lines, "</ol>", f"<details><summary>BibTeX</summary>\n{bibtex}\n</details>"]
    )


def inline(words: Words) -> str:
    """Escaped; a number stays on the line of its % sign."""
    return "".join(map(_word, words))


def _word(word: str | Mark | Fact) -> str:
    if isinstance(word, Fact):
        return _fact(word)
    return _text(word) if isinstance(word, str) else _mark(word)


def _text(text: str) -> str:
    return escape(text).replace(" %", "&nbsp;%")


def _fact(fact: Fact) -> str:
    """Its text, which says where it stands in the record to who points at it."""
    text = _text(fact.text)
    if fact.how in TAGS:
        return f"<{TAGS[fact.how]}>{text}</{TAGS[fact.how]}>"
    if fact.target.startswith("#"):
        text = f'<a href="{escape(fact.target)}">{text}</a>'
    stands = f'title="{escape(fact.place)}" data-from="{escape(fact.source)}"'
    if isinstance(fact.value, int | float):
        return f'<data value="{fact.value!r}" {stands}>{text}</data>'
    return f"<span {stands}>{text}</span>"


def _mark(mark: Mark) -> str:
    if mark.kind != "link":
        return f"<{TAGS[mark.kind]}>{_text(mark.text)}</{TAGS[mark.kind]}>"
    if not mark.target.startswith(("#", "https://", "http://")):  # javascript: and its like
        return _text(mark.text)
    return f'<a href="{escape(mark.target)}">{_text(mark.text)}</a>'
