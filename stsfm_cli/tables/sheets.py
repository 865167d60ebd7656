"""What there is to print of a table or a grid: its sheets."""

from __future__ import annotations

from typing import Any

from stsfm.tables.cells import METRIC, SPARE, cells, failed, headings
from stsfm.tables.grid import Grid
from stsfm.tables.pivot import Entry, Key, Pivot, pivot
from stsfm.tables.row import Value
from stsfm.tables.sentences import caption, footnotes, of_grid, of_pivot, sentences
from stsfm.tables.sheet import NONE, Cell, Mark, Sheet, digits_of, marks, rank_text
from stsfm.tables.table import Table
from stsfm.words import number

WIDTH = 120  # letters of a terminal, an indent of two included
WORDS = ("model", "intervals", "sees", "fitted to")  # columns that begin at the left


def sheets(shown: Table | Grid | Sheet, *, brief: bool = False) -> list[Sheet]:
    """One of a table, or the sheet itself; of a grid as many as its layout asks for.

    `brief` is what a terminal holds.

    What is said of a whole grid is said under its last sheet.
    """
    if isinstance(shown, Sheet):
        return [shown]
    if isinstance(shown, Table):
        return [_of_table(shown, brief=brief)]
    pivots = pivot(shown)
    return [
        _of_pivot(one, of_grid(shown) if one is pivots[-1] else [], brief=brief) for one in pivots
    ]


def _of_table(table: Table, *, brief: bool) -> Sheet:
    labels, body = headings(table), cells(table)
    for spared in range(len(SPARE) + 1 if brief else 0):
        less = SPARE[:spared]
        labels = headings(table, brief=True, without=less)
        body = cells(table, brief=True, without=less)
        if _width(labels, body) <= WIDTH:
            break
    return Sheet(
        title=table.status["headline"],
        heads=(tuple(labels),),
        body=tuple(map(tuple, body)),
        words=frozenset(k for k, label in enumerate(labels) if label in WORDS),
        last=sum(not row.records for row in table.rows),
        caption=caption(table),
        notes=tuple(sentences(table)),
        footnotes=tuple(footnotes(table)),
        exploratory=table.exploratory,
    )


def _width(labels: list[str], body: list[list[Cell]]) -> int:
    """Letters of a line of text, two spaces between columns."""
    columns = zip(labels, *([cell.text for cell in line] for line in body), strict=True)
    return sum(max(map(len, column)) + 2 for column in columns)


def _of_pivot(one: Pivot, more: list[str], *, brief: bool) -> Sheet:
    metric = METRIC[one.metric].label
    task = " ".join(_said(axis, value) for axis, value in one.fixed.items() if value != "")
    beside = ("mean rank", "skill %") if one.ranked else ()
    axes = enumerate(one.column_axes)
    levels = [[_said(axis, key[k]) for key in one.columns] for k, axis in axes]
    levels = levels or [[f"test {metric}"]]
    blank = [""] * len(one.row_axes)
    heads = [(*blank, *level, *([""] * len(beside))) for level in levels[:-1]]
    heads.append((*one.row_axes, *levels[-1], *beside))
    words = of_pivot(one)
    return Sheet(
        title=f"test {metric}" + (f" · {task}" if task else ""),
        heads=tuple(heads),
        body=_body(one, brief=brief),
        words=frozenset(k for k, axis in enumerate(one.row_axes) if _wordy(one, k)),
        last=sum(map(one.failed, one.rows)),
        caption=words[0],
        notes=(*words[1:], *more),
        exploratory=one.exploratory,
    )


def _body(one: Pivot, *, brief: bool) -> tuple[tuple[Cell, ...], ...]:
    """The axes of a row, its scores, and what it did over all tasks."""
    inner = _scores(one, brief=brief)
    ranks = one.part.ranks(one.metric) if one.ranked else {}
    skills = [one.part.skill(str(key[0])) if one.ranked else None for key in one.rows]
    fair = [s if ranks.get(key[0]) else None for key, s in zip(one.rows, skills, strict=True)]
    best = marks([None if s is None else Value(s) for s in fair], "high")
    order = marks([None if not (r := ranks.get(key[0])) else Value(r) for key in one.rows], "low")
    body = []
    for key, skill, at_best, first in zip(one.rows, skills, best, order, strict=True):
        line = [Cell(text=str(x), number=x if _is_number(x) else None) for x in key]
        line += [inner.get((key, column), Cell(text=NONE)) for column in one.columns]
        if one.ranked:
            rank, percent = ranks.get(key[0]), None if skill is None else 100 * skill
            line.append(Cell(text=rank_text(rank), number=rank, mark=first))
            text = NONE if percent is None else number(percent, 1)
            line.append(Cell(text=text, number=percent, mark=at_best))
        body.append(tuple(line))
    return tuple(body)


def _scores(one: Pivot, *, brief: bool) -> dict[tuple[Key, Key], Cell]:
    """Digits and marks are those of one task: no score is held against another task's."""
    tasks: dict[str, list[tuple[tuple[Key, Key], Entry]]] = {}
    for place, entry in one.cells.items():
        tasks.setdefault(entry.task.fingerprint, []).append((place, entry))
    found = {}
    for held in tasks.values():
        values = [entry.value(one.metric) for _, entry in held]
        digits = digits_of(values)
        race = "seed" not in one.row_axes + one.column_axes  # no seed is better than another
        fair = [None if entry.row.oracle else entry.value(one.metric) for _, entry in held]
        better = marks(fair, METRIC[one.metric].better)
        for (place, entry), value, mark in zip(held, values, better, strict=True):
            found[place] = _cell(entry, value, digits, mark if race else "", brief=brief)
    return found


def _cell(entry: Entry, value: Value | None, digits: int, mark: Mark, *, brief: bool) -> Cell:
    if value is None:
        return Cell(text=NONE if entry.row.records else "FAILED" if brief else failed(entry.row))
    spread = "" if brief or value.sd is None else f" ± {number(value.sd, digits)}"
    return Cell(text=number(value.mean, digits) + spread, number=value.mean, mark=mark)


def _said(axis: str, value: Any) -> str:
    """The value of an axis as a heading: airline, h=12, seed=1, model.hidden=32."""
    if axis in ("model", "data", "protocol"):
        return str(value)
    return f"{'h' if axis == 'horizon' else axis.rpartition('.')[2]}={value}"


def _wordy(one: Pivot, k: int) -> bool:
    return not all(_is_number(key[k]) for key in one.rows)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
