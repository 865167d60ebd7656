r"""A report as a section of a paper: \input{report} in it, and \bibliography{report} after it.

In the preamble: \usepackage{booktabs,graphicx,hyperref}. Every letter that means something to
LaTeX is escaped; letters outside Latin scripts are written as mathematics, so that pdflatex takes
them. Figures are those of the page, named from the folder of the file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

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
    Words,
    slug,
)
from stsfm.reports.facts import Fact
from stsfm.tables.latex import escaped, tabular
from stsfm.tables.sheet import Sheet

WIDE = 8  # columns, of more of which a table is set to the width of the text
KINDS = {"strong": r"\textbf{{{}}}", "name": r"\textbf{{{}}}", "italic": r"\emph{{{}}}",
         "code": r"\texttt{{{}}}"}  # fmt: skip
TONES = {"": "{}", "lead": "{}", "warning": r"\emph{{Note.}} {}", "heading": r"\paragraph{{{}}}",
         "asked": "\\begin{{quote}}\n{}\n\\end{{quote}}",
         "source": "\\begin{{quote}}\n{}\n\\end{{quote}}"}  # fmt: skip
SIZED = r"\includegraphics[width=\linewidth,height=0.8\textheight,keepaspectratio]"


def latex(report: Report, folder: Path) -> str:
    """The text of report.tex in `folder`, which figures are named from."""
    name = slug(report.title)
    lines = [r"% \usepackage{booktabs,graphicx,hyperref}",
             rf"\section{{{escaped(report.title)}}}", rf"\label{{sec:{name}}}"]  # fmt: skip
    lines += [*(f"{escaped(line)}\\par" for line in (*report.about, report.written))]
    lines += [rf"\textbf{{{escaped(report.stamp)}}}"] if report.stamp else []
    for section in report.sections:
        lines += ["", rf"\subsection{{{escaped(section.title)}}}"]
        for block in section.blocks:
            lines += ["", *_block(block, folder)]
    return "\n".join(lines) + "\n"


def bibliography(report: Report) -> str:
    """The text of report.bib: what is cited, and nothing else."""
    blocks = (block for section in report.sections for block in section.blocks)
    found = (entry for block in blocks if isinstance(block, References) for entry in block.entries)
    return "\n\n".join(entry.bibtex for entry in found) + "\n"


def _block(block: Block, folder: Path) -> Iterator[str]:
    match block:
        case Paragraph(words=words, tone=tone):
            yield TONES[tone].format(inline(words))
        case Items(items=items):
            yield r"\begin{itemize}"
            yield from (rf"\item {inline(words)}" for words in items)
            yield r"\end{itemize}"
        case Definitions(pairs=pairs):
            yield r"\begin{description}"
            yield from (rf"\item[{escaped(name)}] {inline(words)}" for name, words in pairs)
            yield r"\end{description}"
        case Grid():
            yield from _grid(block.sheet)
        case Figure(path=path, caption=caption):
            place = Path(os.path.relpath(path, folder)).as_posix()
            yield from (r"\begin{figure}[htbp]", r"\centering",
                        rf"{SIZED}{{\detokenize{{{place}}}}}",
                        rf"\caption{{{escaped(caption)}}}", r"\end{figure}")  # fmt: skip
        case Code(text=text):
            yield from _code(text)
        case References(entries=entries):
            keys = ", ".join(rf"\cite{{{entry.key}}}" for entry in entries)
            yield rf"Models, metrics and tests are those of {keys}."


def _grid(sheet: Sheet) -> Iterator[str]:
    """A table by booktabs; a wide one at the width of the text."""
    wide = len(sheet.heads[-1]) > WIDE
    yield from (r"\begin{table}[htbp]", r"\centering", r"\small",
                rf"\caption{{{escaped(sheet.caption)}}}")  # fmt: skip
    yield from [r"\resizebox{\textwidth}{!}{%"] * wide
    yield from tabular(sheet)
    yield from ["}"] * wide
    yield r"\end{table}"


def _code(text: str) -> Iterator[str]:
    r"""Lines of type; not verbatim, which takes no letters but those of the font."""
    yield r"\begin{quote}\ttfamily\small\raggedright"
    lines = text.strip("\n").splitlines()
    yield "\\\\\n".join(_typed(line) for line in lines)
    yield r"\end{quote}"


def _typed(line: str) -> str:
    """Blanks at the beginning of a line, and beside each other, stay; an empty line has a strut."""
    return escaped(line).replace("  ", r"\ \ ").replace("\\ \\  ", "\\ \\ \\ ") or r"\strut"


def inline(words: Words) -> str:
    return "".join(map(_word, words))


def _word(word: str | Mark | Fact) -> str:
    if isinstance(word, str):
        return escaped(word)
    kind = word.how if isinstance(word, Fact) else word.kind
    if isinstance(word, Mark) and word.kind == "link" and word.target.startswith("http"):
        return rf"\url{{{word.target}}}"
    return KINDS.get(kind, "{}").format(escaped(word.text))
