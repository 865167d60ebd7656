"""The cells of a table: its columns, digits that follow their uncertainty, and what is best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from stsfm.losses.metrics import METRIC
from stsfm.tables.row import Row, Value
from stsfm.tables.sheet import NONE, Better, Cell, digits_of, marks, rank_text
from stsfm.tables.table import Table
from stsfm.words import number, sized

SPARE = ("CRPS", "intervals", "MAE")  # what a terminal that is full does without, in turn
REASON = 40  # letters of a failure's reason on a terminal


@dataclass(frozen=True, kw_only=True)
class Column:
    label: str
    get: Callable[[Row], Value | None]
    better: Better = ""
    scale: float = 1
    digits: int | None = None  # None = as the uncertainty of the column allows
    text: Callable[[float], str] | None = None  # how a number is written, where not by digits
    short: str = ""  # its label on a terminal
    brief: bool = True  # shown on a terminal too


def columns(table: Table) -> list[Column]:
    """What a reader needs to judge the rows, left to right."""
    key = table.metric
    name = METRIC[key].label
    better: Better = METRIC[key].better
    percent = lambda of, label, **how: Column(label=label, get=of, scale=100, **how)  # noqa: E731
    test = lambda what: lambda row: row.score("test", what)  # noqa: E731
    digits = digits_of(map(table.score, table.rows))
    shown = [
        Column(label=f"val {name}", get=lambda r: r.score("val", key), better=better),
        Column(label=f"test {name}", get=table.score, better=better, digits=digits),
        *_spread(table, digits),
        *_errors(table),
        percent(table.skill, "skill %", better="high", digits=1, brief=not table.metrics),
        Column(label="CRPS", get=test("crps"), better="low"),
        percent(test("cover80"), "cover 80 %", digits=0),
        Column(label="width 80 %", get=test("width80"), brief=False),
        Column(label="fit s", get=lambda r: r.cost("fit_seconds"), digits=2),
        Column(label="predict s", get=lambda r: r.cost("predict_seconds"), digits=2, brief=False),
        Column(label="params", get=lambda r: r.cost("parameters"), digits=0),
        Column(label="memory", get=lambda r: r.cost("peak_memory_bytes"), text=sized, brief=False),
    ]
    return [column for column in shown if column.label != name]


def _errors(table: Table) -> list[Column]:
    """MAE and RMSE, or the metrics of a protocol: over all that is forecast, and in each view.

    A terminal shows the views of the first metric, or where there are none the other metrics; the
    second of two that were asked for is shown beside the views.
    """
    names = table.metrics or ("mae", "rmse")
    brief = table.metrics[:1] if table.views else table.metrics or ("mae",)
    beside = table.metrics if len(table.metrics) == 2 else ()
    places = [(name, view) for view in ("", *table.views) for name in names]
    return [
        Column(
            label=f"{METRIC[name].label} {view}".rstrip(),
            get=partial(Row.score, split="test", metric=name, view=view),
            better=METRIC[name].better,
            brief=name in brief or (not view and name in beside),
        )
        for name, view in places
        if view or name != table.metric
    ]


def _spread(table: Table, digits: int) -> list[Column]:
    """How much the test score moves with the seed, and how much with the calendar."""
    seeds = Column(
        label="seed sd", short="sd", digits=digits,
        get=lambda row: _value(score.sd if (score := table.score(row)) else None),
    )  # fmt: skip
    calendar = Column(
        label="sampling error", short="s.e.", digits=digits,
        get=lambda row: _value(table.sampling_error(row)),
    )  # fmt: skip
    known = any(table.sampling_error(row) is not None for row in table.rows)
    return [*([seeds] if folds_seeds(table) else []), replace(calendar, brief=known)]


def _value(x: float | None) -> Value | None:
    return None if x is None else Value(x)


def folds_seeds(table: Table) -> bool:
    return any(row.seeds + len(row.failures) > 1 for row in table.rows)


def headings(table: Table, *, brief: bool = False, without: Sequence[str] = ()) -> list[str]:
    """The label of every column."""
    shown = _shown(table, brief, without)
    labels = [column.short if brief and column.short else column.label for column in shown]
    before = ["model", *([] if brief else ["rank"]), *(["seeds"] if folds_seeds(table) else [])]
    sees = ["sees"] if table.status.get("offered") else []
    return [
        *before,
        *labels,
        *([] if "intervals" in without else ["intervals"]),
        *sees,
        "fitted to",
    ]


def cells(table: Table, *, brief: bool = False, without: Sequence[str] = ()) -> list[list[Cell]]:
    """The cells of every row, left to right as their headings."""
    rows = table.rows
    body = [[Cell(text=row.label)] for row in rows]
    for row, rank, line in zip(rows, table.ranks, body, strict=True):
        line += [] if brief else [_rank(rank)]
        line += [Cell(text=seeds_of(row), number=row.seeds)] if folds_seeds(table) else []
    for column in _shown(table, brief, without):
        for line, cell in zip(body, _column(rows, column), strict=True):
            line.append(cell)
    for row, line in zip(rows, body, strict=True):
        kind = row.intervals.get("kind", "")
        line += [] if "intervals" in without else [Cell(text={"none": NONE}.get(kind, kind))]
        if table.status.get("offered"):
            line.append(Cell(text=" + ".join(row.sees).replace("oracle", "oracle†")))
        line.append(Cell(text=row.fitted_to if row.records else failed(row, brief=brief)))
    return body


def _shown(table: Table, brief: bool, without: Sequence[str]) -> list[Column]:
    found = [column for column in columns(table) if column.label not in without]
    return [column for column in found if column.brief or not brief]


def _column(rows: tuple[Row, ...], column: Column) -> list[Cell]:
    values = [column.get(row) if row.records else None for row in rows]
    digits = digits_of(values, column.scale) if column.digits is None else column.digits
    fair = [None if row.oracle else value for row, value in zip(rows, values, strict=True)]
    write = column.text or (lambda x: number(x * column.scale, digits))
    return [
        Cell(
            text=write(value.mean) if value else NONE if row.records else "",
            number=value.mean * column.scale if value else None,
            mark=mark,
        )
        for row, value, mark in zip(rows, values, marks(fair, column.better), strict=True)
    ]


def _rank(rank: float | None) -> Cell:
    return Cell(text=rank_text(rank), number=rank)


def failed(row: Row, *, brief: bool = False) -> str:
    """FAILED and why, on a terminal the beginning of it."""
    reason = row.failures[0] if row.failures else ""
    short = brief and len(reason) > REASON
    return f"FAILED({reason[: REASON - 1].rstrip()}…)" if short else f"FAILED({reason})"


def seeds_of(row: Row) -> str:
    """How many seeds a row is the mean of: 5, or 4 of 5 where one failed; — where it draws none."""
    if row.records and row.deterministic:
        return NONE
    missing = len(row.failures)
    return f"{row.seeds} of {row.seeds + missing}" if missing else str(row.seeds)
