"""A table or a grid for other programs: a line per row, every metric in full precision."""

from __future__ import annotations

import csv
import io
import itertools
from typing import Any

from stsfm.losses.metrics import METRIC, METRICS
from stsfm.tables.grid import Grid
from stsfm.tables.pivot import AXES, pivot
from stsfm.tables.row import Row, Value
from stsfm.tables.sheet import Sheet
from stsfm.tables.table import Table

SCORES = [(split, metric.name) for split in ("val", "test") for metric in METRICS]
COSTS = (
    "fit_seconds", "calibrate_seconds", "predict_seconds", "parameters", "peak_memory_bytes"
)  # fmt: skip


def as_csv(shown: Table | Grid | Sheet) -> str:
    """Means, and in columns of their own deviations over seeds and the error of sampling."""
    if isinstance(shown, Sheet):
        lines = _of_sheet(shown)
    else:
        lines = _of_table(shown) if isinstance(shown, Table) else _of_grid(shown)
    out = io.StringIO()
    names = dict.fromkeys(name for line in lines for name in line)
    writer = csv.DictWriter(out, list(names), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue()


def _of_sheet(sheet: Sheet) -> list[dict[str, Any]]:
    """As it is printed, numbers in full precision."""
    return [
        {
            name: cell.text if cell.number is None else cell.number
            for name, cell in zip(sheet.heads[-1], line, strict=True)
        }
        for line in sheet.body
    ]


def _of_table(table: Table) -> list[dict[str, Any]]:
    ranks = zip(table.rows, table.ranks, strict=True)
    return [_line(table, row) | {"rank": rank} for row, rank in ranks]


def _of_grid(grid: Grid) -> list[dict[str, Any]]:
    """A line per cell: its task and keys, the model, the configuration, all that was scored."""
    lines = []
    for one in pivot(grid):
        keys = [axis for axis in (*one.fixed, *one.row_axes, *one.column_axes) if axis not in AXES]
        seed = "seed" in (*one.fixed, *one.row_axes, *one.column_axes)
        places = itertools.product(one.rows, one.columns)
        for entry in (one.cells[place] for place in places if place in one.cells):
            task: dict[str, Any] = {"task": entry.task.label, "data": entry.task.data}
            task |= {"horizon": entry.task.horizon, "family": entry.task.family}
            line = _line(entry.task.table, entry.row)
            model = entry.row.model if grid.exploratory else entry.at["model"]
            named = {"model": model, "configuration": line.pop("model")}
            named |= {key: entry.at[key] for key in [*keys, *(["seed"] if seed else [])]}
            if seed:  # the error that the row has is that of all its seeds
                line = {k: v for k, v in line.items() if not k.endswith("_sampling_error")}
            stamp = {"stamp": "EXPLORATORY" if one.exploratory else ""}
            lines.append(task | named | line | stamp)
    return lines


def _line(table: Table, row: Row) -> dict[str, Any]:
    status = table.status
    line: dict[str, Any] = {
        "model": row.label,
        "seeds": "" if row.deterministic else row.seeds,
        "fingerprint": status["fingerprint"],
    }
    line |= {"sees": " + ".join(row.sees)} if status.get("offered") else {}
    line |= {"fitted_to": row.fitted_to, "intervals": row.intervals.get("kind", "")}
    line |= {"failed": "; ".join(row.failures)}
    line |= {"stamp": "EXPLORATORY" if table.exploratory else ""}
    for split, metric in SCORES:
        line |= _pair(f"{split}_{metric}", row.score(split, metric) if row.records else None)
    for split, metric, view in itertools.product(("val", "test"), METRIC, table.views):
        name = f"{split}_{metric}_{view.replace(' ', '_')}"
        line |= _pair(name, row.score(split, metric, view) if row.records else None)
    line |= _pair("test_skill", table.skill(row) if row.records else None)
    line[f"test_{table.metric}_sampling_error"] = table.sampling_error(row)
    costs = {name: row.cost(name) if row.records else None for name in COSTS}
    return line | {name: value.mean if value else None for name, value in costs.items()}


def _pair(name: str, value: Value | None) -> dict[str, float | None]:
    if value is None:
        return {name: None, f"{name}_sd": None}
    return {name: value.mean, f"{name}_sd": value.sd}
