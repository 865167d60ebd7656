"""A table, a grid or a sheet as text and Markdown; the other formats are found here, too."""

from __future__ import annotations

from stsfm.tables.grid import Grid
from stsfm.tables.html import SCRIPT, STYLE, as_html, html_page, html_table
from stsfm.tables.latex import as_latex
from stsfm.tables.sheet import Sheet
from stsfm.tables.sheets import sheets
from stsfm.tables.table import Table
from stsfm.tables.values import as_csv
from stsfm.words import aligned

__all__ = [
    "FORMATS", "SCRIPT", "STYLE", "as_csv", "as_html", "as_latex", "as_markdown", "as_text",
    "html_page", "html_table",
]  # fmt: skip
MARKDOWN = {"best": "**{}**", "second": "<u>{}</u>", "": "{}"}


def as_text(shown: Table | Grid | Sheet) -> list[str]:
    """Aligned lines for a terminal, the headings first; a title above all but a table."""
    lines: list[str] = []
    for sheet in sheets(shown, brief=True):
        heads = [_once(level) for level in sheet.heads[:-1]] + [sheet.heads[-1]]
        body = [[cell.text for cell in line] for line in sheet.body]
        numbers = set(range(len(sheet.heads[-1]))) - sheet.words
        lines += [] if isinstance(shown, Table) else [sheet.title]
        lines += aligned([*heads, *body], right=numbers)
    return lines


def _once(level: tuple[str, ...]) -> list[str]:
    """A heading over several columns is said over the first."""
    return ["" if k and text == level[k - 1] else text for k, text in enumerate(level)]


def as_markdown(shown: Table | Grid | Sheet) -> str:
    return "\n".join(map(_markdown, sheets(shown)))


def _markdown(sheet: Sheet) -> str:
    """One row of headings: those above others are said in every column."""
    paths = zip(*sheet.heads, strict=True)
    head = [" · ".join(part for part in path if part) for path in paths]
    align = [":--" if k in sheet.words else "--:" for k in range(len(head))]
    lines = [[MARKDOWN[c.mark].format(c.text) for c in line] for line in sheet.body]
    rows = [f"| {' | '.join(_bars(line))} |" for line in (head, align, *lines)]
    return "\n".join([sheet.caption, "", *rows, "", *sheet.notes, ""])


def _bars(line: list[str]) -> list[str]:
    return [cell.replace("|", r"\|") for cell in line]


FORMATS = {"md": as_markdown, "tex": as_latex, "csv": as_csv, "html": html_page}
