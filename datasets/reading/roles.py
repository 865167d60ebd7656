"""What each column of a table is: time, node, target, past or known covariate."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from stsfm.datasets.about import Finding
from stsfm.datasets.reading.delimited import shown
from stsfm.datasets.reading.stamps import stamps

if TYPE_CHECKING:
    from pandas import DataFrame, Series

Layout = Literal["auto", "wide", "long"]
TIMES = {"time", "timestamp", "datetime", "date", "ds", "stamp", "t", "period"}
TIMES |= {"year", "quarter", "month", "week", "day", "hour"}
NODES = {"node", "unique_id", "item_id", "id", "series", "series_id", "sensor", "station", "name"}
ENOUGH = 200  # cells that tell whether a column holds stamps


@dataclass(frozen=True)
class Roles:
    """Names of columns; `time` None numbers the rows, `node` None is the wide layout.

    targets, past  named by the user; both empty: every other column of numbers is a target
    known          column → how it comes to be known ahead
    """

    time: str | None
    node: str | None
    targets: list[str]
    past: list[str]
    known: dict[str, str]
    others: list[str]  # not named by the user: numbers, or text that is left out
    findings: list[Finding] = field(default_factory=list)


def roles(
    frame: DataFrame,
    *,
    layout: Layout,
    time: str | None,
    node: str | None,
    targets: Sequence[str],
    past: Sequence[str],
    known: Mapping[str, Sequence[str]],
) -> Roles:
    """What each column is, as the user named it or as it looks. Raises ValueError on wrong names.

    `known` maps a kind (planned, forecast, oracle) to its columns.
    """
    named: dict[str, Sequence[str]] = {"targets": targets, "past": past, **known}
    named["time"] = [time] if time and time != "auto" else []
    named["node"] = [node] if node else []
    _check(frame, named)
    if layout == "wide" and node:
        raise ValueError(f"node={node} names the nodes of a long table: leave out layout=wide")
    taken = {name for names in named.values() for name in names}
    findings = []
    first = frame.columns[0]
    if first == "unnamed 1" and first not in taken and _counts(frame[first]):
        frame = frame.drop(columns=first)
        findings.append(Finding("index column", "first column", 1, "left out"))
    free = [name for name in frame.columns if name not in taken]
    if time == "auto":
        time = _time(frame, free)
        if time is None and node:
            raise ValueError("no column holds stamps, which rows of (time, node, value) need")
    free = [name for name in free if name != time]
    if node is None and layout != "wide" and time is not None:
        node = _node(frame, time, free, sure=layout == "long")
        if node is None and layout == "long":
            raise ValueError("layout=long: which column names the nodes? Say data.node=…")
    others = [name for name in free if name != node]
    kinds = {name: kind for kind, names in known.items() for name in names}
    return Roles(time, node, list(targets), list(past), kinds, others, findings)


def _check(frame: DataFrame, named: Mapping[str, Sequence[str | None]]) -> None:
    """The named columns exist, and each is named once."""
    seen: dict[str, str] = {}
    for key, names in named.items():
        for name in map(str, names):
            if name not in frame.columns:
                near = difflib.get_close_matches(name, frame.columns, 1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                columns = shown(list(frame.columns), 8)
                raise ValueError(f"{key}: no column {name!r}.{hint} The columns are {columns}")
            if name in seen:
                raise ValueError(f"{name!r} is named under {seen[name]} and under {key}: keep one")
            seen[name] = key


def _counts(column: Series) -> bool:
    """0, 1, 2, … or 1, 2, 3, …"""
    if column.dtype.kind not in "iu":
        return False
    return bool((np.diff(column.to_numpy()) == 1).all()) and int(column.iloc[0]) in (0, 1)


def _time(frame: DataFrame, free: list[str]) -> str | None:
    """A column called like time that holds stamps or counts, else the first of stamps in text."""
    called = [name for name in free if name.lower() in TIMES]
    text = [name for name in free if frame[name].dtype.kind not in "biuf"]
    for name in [*called, *text]:
        sample = frame[name].dropna().head(ENOUGH)
        try:
            if stamps(sample, timezone="", day_first="auto") is not None:
                return name
        except ValueError:  # stamps, though not to be read without more
            return name
    numeric = [name for name in called if frame[name].dtype.kind in "iuf"]
    return numeric[0] if numeric else None


def _node(frame: DataFrame, time: str, free: list[str], *, sure: bool) -> str | None:
    """The column that tells rows of one instant apart: by its name, else the first text."""
    if not sure and not frame[time].dropna().duplicated().any():
        return None
    called = [name for name in free if name.lower() in NODES]
    text = [name for name in free if frame[name].dtype.kind not in "biuf"]
    for name in [*called, *text]:
        pairs = frame[[time, name]].dropna()
        twice = pairs.duplicated().mean() if len(pairs) else 1
        if frame[name].notna().any() and (sure or twice < 0.5 * pairs[time].duplicated().mean()):
            return name
    return None
