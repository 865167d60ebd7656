"""What a table may claim: each row against a control, tested where it can be, and in words.

The control is declared, or the classical model that validation prefers: either way it is chosen
without a look at the test errors. The family is all other rows of the table, so that any claim
against it is false in no more than 5 % of tables (Holm). Each row that reads a graph is tested
against itself without one, too, and with a shuffled one: a family of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from stsfm.significance import (
    ALPHA,
    Interval,
    Pair,
    compare,
    confidence_set,
    holm,
    skill_interval,
    too_few,
)
from stsfm.tables.losses import ROOTS, Losses, losses
from stsfm.tables.row import Row
from stsfm.tables.table import HIGHER, Table
from stsfm.tables.verdicts import few, told

GRAPH = "data.space"  # the key of an ablation
BASES = {  # whose graph a row read → what it is judged by
    "graph": ("no graph", "shuffled graph"), "learned graph": ("no graph",),
    "shuffled graph": ("no graph",), "no graph": (),
}  # fmt: skip
ADDITIVE = ROOTS | dict.fromkeys(HIGHER, "squared")  # tested where a metric is no mean of cells

Verdict = Literal["better", "worse", "not separable", ""]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A row against the control: `pair` is the test, `p` its p-value with Holm's correction."""

    pair: Pair
    p: float | None = None

    @property
    def verdict(self) -> Verdict:
        """What a table can show beside the row; "" where there was no test."""
        if self.p is None:
            return ""
        if self.p >= ALPHA:
            return "not separable"
        return "worse" if self.pair.difference > 0 else "better"


@dataclass(frozen=True, kw_only=True)
class Claims:
    """All that one table may claim. What could not be tested is missing; the sentences say why."""

    metric: str  # what was tested: the table's own, or the squared error of RMSE, R² and their like
    control: str | None = None  # its label
    declared: bool = False  # by the user; else by validation
    pairs: Mapping[str, Claim] = field(default_factory=dict)  # label → comparison with the control
    ablations: Mapping[tuple[str, str], Claim] = field(default_factory=dict)  # by graph
    mcs: tuple[str, ...] = ()  # labels of the model confidence set
    skills: Mapping[str, Interval] = field(default_factory=dict)  # label → over seasonal naive
    seeds: Mapping[str, int] = field(default_factory=dict)  # label → of rows that draw some
    unscored: tuple[str, ...] = ()  # labels of rows that finished, and have no such losses
    oracles: tuple[str, ...] = ()  # labels of rows that read one, and so are no rivals
    sentences: tuple[str, ...] = ()


def claims(table: Table, control: str | None = None) -> Claims:
    """Test the rows of a table; a control that is none of them is said to be missing."""
    metric = ADDITIVE.get(table.metric, table.metric)
    against = control_of(table, control)
    made = Claims(metric=metric, control=against, declared=control is not None)
    every, kept = _losses(table, metric), [row for row in table.rows if row.records]
    oracles = {row.label for row in kept if row.oracle}
    oracles = set() if against in oracles else oracles  # who declares one wants to compare them
    lost = {label: one for label, one in every.items() if label not in oracles}
    if reason := _refusal(lost):
        return replace(made, sentences=(few(reason),))
    made = replace(
        made,
        mcs=_members(lost),
        skills=_skills(_losses(table, "mae"), table.level),
        seeds={row.label: row.seeds for row in kept if row.label in lost and not row.deterministic},
        unscored=tuple(row.label for row in kept if row.label not in every),
        oracles=tuple(row.label for row in kept if row.label in oracles),
    )
    made = replace(made, ablations=_ablations(table, lost))
    if against in lost:
        made = replace(made, pairs=_pairs(lost, against))
    return replace(made, sentences=tuple(told(made)))


def _refusal(lost: Mapping[str, Losses]) -> str | None:
    """Why no row can be tested, in words; rows of a table share their origins."""
    if not lost:
        return "no row has losses"
    one = next(iter(lost.values()))
    if reason := too_few(one.origins[~np.isnan(one.values)], one.horizon):
        return reason
    return "there is one row" if len(lost) == 1 else None


def claimed(table: Table, control: str | None = None) -> Table:
    """The table with what it may claim, in words."""
    return replace(table, tested=claims(table, control).sentences)


def control_of(table: Table, name: str | None) -> str | None:
    """The label of the control, or None: a row's label, or the name of a model with one row.

    Of a model with one row that finished it is that one, whatever else failed.
    """
    if name is None:
        return table.best_classical.label if table.best_classical else None
    like = [row for row in table.rows if name in (row.label, row.name)]
    labels = [row.label for row in like if row.records] or [row.label for row in like]
    return name if name in labels else labels[0] if len(labels) == 1 else None


def _losses(table: Table, metric: str) -> dict[str, Losses]:
    found = {row.label: losses(row, "test", metric) for row in table.rows if row.records}
    return {label: one for label, one in found.items() if one is not None}


def _pairs(lost: Mapping[str, Losses], control: str) -> dict[str, Claim]:
    """Each other row against the control, p-values corrected for all that were tested."""
    pairs = {label: _against(lost, label, control) for label in lost if label != control}
    adjusted = holm({label: pair.p for label, pair in pairs.items() if pair.p is not None})
    return {label: Claim(pair=pair, p=adjusted.get(label)) for label, pair in pairs.items()}


def _ablations(table: Table, lost: Mapping[str, Losses]) -> dict[tuple[str, str], Claim]:
    """Each row that reads a graph against its model without one, and with the graph between other
    nodes: what any neighbours give is not what the graph tells. A family of their own."""
    rows = [row for row in table.rows if row.graph and row.label in lost]
    others = ((row, _twin(row, rows, base, table)) for row in rows for base in BASES[row.graph])
    found = {(row.label, o.label): _against(lost, row.label, o.label) for row, o in others if o}
    adjusted = holm({of: pair.p for of, pair in found.items() if pair.p is not None})
    return {of: Claim(pair=pair, p=adjusted.get(of)) for of, pair in found.items()}


def _twin(row: Row, rows: Sequence[Row], base: str, table: Table) -> Row | None:
    """The row with another graph that is else the same: in all settings, or, where validation chose
    those, in the levels of the other factors. None where no one row is."""
    like = [other for other in rows if other.graph == base]
    like = [other for other in like if (other.model, other.tuned) == (row.model, row.tuned)]
    same = [other for other in like if _settings(other) == _settings(row)]
    if not same and not table.exploratory:
        same = [other for other in like if _levels(other) == _levels(row)]
    return same[0] if len(same) == 1 else None


def _settings(row: Row) -> dict[str, Any]:
    return {key: value for key, value in row.config.items() if key != GRAPH}


def _levels(row: Row) -> list[str]:
    return [word for word in row.levels.split() if not word.startswith(f"{GRAPH}=")]


def _against(lost: Mapping[str, Losses], label: str, control: str) -> Pair:
    one, base = lost[label], lost[control]
    return compare(one.values, base.values, one.origins, one.horizon, alpha=ALPHA)


def _members(lost: Mapping[str, Losses]) -> tuple[str, ...]:
    labels, each = list(lost), list(lost.values())
    stacked = np.array([one.values for one in each])
    found = confidence_set(stacked, each[0].origins, each[0].horizon, alpha=ALPHA)
    return tuple(labels[k] for k in found.members)


def _skills(lost: Mapping[str, Losses], base: Row | None) -> dict[str, Interval]:
    """Intervals of the skill of each row over the seasonal naive one, if there is such a row."""
    if base is None or base.label not in lost:
        return {}
    level = lost[base.label]
    return {
        label: skill_interval(one.values, level.values, one.origins, one.horizon, level=1 - ALPHA)
        for label, one in lost.items()
        if label != base.label
    }
