"""From run folders to the rows of a table: seeds folded, versions and settings sorted out.

One table holds one protocol fingerprint. A row is a configuration; its numbers are means over
seeds, with their standard deviation where there are several; none where a model draws no numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from statistics import fmean, stdev
from typing import Any

from stsfm.mistakes import Mistake
from stsfm.record import Record
from stsfm.words import count

LEVEL = "seasonal_naive"  # what skill is measured against


@dataclass(frozen=True)
class Value:
    """A score: the mean over seeds, and their standard deviation where there are several."""

    mean: float
    sd: float | None = None

    @classmethod
    def of(cls, values: Sequence[float | None]) -> Value | None:
        seen = [value for value in values if value is not None and not math.isnan(value)]
        if not seen or len(seen) < len(values):
            return None
        return cls(fmean(seen), stdev(seen) if len(seen) > 1 else None)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One configuration: its runs that finished, one per seed, and why others did not."""

    model: str
    settings: Record  # any run of the configuration
    records: tuple[Record, ...]
    failures: tuple[str, ...] = ()
    label: str = ""  # the model, and the settings that tell it from its like

    @cached_property
    def scores(self) -> list[dict[str, Any]]:
        return [record.scores for record in self.records]

    @property
    def deterministic(self) -> bool:
        return all(record.status["identity"]["seed"] is None for record in self.records)

    @property
    def seeds(self) -> int:
        return len(self.records)

    @property
    def is_net(self) -> bool:
        return any(scores["kind"] == "net" for scores in self.scores)

    def score(self, split: str, metric: str) -> Value | None:
        """A pooled metric on `val` or `test`."""
        found = [scores[split][metric] for scores in self.scores]
        return Value.of([entry and entry["pooled"] for entry in found])

    def cost(self, name: str) -> Value | None:
        return Value.of([scores["cost"][name] for scores in self.scores])

    @cached_property
    def config(self) -> dict[str, Any]:
        """The model's keys and the choices of groups, dotted."""
        config = self.settings.config
        model = config.get("model", {})
        choices = {k: v for k, v in config.get("choices", {}).items() if k in model}
        return flatten({"choices": choices, "model": model}, drop=("seed", "_target_"))

    @property
    def intervals(self) -> dict[str, Any]:
        """Where its intervals come from: `kind` is native, conformal or none; and why."""
        return self.scores[0].get("intervals") or {} if self.scores else {}

    @property
    def sees(self) -> list[str]:
        """The past, and the kinds of the covariates known ahead that the model reads."""
        return self.scores[0].get("sees", ["past"]) if self.scores else []

    @property
    def fitted_to(self) -> str:
        return self.scores[0]["fitted_to"] if self.scores else ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows that may be compared, in the order of their test error; failures last."""

    rows: tuple[Row, ...]
    status: dict[str, Any]  # of any of the runs: data, protocol line, fingerprint, units
    tried: int
    exploratory: bool = False
    left_out: tuple[str, ...] = field(default_factory=tuple)

    @property
    def metric(self) -> str:
        """What rows are ordered by: MASE, or MAE where the training series has no scale."""
        finished = [row for row in self.rows if row.records]
        return "mase" if all(row.score("test", "mase") for row in finished) else "mae"

    @property
    def best_classical(self) -> Row | None:
        """The classical model that validation prefers."""
        rows = [row for row in self.rows if row.records and not row.is_net]
        scored = [(value.mean, row) for row in rows if (value := row.score("val", self.metric))]
        return min(scored, key=lambda pair: pair[0])[1] if scored else None

    def skill(self, row: Row) -> Value | None:
        """1 − MAE / MAE of the seasonal naive model, seed by seed."""
        level = next((r.score("test", "mae") for r in self.rows if r.model == LEVEL), None)
        if not level or not level.mean:
            return None
        each = [scores["test"]["mae"]["pooled"] for scores in row.scores]
        return Value.of([1 - mae / level.mean for mae in each])


def tabulate(records: Iterable[Record], *, tried: int, every_config: bool = False) -> Table:
    """Fold runs into a table. Mistake if they follow different protocols, or if there are none."""
    records = [record for record in records if record.state in ("finished", "failed")]
    if not records:
        raise Mistake("no finished run matches; `stsfm ls` shows what there is")
    prints: dict[str, str] = {}
    for record in records:
        status = record.status
        words = f"{status['data']}, horizon {status['horizon']}, {status['origins']} origins"
        prints.setdefault(status["fingerprint"], words)
    if len(prints) > 1:
        listed = "; ".join(f"protocol={key} ({words})" for key, words in prints.items())
        raise Mistake(f"these runs follow different protocols, add one of: {listed}")
    current, left_out = _newest_source(records)
    groups: dict[str, list[Record]] = {}
    for record in {record.status["run"]: record for record in current}.values():  # kept twice
        groups.setdefault(record.status["group"], []).append(record)
    rows = _labelled([_row(group) for group in groups.values()])
    if not every_config:
        rows, hidden = _validation_winners(rows)
        left_out += hidden
    table = Table(
        rows=tuple(rows),
        status=records[0].status,
        tried=tried,
        exploratory=every_config,
        left_out=tuple(left_out),
    )
    error = lambda row: value.mean if (value := row.score("test", table.metric)) else math.inf  # noqa: E731
    ordered = sorted(rows, key=lambda row: (not row.records, error(row) if row.records else 0))
    return replace(table, rows=tuple(ordered))


def _row(group: list[Record]) -> Row:
    finished = [record for record in group if record.state == "finished"]
    failed = [record.status.get("error", "") for record in group if record.state == "failed"]
    model = group[0].status["model"]
    return Row(
        model=model,
        settings=group[0],
        records=tuple(finished),
        failures=tuple(failed),
        label=model,
    )


def _newest_source(records: list[Record]) -> tuple[list[Record], list[str]]:
    """Of runs with the same settings but other source code, those of the newest."""
    newest: dict[str, tuple[bool, float, str]] = {}
    for record in records:
        settings, when = record.status["settings"], record.status.get("ended", 0.0)
        rank = (record.state == "finished", when, record.status["group"])
        newest[settings] = max(newest.get(settings, rank), rank)
    kept = [r for r in records if r.status["group"] == newest[r.status["settings"]][2]]
    old = len(records) - len(kept)
    return kept, [f"{count(old, 'run')} of older source code"] if old else []


def _validation_winners(rows: list[Row]) -> tuple[list[Row], list[str]]:
    """One row per model: the configuration that validation prefers."""
    best: dict[str, Row] = {}
    for row in rows:
        if not row.records:  # failures are shown, all of them
            best[row.label] = row
            continue
        held = best.get(row.model)
        if held is None or _validation_error(row) < _validation_error(held):
            best[row.model] = row
    hidden = len(rows) - len(best)
    words = f"{count(hidden, 'configuration')} that validation did not choose"
    return list(best.values()), [words] if hidden else []


def _validation_error(row: Row) -> float:
    value = row.score("val", "mase") or row.score("val", "mae")
    return value.mean if value else math.inf


def _labelled(rows: list[Row]) -> list[Row]:
    """Rows of one model are told apart by the choices and keys in which they differ."""
    configs = {id(row): row.config for row in rows}
    labelled = []
    for row in rows:
        like = [configs[id(other)] for other in rows if other.model == row.model]
        mine = configs[id(row)]
        keys = [key for key in mine if any(other.get(key) != mine[key] for other in like)]
        groups = [f"model.{key.removeprefix('choices.')}." for key in keys if "choices." in key]
        short = [key for key in keys if not key.startswith(tuple(groups))]
        words = [
            f"{key.removeprefix('model.').removeprefix('choices.')}={mine[key]}" for key in short
        ]
        labelled.append(replace(row, label=" ".join([row.model, *words])))
    return labelled


def flatten(tree: dict[str, Any], prefix: str = "", drop: tuple[str, ...] = ()) -> dict[str, Any]:
    """Nested keys → dotted keys."""
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        if name in drop:
            continue
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{name}.", drop)
        else:
            flat[f"{prefix}{name}"] = value
    return flat
