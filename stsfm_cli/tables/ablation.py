"""A composite loss without each of its terms: what a term is worth, told by validation alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from stsfm.losses.metrics import METRIC
from stsfm.tables.row import Row
from stsfm.tables.sheet import NONE, Cell, Sheet, digits_of
from stsfm.tables.table import HIGHER, Table, preferred
from stsfm.words import count, number

TASK = "task"


class Ablation(NamedTuple):
    """The best whole loss of a model, and the same without one of its terms at a time."""

    whole: Row
    without: Mapping[str, Row]


def weights(row: Row) -> dict[str, float]:
    """The weight of each term of the loss that a row was trained by; {} where there is none."""
    loss = row.settings.config["model"].get("loss")
    if not isinstance(loss, Mapping):
        return {}
    return {name: float(loss["weights"].get(name, 1)) for name in loss["terms"]}


def ablations(table: Table) -> list[Ablation]:
    """Of each model whose loss was tried whole and without some of its terms."""
    alike: dict[str, list[Row]] = {}
    for row in (*table.rows, *table.hidden):
        if row.records and len(weights(row)) > 1:
            alike.setdefault(row.model, []).append(row)
    found = (_ablation(rows, table.metric) for rows in alike.values())
    return [one for one in found if one]


def _ablation(rows: Sequence[Row], metric: str) -> Ablation | None:
    """The whole loss that validation prefers among those that lack a term elsewhere."""
    known = {row.label: (row, _without(row, rows)) for row in rows if all(weights(row).values())}
    best = preferred((row for row, without in known.values() if without), "val", metric)
    return Ablation(*known[best.label]) if best else None


def _without(whole: Row, rows: Iterable[Row]) -> dict[str, Row]:
    """Term → the row that differs from the whole in this term's weight alone, which is 0."""
    rows, found = list(rows), {}
    for name in weights(whole):
        key = f"model.loss.weights.{name}"
        found[name] = next(
            (r for r in rows if weights(r).get(name) == 0 and _rest(r, key) == _rest(whole, key)),
            None,
        )
    return {name: row for name, row in found.items() if row}


def _rest(row: Row, key: str) -> dict[str, Any]:
    return {name: value for name, value in row.config.items() if name != key}


def ablation_sheet(table: Table) -> Sheet | None:
    """A line for each whole loss, and one for each term that it was tried without."""
    found = ablations(table)
    if not found:
        return None
    label = METRIC[table.metric].label
    values = [row.score("val", table.metric) for one in found for row in _rows(one)]
    digits = digits_of(values)
    body = [line for one in found for line in _lines(one, table.metric, digits)]
    status = table.status
    return Sheet(
        title="The loss without each of its terms",
        heads=(("model", "loss", "weight", f"val {label}", "seed sd", "change", "worse"),),
        body=tuple(body),
        words=frozenset({0, 1}),
        caption=(
            f"Validation {label} of the loss that validation prefers, and of the same without one "
            "of its terms at a time, all else as it is: the change of the mean, and at how many "
            f"seeds it was worse. Test has no say. {status['data']}, protocol "
            f"{status['fingerprint']}."
        ),
        notes=tuple(_said(one, table.metric, label) for one in found),
    )


def _rows(one: Ablation) -> list[Row]:
    return [one.whole, *one.without.values()]


def _lines(one: Ablation, metric: str, digits: int) -> list[tuple[Cell, ...]]:
    terms = [name for name in weights(one.whole) if name != TASK]
    first = _line(one.whole.model, " + ".join([TASK, *terms]), None, one.whole, metric, digits)
    lines = [(*first, Cell(text=""), Cell(text=""))]
    for name, row in one.without.items():
        line = _line("", f"without {name}", weights(one.whole)[name], row, metric, digits)
        change, worse, seeds = _change(one.whole, row, metric)
        told = Cell(text=f"{_signed(change)} %", number=change)
        lines.append((*line, told, Cell(text=f"{worse} of {seeds}", number=worse)))
    return lines


def _line(
    model: str, loss: str, weight: float | None, row: Row, metric: str, digits: int
) -> tuple[Cell, ...]:
    value = row.score("val", metric)
    return (
        Cell(text=model),
        Cell(text=loss),
        Cell(text="" if weight is None else f"{weight:g}", number=weight),
        Cell(text=number(value.mean, digits), number=value.mean) if value else Cell(text=NONE),
        Cell(text=number(value.sd, digits), number=value.sd)
        if value and value.sd is not None
        else Cell(text=NONE),
    )


def _change(whole: Row, row: Row, metric: str) -> tuple[float, int, int]:
    """By how many percent the error changes, at how many seeds it is worse, and of how many."""
    seeds = [{r.status["identity"]["seed"]: r for r in one.records} for one in (whole, row)]
    shared = sorted(seeds[0].keys() & seeds[1].keys(), key=str)
    pairs = [[one[seed].scores["val"][metric]["pooled"] for one in seeds] for seed in shared]
    means = [sum(column) / len(pairs) for column in zip(*pairs, strict=True)]
    sign = -1 if metric in HIGHER else 1
    worse = sum(sign * (b - a) > 0 for a, b in pairs)
    return 100 * (means[1] / means[0] - 1), worse, len(pairs)


def _signed(change: float) -> str:
    text = number(change, 1)
    return text if text.startswith("−") or float(text) == 0 else f"+{text}"


def _said(one: Ablation, metric: str, label: str) -> str:
    """Without physics, the validation MASE of gru is 3.1 % higher (4 of 5 seeds worse)."""
    parts = []
    for name, row in one.without.items():
        change, worse, seeds = _change(one.whole, row, metric)
        parts.append(
            f"without {name} {_signed(change)} % ({worse} of {count(seeds, 'seed')} worse)"
        )
    return f"Validation {label} of {one.whole.model}: {', '.join(parts)}."
