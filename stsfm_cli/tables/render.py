"""A table as text, Markdown, LaTeX, HTML and CSV."""

from __future__ import annotations

import csv
import io
from html import escape

from stsfm.losses.metrics import METRICS
from stsfm.tables.cells import cells
from stsfm.tables.sentences import caption, footnotes, sentences
from stsfm.tables.table import Table
from stsfm.words import aligned

WORDS = ("model", "intervals", "sees", "fitted to")  # columns that begin at the left


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
    words = " ".join([caption(table), *footnotes(table)])
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


def as_html(table: Table, place: str) -> str:
    """The headline, the table, what it says in words, and where it lies.

    It has no colours of its own: it is read in light and dark themes.
    """
    header, body, marks = cells(table, brief=True)
    wrap = {"best": "<b>{}</b>", "second": "<u>{}</u>"}
    last = len(header) - 1
    head = "".join(_cell("th", j in (0, last), escape(cell)) for j, cell in enumerate(header))
    rows = [
        "".join(
            _cell("td", j in (0, last), wrap.get(marks.get((i, j), ""), "{}").format(escape(cell)))
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
