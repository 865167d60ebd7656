"""Delimited text as a table: which delimiter, whether there is a header, rows of unequal length.

Cells stay as they were written; only a column of plain numbers comes as numbers.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from stsfm.datasets.about import Finding

if TYPE_CHECKING:
    from pandas import DataFrame

WIDEST = 20_000  # columns
DELIMITERS = ",;\t|"
NONE = "\x1f"  # of a single column: a comma in it belongs to a number
GLANCE = 50  # rows that delimiter and header are judged by


def parse(text: str, path: str, header: bool | Literal["auto"]) -> tuple[DataFrame, list[Finding]]:
    """The table that a text holds, and what was odd about it. Raises ValueError when none."""
    import pandas as pd

    longest = max(text.split("\n", GLANCE)[:GLANCE], key=len)
    few(max(map(longest.count, DELIMITERS)) + 1, path)  # noticed before anything is parsed
    delimiter = _delimiter(text)
    try:
        widths = [len(row) for row in csv.reader(io.StringIO(text), delimiter=delimiter)]
        top = [row for row, _ in zip(_rows(text, delimiter), range(GLANCE), strict=False)]
    except csv.Error as error:
        raise ValueError(f"{path} is no table: {error}; is a quote left open?") from None
    full = len(top[0])
    if max(widths) > full:
        text = _trimmed(text, delimiter, full, path)
    named = _has_header(top) if header == "auto" else header
    names, findings = unique(top[0] if named else [f"column {i + 1}" for i in range(full)])
    if not named:
        findings.append(Finding("no header", "first row", 1, "columns are called column 1, 2, …"))
    if len(widths) - widths.count(0) == int(named):
        raise ValueError(f"{path} has a header and no rows below it")
    try:
        frame = pd.read_csv(
            io.StringIO(text), sep=delimiter, header=0 if named else None, names=names,
            index_col=False, keep_default_na=False, na_values=[""], low_memory=False,
        )  # fmt: skip
    except (ValueError, OverflowError) as error:
        reason = str(error).replace("Error tokenizing data. C error: ", "").strip()
        raise ValueError(f"{path} is no table: {reason}") from None
    short, done = sum(0 < width < full for width in widths), "what lacks is masked"
    findings += [Finding("short rows", f"of fewer than {full} fields", short, done)]
    findings += [Finding("blank lines", "file", widths.count(0), "left out")]
    return frame, [finding for finding in findings if finding.count]


def few(columns: int, path: str) -> None:
    """ValueError where there are more columns than could be nodes."""
    if columns > WIDEST:
        raise ValueError(
            f"{path} has {columns:,} columns, more than {WIDEST:,}: if each is an instant, swap "
            "rows and columns; else keep those that matter, or write rows of time, node, value"
        )


def unique(names: list[str]) -> tuple[list[str], list[Finding]]:
    """The names without superfluous blanks; a second 'a' is called 'a (2)', '' is left alone."""
    tidy = [" ".join(name.replace("\ufeff", "").split()) for name in names]
    found: dict[str, None] = {}
    taken = set(tidy)
    for name in tidy:
        count, new = 2, name or f"unnamed {len(found) + 1}"
        while new in found or (new != name and new in taken):
            new, count = f"{name or 'unnamed'} ({count})", count + 1
        found[new] = None
    twice = [name for name, count in Counter(tidy).items() if count > 1 and name]
    done = "the later ones are called 'name (2)', …"
    return [*found], [Finding("duplicate names", shown(twice), len(twice), done)] if twice else []


def shown(names: list[str], most: int = 3) -> str:
    """The first few of many."""
    return ", ".join(names[:most]) + (f", … ({len(names)})" if len(names) > most else "")


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    return (row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row)


def _delimiter(text: str) -> str:
    """The character that cuts most rows into as many fields as the first."""
    lines = [line for line in text.split("\n", GLANCE)[:GLANCE] if line.strip()]

    def score(delimiter: str) -> tuple[float, int]:
        try:
            counts = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            return 0, 0
        if not counts or counts[0] == 1:
            return 0, 0
        return sum(count == counts[0] for count in counts) / len(counts), counts[0]

    best = max(DELIMITERS, key=score)
    return best if score(best)[0] else NONE


def _has_header(top: list[list[str]]) -> bool:
    """Is the first row names? Numbers are, if they count the columns or are ids.

    Ids are distinct whole numbers, each outside of what its column holds below.
    """
    if re.match(r"\d{1,4}[-/.]\d{1,2}[-/.]\d", top[0][0]) and len(top[0]) > 1:
        return any(cell.strip() and _number(cell) is None for cell in top[0][1:])
    first, below = [_number(cell) for cell in top[0]], top[1:]
    filled = [x for x in first if x is not None]
    if len(filled) < len([cell for cell in top[0] if cell.strip()]) or not filled:
        return True
    if filled in (list(range(len(filled))), list(range(1, len(filled) + 1))) and len(filled) > 1:
        return True
    if len(set(filled)) < len(filled) or any(x != int(x) for x in filled) or not below:
        return False
    for i, x in enumerate(first):
        column = [y for row in below if i < len(row) and (y := _number(row[i])) is not None]
        if x is not None and column and min(column) <= x <= max(column):
            return False
    return len(filled) > 1


def _number(cell: str) -> float | None:
    try:
        x = float(cell)
    except ValueError:
        return None
    return x if abs(x) < float("inf") else None


def _trimmed(text: str, delimiter: str, full: int, path: str) -> str:
    """Without the cells beyond the first row's, which must be empty."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    for i, row in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter)):
        if any(cell.strip() for cell in row[full:]):
            raise ValueError(
                f"{path} row {i + 1} has {len(row)} fields, the first has {full}: "
                "is there a comma in a number, or a name without quotes?"
            )
        writer.writerow(row[:full])
    return out.getvalue()
