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
from stsfm.words import aligned, count

NONE = "—"
WORDS = ("model", "intervals", "sees", "fitted to")  # columns that begin at the left
ORACLE = "† An oracle is known only afterwards: such a row shows what knowing it would be worth."
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
        digits = _digits(values, column)
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


def _digits(values: list[Value | None], column: Column) -> int:
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


def sentences(table: Table) -> list[str]:
    """What the table says, in words; nothing that it does not say."""
    words = []
    best = table.best_classical
    if best is not None:
        words.append(f"Best classical model on validation: {best.label}.")
        words += [_verdict(table, row, best) for row in table.rows if row.records and row.is_net]
    words += _about_intervals(table)
    if (independent := table.status["independent"]) < 10:
        words.append(f"No significance test: {count(independent, 'independent origin')}.")
    words.append(
        f"{table.tried} configurations tried under this protocol, {len(table.rows)} shown."
    )
    words += [f"Left out: {what}." for what in table.left_out]
    words += _footnotes(table)
    if table.exploratory:
        words.append(
            "EXPLORATORY: every configuration is shown, so the best test score is optimistic."
        )
    return words


def _about_intervals(table: Table) -> list[str]:
    """Who has no intervals and why, and where nodes share theirs; rows alike in one sentence."""
    without: dict[str, list[str]] = {}
    shared: dict[int, list[str]] = {}
    for row in table.rows:
        if reason := row.intervals.get("reason"):
            without.setdefault(reason, []).append(row.label)
        if nodes := row.intervals.get("pooled_nodes"):
            shared.setdefault(nodes, []).append(row.label)
    words = [f"No intervals for {', '.join(of)}: {reason}." for reason, of in without.items()]
    for nodes, of in shared.items():
        few = f"{count(nodes, 'node')} with too few residuals"
        words.append(f"The intervals of {few} are those of all nodes: {', '.join(of)}.")
    return words


def _footnotes(table: Table) -> list[str]:
    return [ORACLE] if any("oracle" in row.sees for row in table.rows) else []


def _verdict(table: Table, net: Row, best: Row) -> str:
    """How a net stands to the best classical model on validation, and who else is ahead of it."""
    key, label = table.metric, METRIC[table.metric].label
    errors = {row.label: value.mean for row in table.rows if (value := row.score("test", key))}
    if net.label not in errors or best.label not in errors:
        return f"{net.label} has no test score."
    shown = Column(label=label, get=lambda _, row: row.score("test", key))
    digits = _digits([shown.get(table, row) for row in table.rows if row.records], shown)
    mine, theirs = errors[net.label], errors[best.label]
    verb = "loses to" if mine > theirs else "is ahead of" if mine < theirs else "equals"
    numbers = f"{mine:.{digits}f} against {theirs:.{digits}f}"
    words = f"{net.label} {verb} {best.label}: test {label} {numbers}"
    classical = [
        row.label for row in table.rows if row.records and not row.is_net and row is not best
    ]
    ahead = [name for name in classical if errors.get(name, mine) < mine]
    return f"{words}; also ahead of it: {', '.join(ahead)}." if ahead else f"{words}."


def caption(table: Table) -> str:
    status = table.status
    return (
        f"{status['headline']}. MAE, RMSE, CRPS and width in {status['units']}; MASE relative to "
        "the seasonal naive error on train; skill relative to the seasonal naive error on test. "
        "Intervals are native to a model, or conformal: from its errors on the last rows of train."
    )


def as_text(table: Table) -> list[str]:
    """Aligned lines for a terminal, the header first."""
    header, body, _ = cells(table, brief=True)
    numbers = [k for k, name in enumerate(header) if name not in WORDS]
    return list(aligned([header, *body], right=numbers))


def as_markdown(table: Table) -> str:
    header, body, marks = cells(table)
    wrap = {"best": "**{}**", "second": "<u>{}</u>"}
    lines = [
        [wrap.get(marks.get((i, j), ""), "{}").format(cell) for j, cell in enumerate(line)]
        for i, line in enumerate(body)
    ]
    align = [":--" if name in WORDS else "--:" for name in header]
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
    words = " ".join([caption(table), *_footnotes(table)])
    align = "".join("l" if name in WORDS else "r" for name in header)
    return "\n".join(
        [
            r"\begin{table}", r"\centering", rf"\caption{{{_tex(words)}}}",
            rf"\begin{{tabular}}{{{align}}}", r"\toprule",
            " & ".join(map(_tex, header)) + r" \\", r"\midrule", *rows, r"\bottomrule",
            r"\end{tabular}", r"\end{table}", *(f"% {word}" for word in sentences(table)), "",
        ]
    )  # fmt: skip


def _tex(text: str) -> str:
    for plain, tex in (("\\", r"\textbackslash "), ("_", r"\_"), ("%", r"\%"), ("±", r"$\pm$"),
                       ("—", "---"), ("…", r"\dots{}"), ("·", r"$\cdot$"), ("²", "$^2$"),
                       ("–", "--"), ("−", "$-$"), ("&", r"\&"), ("#", r"\#"),
                       ("†", r"$^\dagger$")):  # fmt: skip
        text = text.replace(plain, tex)
    return text


def as_csv(table: Table) -> str:
    """Every metric in full precision, mean and deviation over seeds in columns of their own."""
    names = [f"{split}_{metric.name}" for split in ("val", "test") for metric in METRICS]
    costs = ["fit_seconds", "calibrate_seconds", "predict_seconds", "parameters"]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    offered = bool(table.status.get("offered"))
    head = ["model", "seeds", "fingerprint", *(["sees"] if offered else [])]
    head += ["fitted_to", "intervals", "failed"]
    spread = [f"{name}{end}" for name in [*names, "test_skill"] for end in ("", "_sd")]
    writer.writerow([*head, *spread, *costs])
    for row in table.rows:
        seeds = "" if row.deterministic else row.seeds
        line = [
            row.label,
            seeds,
            table.status["fingerprint"],
            *([" + ".join(row.sees)] if offered else []),
            row.fitted_to,
            row.intervals.get("kind", ""),
            "; ".join(row.failures),
        ]
        values = [row.score(*name.split("_", 1)) for name in names] if row.records else []
        values += [table.skill(row)] if row.records else []
        for value in values or [None] * (len(names) + 1):
            line += ["" if value is None else value.mean, "" if value is None else value.sd]
        line += [value.mean if (value := row.cost(c)) else "" for c in costs] if row.records else []
        writer.writerow(["" if cell is None else cell for cell in line])
    return out.getvalue()
