"""A table as text, Markdown, LaTeX and CSV. Digits follow the uncertainty of a column."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from stsfm.losses.metrics import METRICS
from stsfm.table import Row, Table, Value

NONE = "—"


@dataclass(frozen=True, kw_only=True)
class Column:
    label: str
    get: Callable[[Table, Row], Value | None]
    better: Literal["low", "high", ""] = ""
    percent: bool = False
    whole: bool = False


def columns(table: Table) -> list[Column]:
    """What a reader needs to judge the rows, left to right."""
    key = table.metric
    name = next(metric.label for metric in METRICS if metric.name == key)
    shown = [
        Column(label=f"val {name}", get=lambda _, r: r.score("val", key), better="low"),
        Column(label=f"test {name}", get=lambda _, r: r.score("test", key), better="low"),
        Column(label="MAE", get=lambda _, r: r.score("test", "mae"), better="low"),
        Column(label="RMSE", get=lambda _, r: r.score("test", "rmse"), better="low"),
        Column(label="skill", get=lambda t, r: t.skill(r), better="high", percent=True),
        Column(label="CRPS", get=lambda _, r: r.score("test", "crps"), better="low"),
        Column(label="cover 80 %", get=lambda _, r: r.score("test", "cover80"), percent=True),
        Column(label="fit s", get=lambda _, r: r.cost("fit_seconds")),
        Column(label="params", get=lambda _, r: r.cost("parameters"), whole=True),
    ]
    return [column for column in shown if key == "mase" or column.label != "MAE"]


def cells(table: Table) -> tuple[list[str], list[list[str]], dict[tuple[int, int], str]]:
    """Header, text of every cell, and marks (row, column) → best | second."""
    spread = any(row.seeds > 1 for row in table.rows)
    header = ["model", *(["seeds"] if spread else []), *(c.label for c in columns(table)), "fitted to"]
    body = [[row.label, *([_seeds(row)] if spread else [])] for row in table.rows]
    marks: dict[tuple[int, int], str] = {}
    for column in columns(table):
        values = [column.get(table, row) if row.records else None for row in table.rows]
        digits = _digits(values, column)
        for i, value in enumerate(values):
            text = _text(value, column, digits, spread and bool(column.better))
            body[i].append(text if table.rows[i].records else "")
        for i, mark in _marks(values, column).items():
            marks[i, len(body[0]) - 1] = mark
    for row, line in zip(table.rows, body, strict=True):
        line.append(row.fitted_to if row.records else f"FAILED({row.failures[0]})")
    return header, body, marks


def _seeds(row: Row) -> str:
    if row.records and row.deterministic:
        return NONE
    missing = len(row.failures)
    return f"{row.seeds} of {row.seeds + missing}" if missing else str(row.seeds)


def _digits(values: list[Value | None], column: Column) -> int:
    """Decimals: two figures of the smallest deviation between seeds, else three of the smallest."""
    if column.whole:
        return 0
    scale = 100 if column.percent else 1
    seen = [value for value in values if value]
    spreads = [value.sd * scale for value in seen if value.sd]
    if column.percent and not spreads:
        return 0
    sizes = spreads or [abs(value.mean) * scale / 10 for value in seen if value.mean]
    if not sizes:
        return 0
    return max(0, min(4, 1 - math.floor(math.log10(min(sizes))))) if sizes else 0


def _text(value: Value | None, column: Column, digits: int, spread: bool) -> str:
    if value is None:
        return NONE
    scale, unit = (100, " %") if column.percent else (1, "")
    number = f"{value.mean * scale:.{digits}f}"
    if spread:
        number += f" ± {NONE if value.sd is None else format(value.sd * scale, f'.{digits}f')}"
    return number + unit


def _marks(values: list[Value | None], column: Column) -> dict[int, str]:
    if not column.better:
        return {}
    sign = 1 if column.better == "low" else -1
    ranks = sorted({sign * value.mean for value in values if value})
    names = dict(zip(ranks, ("best", "second"), strict=False))
    return {i: names[sign * v.mean] for i, v in enumerate(values) if v and sign * v.mean in names}


def sentences(table: Table) -> list[str]:
    """What the table says, in words; nothing that it does not say."""
    words = []
    best, key = table.best_classical, table.metric
    label = next(metric.label for metric in METRICS if metric.name == key)
    if best is not None:
        target = best.score("test", key)
        words.append(f"Best classical model on validation: {best.label}.")
        for row in table.rows:
            if row.records and row.is_net and target and (mine := row.score("test", key)):
                verb = "loses to" if mine.mean > target.mean else "is ahead of"
                words.append(
                    f"{row.label} {verb} {best.label}: test {label} {mine.mean:.3g} against "
                    f"{target.mean:.3g}."
                )
    origins = table.status["independent"]
    words.append(f"No significance test: {origins} independent origins." if origins < 10 else "")
    words.append(f"{table.tried} configurations tried under this protocol, {len(table.rows)} shown.")
    words += [f"Left out: {what}." for what in table.left_out]
    if table.exploratory:
        words.append("EXPLORATORY: every configuration is shown, so the best test score is optimistic.")
    return [word for word in words if word]


def caption(table: Table) -> str:
    status = table.status
    return (
        f"{status['headline']}. MAE, RMSE and CRPS in {status['units']}; MASE relative to the seasonal "
        f"naive error on train; skill relative to the seasonal naive error on test."
    )


def as_text(table: Table) -> list[list[str]]:
    """Aligned lines for a terminal."""
    header, body, _ = cells(table)
    widths = [max(map(len, column)) for column in zip(header, *body, strict=True)]
    fit = lambda line: "  ".join(  # noqa: E731
        cell.ljust(w) if i in (0, len(widths) - 1) else cell.rjust(w)
        for i, (cell, w) in enumerate(zip(line, widths, strict=True))
    )
    return [[fit(header)], [fit(line) for line in body]]


def as_markdown(table: Table) -> str:
    header, body, marks = cells(table)
    wrap = {"best": "**{}**", "second": "<u>{}</u>"}
    lines = [
        [wrap.get(marks.get((i, j), ""), "{}").format(cell) for j, cell in enumerate(line)]
        for i, line in enumerate(body)
    ]
    align = [":--", *("--:" for _ in header[1:-1]), ":--"]
    rows = [f"| {' | '.join(line)} |" for line in (header, align, *lines)]
    return "\n".join([caption(table), "", *rows, "", *sentences(table), ""])


def as_latex(table: Table) -> str:
    """booktabs; needs \\usepackage{booktabs}."""
    header, body, marks = cells(table)
    wrap = {"best": "\\textbf{{{}}}", "second": "\\underline{{{}}}"}
    lines = [
        [wrap.get(marks.get((i, j), ""), "{}").format(_tex(c)) for j, c in enumerate(line)]
        for i, line in enumerate(body)
    ]
    rows = [" & ".join(line) + r" \\" for line in lines]
    return "\n".join(
        [
            r"\begin{table}", r"\centering", rf"\caption{{{_tex(caption(table))}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(header) - 2)}l}}", r"\toprule",
            " & ".join(map(_tex, header)) + r" \\", r"\midrule", *rows, r"\bottomrule",
            r"\end{tabular}", r"\end{table}", *(f"% {word}" for word in sentences(table)), "",
        ]
    )  # fmt: skip


def _tex(text: str) -> str:
    for plain, tex in (("\\", r"\textbackslash "), ("_", r"\_"), ("%", r"\%"), ("±", r"$\pm$"),
                       ("—", "---"), ("…", r"\dots{}"), ("·", r"$\cdot$"), ("²", "$^2$"),
                       ("–", "--"), ("−", "$-$"), ("&", r"\&"), ("#", r"\#")):  # fmt: skip
        text = text.replace(plain, tex)
    return text


def as_csv(table: Table) -> str:
    """Every metric in full precision, mean and deviation over seeds in columns of their own."""
    names = [f"{split}_{metric.name}" for split in ("val", "test") for metric in METRICS]
    costs = ["fit_seconds", "predict_seconds", "parameters"]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    head = ["model", "seeds", "fingerprint", "fitted_to", "failed"]
    spread = [f"{name}{end}" for name in [*names, "test_skill"] for end in ("", "_sd")]
    writer.writerow([*head, *spread, *costs])
    for row in table.rows:
        seeds = "" if row.deterministic else row.seeds
        line = [row.label, seeds, table.status["fingerprint"], row.fitted_to, "; ".join(row.failures)]
        values = [row.score(*name.split("_", 1)) for name in names] if row.records else []
        values += [table.skill(row)] if row.records else []
        for value in values or [None] * (len(names) + 1):
            line += ["" if value is None else value.mean, "" if value is None else value.sd]
        line += [value.mean if (value := row.cost(c)) else "" for c in costs] if row.records else []
        writer.writerow(["" if cell is None else cell for cell in line])
    return out.getvalue()
