"""The cells of a table: its columns, digits that follow their uncertainty, and what is best."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from stsfm.losses.metrics import METRICS
from stsfm.tables.table import Row, Table, Value

NONE = "—"
METRIC = {metric.name: metric for metric in METRICS}


@dataclass(frozen=True, kw_only=True)
class Column:
    label: str
    get: Callable[[Table, Row], Value | None]
    better: Literal["low", "high", ""] = ""
    scale: float = 1
    digits: int | None = None  # None = as the uncertainty of the column allows
    brief: bool = True  # shown on a terminal too


def columns(table: Table) -> list[Column]:
    """What a reader needs to judge the rows, left to right."""
    key = table.metric
    name = METRIC[key].label
    shown = [
        Column(label=f"val {name}", get=lambda _, r: r.score("val", key), better="low"),
        Column(label=f"test {name}", get=lambda _, r: r.score("test", key), better="low"),
        Column(label="MAE", get=lambda _, r: r.score("test", "mae"), better="low"),
        Column(label="RMSE", get=lambda _, r: r.score("test", "rmse"), better="low", brief=False),
        Column(label="skill %", get=lambda t, r: t.skill(r), better="high", scale=100, digits=1),
        Column(label="CRPS", get=lambda _, r: r.score("test", "crps"), better="low"),
        Column(
            label="cover 80 %", get=lambda _, r: r.score("test", "cover80"), scale=100, digits=0
        ),
        Column(label="width 80 %", get=lambda _, r: r.score("test", "width80"), brief=False),
        Column(label="fit s", get=lambda _, r: r.cost("fit_seconds"), digits=2),
        Column(label="params", get=lambda _, r: r.cost("parameters"), digits=0),
    ]
    return [column for column in shown if key == "mase" or column.label != "MAE"]


def cells(
    table: Table, *, brief: bool = False
) -> tuple[list[str], list[list[str]], dict[tuple[int, int], str]]:
    """Header, text of every cell, and marks (row, column) → best | second."""
    spread = any(row.seeds > 1 for row in table.rows)
    shown = [column for column in columns(table) if column.brief or not brief]
    labels = [column.label for column in shown]
    offered = bool(table.status.get("offered"))
    header = ["model", *(["seeds"] if spread else []), *labels, "intervals"]
    header += [*(["sees"] if offered else []), "fitted to"]
    body = [[row.label, *([_seeds(row)] if spread else [])] for row in table.rows]
    marks: dict[tuple[int, int], str] = {}
    for column in shown:
        values = [column.get(table, row) if row.records else None for row in table.rows]
        digits = digits_of(values, column)
        for i, value in enumerate(values):
            text = _text(value, column, digits, spread and bool(column.better))
            body[i].append(text if table.rows[i].records else "")
        for i, mark in _marks(values, column).items():
            marks[i, len(body[0]) - 1] = mark
    for row, line in zip(table.rows, body, strict=True):
        line.append({"none": NONE}.get(kind := row.intervals.get("kind", ""), kind))
        line += [" + ".join(row.sees).replace("oracle", "oracle†")] if offered else []
        line.append(row.fitted_to if row.records else f"FAILED({row.failures[0]})")
    return header, body, marks


def _seeds(row: Row) -> str:
    if row.records and row.deterministic:
        return NONE
    missing = len(row.failures)
    return f"{row.seeds} of {row.seeds + missing}" if missing else str(row.seeds)


def digits_of(values: list[Value | None], column: Column) -> int:
    """Decimals: two figures of the smallest deviation between seeds, else three of the smallest."""
    if column.digits is not None:
        return column.digits
    seen = [value for value in values if value]
    spreads = [value.sd for value in seen if value.sd]
    sizes = spreads or [abs(value.mean) / 10 for value in seen if value.mean]
    if not sizes:
        return 0
    return max(0, min(4, 1 - math.floor(math.log10(min(sizes) * column.scale))))


def _text(value: Value | None, column: Column, digits: int, spread: bool) -> str:
    if value is None:
        return NONE
    number = f"{value.mean * column.scale:.{digits}f}".replace("-", "−")
    if spread:
        number += (
            f" ± {NONE if value.sd is None else format(value.sd * column.scale, f'.{digits}f')}"
        )
    return number


def _marks(values: list[Value | None], column: Column) -> dict[int, str]:
    if not column.better:
        return {}
    sign = 1 if column.better == "low" else -1
    ranks = sorted({sign * value.mean for value in values if value})
    names = dict(zip(ranks, ("best", "second"), strict=False))
    return {i: names[sign * v.mean] for i, v in enumerate(values) if v and sign * v.mean in names}
