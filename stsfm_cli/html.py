"""A table as a notebook shows it. No colours of its own: it is read in light and dark themes."""

from __future__ import annotations

from html import escape

from stsfm.render import cells, sentences
from stsfm.table import Table

MARKS = {"best": "<b>{}</b>", "second": "<u>{}</u>"}


def page(table: Table, place: str) -> str:
    """The headline, the table, what it says in words, and where it lies."""
    header, body, marks = cells(table, brief=True)
    last = len(header) - 1
    head = "".join(_cell("th", j in (0, last), escape(cell)) for j, cell in enumerate(header))
    rows = [
        "".join(
            _cell("td", j in (0, last), MARKS.get(marks.get((i, j), ""), "{}").format(escape(cell)))
            for j, cell in enumerate(line)
        )
        for i, line in enumerate(body)
    ]
    lines = [*map(escape, sentences(table)), f"<code>{escape(place)}</code>"]
    return "\n".join(
        [
            f"<div><b>{escape(table.status['headline'])}</b></div>",
            "<table>",
            f"<thead><tr>{head}</tr></thead>",
            *(f"<tr>{row}</tr>" for row in rows),
            "</table>",
            *(f"<div>{line}</div>" for line in lines),
        ]
    )


def _cell(tag: str, words: bool, text: str) -> str:
    """Words begin at the left, numbers end at the right."""
    side = "left" if words else "right"
    return f'<{tag} style="text-align:{side}; font-variant-numeric:tabular-nums">{text}</{tag}>'
