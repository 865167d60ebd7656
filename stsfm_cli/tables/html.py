"""A table or a grid as HTML that sorts by a click on a heading, with nothing from the network.

Numbers sort as numbers, what is missing after them, and failures stay last. The headings are
buttons, so that a keyboard sorts, too; `aria-sort` says how.
"""

from __future__ import annotations

from html import escape

from stsfm.tables.grid import Grid
from stsfm.tables.sheet import EXPLORATORY, Cell, Sheet
from stsfm.tables.sheets import sheets
from stsfm.tables.table import Table

MARKS = {"best": "<b>{}</b>", "second": "<u>{}</u>", "": "{}"}

STYLE = """
table.stsfm { border-collapse: collapse; font-variant-numeric: tabular-nums; }
table.stsfm caption { text-align: left; padding: .3em .5em; }
table.stsfm th, table.stsfm td { padding: .25em .6em; text-align: right; white-space: nowrap; }
table.stsfm .words { text-align: left; }
table.stsfm .over { text-align: center; border-bottom: 1px solid; }
table.stsfm thead tr:last-child th { border-bottom: 2px solid; }
table.stsfm tr.failed { opacity: .7; }
table.stsfm button { all: unset; cursor: pointer; font-weight: bold; }
table.stsfm button:focus-visible { outline: 2px solid; outline-offset: 2px; }
table.stsfm th[aria-sort="ascending"] button::after { content: " ▲"; }
table.stsfm th[aria-sort="descending"] button::after { content: " ▼"; }
.stsfm-wide { overflow-x: auto; }
"""

SCRIPT = """
document.querySelectorAll("table.stsfm thead button").forEach(button => {
  button.addEventListener("click", () => {
    const heading = button.closest("th"), table = button.closest("table");
    const k = [...heading.parentNode.children].indexOf(heading);
    const down = heading.getAttribute("aria-sort") === "ascending";
    table.querySelectorAll("th[aria-sort]").forEach(th => th.setAttribute("aria-sort", "none"));
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = table.tBodies[0];
    const group = row => row.classList.contains("failed") ? 2 : key(row) === "" ? 1 : 0;
    const key = row => {
      const cell = row.cells[k];
      if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
      return cell.classList.contains("words") ? cell.textContent : "";
    };
    const order = (a, b) => a < b ? -1 : a > b ? 1 : 0;
    [...body.rows]
      .map((row, at) => ({row, at, group: group(row), key: key(row)}))
      .sort((a, b) => a.group - b.group
        || (a.group ? 0 : down ? order(b.key, a.key) : order(a.key, b.key))
        || a.at - b.at)
      .forEach(one => body.append(one.row));
  });
});
"""


def html_table(shown: Table | Grid | Sheet) -> str:
    """A <table class="stsfm"> for every sheet; a page that holds some needs STYLE and SCRIPT once.

    SCRIPT belongs at the end of the body.
    """
    return "\n".join(f'<div class="stsfm-wide">{_table(sheet)}</div>' for sheet in sheets(shown))


def html_page(shown: Table | Grid | Sheet) -> str:
    """A page of its own: the tables, and what they say."""
    held = sheets(shown)
    notes = "\n".join(f"<p>{escape(note)}</p>" for sheet in held for note in sheet.notes)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(held[0].title)}</title>",
            "<style>:root { color-scheme: light dark; } "
            f"body {{ font-family: sans-serif; margin: 2em; }}{STYLE}</style></head><body>",
            html_table(shown),
            notes,
            f"<script>{SCRIPT}</script>",
            "</body></html>",
            "",
        ]
    )


def _table(sheet: Sheet) -> str:
    stamp = f" <b>{escape(EXPLORATORY)}</b>" if sheet.exploratory else ""
    first = len(sheet.body) - sheet.last
    rows = (
        ('<tr class="failed">' if i >= first else "<tr>")
        + "".join(_cell(cell, k, sheet) for k, cell in enumerate(line))
        + "</tr>"
        for i, line in enumerate(sheet.body)
    )
    return "\n".join(
        [
            f'<table class="stsfm"><caption>{escape(sheet.caption)}{stamp}</caption>',
            headings(sheet),
            "<tbody>",
            *rows,
            "</tbody></table>",
        ]
    )


def headings(sheet: Sheet) -> str:
    """The <thead> of a sheet: those over several columns, then a button for each column."""
    above = ["".join(_over(*heading) for heading in level) for level in sheet.spans]
    last = "".join(
        f'<th scope="col" aria-sort="none"{_side(k, sheet)}>'
        f'<button type="button">{escape(text)}</button></th>'
        for k, text in enumerate(sheet.heads[-1])
    )
    return f"<thead>{''.join(f'<tr>{level}</tr>' for level in (*above, last))}</thead>"


def _over(text: str, width: int) -> str:
    if not text:
        return "<td></td>" * width
    return f'<th class="over" colspan="{width}" scope="colgroup">{escape(text)}</th>'


def _cell(cell: Cell, k: int, sheet: Sheet) -> str:
    value = "" if cell.number is None else f' data-value="{cell.number!r}"'
    return f"<td{_side(k, sheet)}{value}>{MARKS[cell.mark].format(escape(cell.text))}</td>"


def _side(k: int, sheet: Sheet) -> str:
    return ' class="words"' if k in sheet.words else ""


def as_html(shown: Table | Grid, place: str) -> str:
    """What a notebook shows: the headline, the table, what it says in words, and where it lies.

    It has no colours and no script of its own: it is read in light and dark themes.
    """
    parts = []
    for sheet in sheets(shown, brief=True):
        side = [("left" if k in sheet.words else "right") for k in range(len(sheet.heads[-1]))]
        heads = [
            "".join(map(_plain, ["th"] * len(side), side, map(escape, level)))
            for level in sheet.heads
        ]
        body = [
            [MARKS[cell.mark].format(escape(cell.text)) for cell in line] for line in sheet.body
        ]
        rows = ["".join(map(_plain, ["td"] * len(side), side, line)) for line in body]
        parts += [
            f"<div><b>{escape(sheet.title)}</b></div>",
            "<table>",
            f"<thead>{''.join(f'<tr>{head}</tr>' for head in heads)}</thead>",
            *(f"<tr>{row}</tr>" for row in rows),
            "</table>",
            *(f"<div>{escape(note)}</div>" for note in sheet.notes),
        ]
    return "\n".join([*parts, f"<div><code>{escape(place)}</code></div>"])


def _plain(tag: str, side: str, text: str) -> str:
    """Words begin at the left, numbers end at the right."""
    return f'<{tag} style="text-align:{side}; font-variant-numeric:tabular-nums">{text}</{tag}>'
