"""Records into an array (time, node, channel): the wide and the long layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stsfm.datasets.about import Finding
from stsfm.datasets.reading.delimited import shown
from stsfm.datasets.reading.instants import Rows
from stsfm.datasets.reading.numbers import Numbers
from stsfm.datasets.reading.oddities import stamp
from stsfm.datasets.reading.roles import Roles

if TYPE_CHECKING:
    from pandas import DataFrame

LARGEST = 2 * 10**8  # cells: 1.6 GB


@dataclass(frozen=True)
class Table:
    """Arrays and the names of their axes.

    values  float (time, node, channel), NaN where nothing was observed
    known   float (time, node | 1, covariate)
    used    the columns that hold the values
    """

    values: np.ndarray
    known: np.ndarray
    nodes: list[str]
    channels: list[str]
    targets: list[str]
    used: list[str]
    findings: list[Finding]


def arrange(
    frame: DataFrame, role: Roles, columns: Mapping[str, Numbers], rows: Rows, *, name: str
) -> Table:
    """Every record at its row and node; several at one place give their mean.

    Raises ValueError where the array would be too large, or a known covariate is not known.
    """
    free = [column for column in role.others if column in columns]
    index, nodes, findings = _nodes(frame, role, rows)
    if not (role.node or role.targets or role.past):  # a column is a node
        nodes, channels, targets, used = free, ["value"], [], free
    else:
        nodes = nodes or [name]
        targets = role.targets or free
        channels = used = [*targets, *role.past]
        if spare := [column for column in free if column not in used]:
            findings.append(Finding("unused columns", shown(spare), len(spare), "left out"))
    shape = (len(rows.time), len(nodes), len(channels))
    if np.prod(shape, dtype=float) > LARGEST:
        raise ValueError(
            f"{shape[0]:,} rows × {shape[1]:,} nodes × {shape[2]} channels are too many cells: "
            "take fewer nodes, a longer data.step, or other columns; is node an id of the row?"
        )
    if not used:
        raise ValueError("there is no target left: name one by data.targets=[…]")
    read = {column: numbers.values[rows.kept] for column, numbers in columns.items()}
    if used is free:
        parts = [_mean(rows.row, read[column], shape[0]) for column in used]
        values = np.stack(parts, axis=1)[..., None]
    else:
        at = np.where(index < 0, -1, rows.row * len(nodes) + index)
        flat = [_mean(at, read[column], shape[0] * shape[1]) for column in used]
        values = np.stack(flat, axis=1).reshape(shape)
    per_node = len(nodes) if role.node else 0
    known = [_known(read[c], (c, kind), index, per_node, rows) for c, kind in role.known.items()]
    width = max((x.shape[1] for x in known), default=1)
    covariates = [np.broadcast_to(x, (shape[0], width)) for x in known]
    stacked = np.stack(covariates, axis=-1) if known else np.zeros((shape[0], 1, 0))
    return Table(values, stacked, nodes, channels, targets, used, findings)


def _nodes(
    frame: DataFrame, role: Roles, rows: Rows
) -> tuple[np.ndarray, list[str], list[Finding]]:
    """The node of every record (−1 = none), and their names in the order of the file."""
    import pandas as pd

    if role.node is None:
        return np.zeros(len(rows.row), int), [], []
    column = frame[role.node][rows.kept]
    if column.dtype.kind == "f" and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")  # an id with a gap: 7, not 7.0
    index, names = pd.factorize(column)
    lost = int((index < 0).sum())
    found = [Finding("rows without a node", role.node, lost, "left out")] if lost else []
    return index, [str(name).strip() for name in names], found


def _mean(at: np.ndarray, x: np.ndarray, size: int) -> np.ndarray:
    """The mean of what belongs to each of `size` places; NaN where there is nothing."""
    seen = ~np.isnan(x) & (at >= 0)
    count = np.bincount(at[seen], minlength=size)
    total = np.bincount(at[seen], weights=x[seen], minlength=size)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _known(
    x: np.ndarray, name: tuple[str, str], index: np.ndarray, nodes: int, rows: Rows
) -> np.ndarray:
    """A covariate (time, node | 1): shared, if all nodes have the same at every instant."""
    size = len(rows.time)
    shared = _mean(rows.row, x, size)
    if nodes and not np.allclose(x, shared[rows.row], rtol=1e-12, equal_nan=True):
        at = np.where(index < 0, -1, rows.row * nodes + index)
        values = _mean(at, x, size * nodes).reshape(size, nodes)
    else:
        values = shared[:, None]
    lacking = np.isnan(values).any(1)
    if lacking.any():
        first = int(lacking.argmax())
        where = stamp(rows.time[first]) if rows.step else f"row {first}"
        column, kind = name
        raise ValueError(
            f"{kind}: a known covariate is known at every step; {column!r} lacks "
            f"{lacking.sum()} of {size}, the first at {where}: fill it in the file"
        )
    return values
