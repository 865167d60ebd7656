"""A file of your own, CSV or parquet, as a panel.

wide   time, a column per node                   one channel, "value"
wide   time, columns; `targets` or `past` named  one node, those columns are its channels
long   time, node, columns                       nodes × the columns as channels

What is missing is masked, never filled; what was odd is listed in `About.findings`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from stsfm.datasets.ablation import Graph, ablated
from stsfm.datasets.about import Finding
from stsfm.datasets.graph import Geometry, Kernel, space_of
from stsfm.datasets.panel import About, Panel
from stsfm.datasets.reading.arrange import arrange
from stsfm.datasets.reading.delimited import shown
from stsfm.datasets.reading.instants import place
from stsfm.datasets.reading.numbers import Decimal, Numbers, numbers
from stsfm.datasets.reading.oddities import merged, oddities
from stsfm.datasets.reading.reader import read_file
from stsfm.datasets.reading.roles import Layout, Roles, roles

if TYPE_CHECKING:
    from pandas import DataFrame


def tabular(
    *,
    path: str,
    layout: Layout = "auto",
    time: str | None = "auto",
    node: str | None = None,
    targets: Sequence[str] = (),
    past: Sequence[str] = (),
    planned: Sequence[str] = (),
    forecast: Sequence[str] = (),
    oracle: Sequence[str] = (),
    step: str = "auto",
    season: int | Literal["auto"] = "auto",
    units: str = "auto",
    timezone: str = "",
    day_first: bool | Literal["auto"] = "auto",
    decimal: Decimal = "auto",
    header: bool | Literal["auto"] = "auto",
    edges: str | None = None,
    distances: str | None = None,
    coords: str | None = None,
    kernel: Kernel = "gaussian",
    neighbours: int = 8,
    threshold: float = 0.1,
    geometry: Geometry = "plane",
    space: Graph = "given",
) -> Panel:
    """The panel in a file: values (time, node, channel) on a regular grid of time.

    Rows at the end without any target, but with known covariates, are kept: `Panel.history` ends
    before them. `season` counts steps; auto is 0, to be inferred from the rows of train. The step
    is inferred from the first half of the stamps. conf/data/tabular.yaml explains the other keys.

    Raises ValueError, in one line, where the file or a key makes no panel.
    """
    if not path:
        raise ValueError("which file? Say data=my.csv")
    frame, findings = read_file(path, header)
    known = {"planned": planned, "forecast": forecast, "oracle": oracle}
    role = roles(
        frame, layout=layout, time=time, node=node, targets=targets, past=past, known=known
    )
    columns, more = _columns(frame, role, decimal)
    rows = place(frame, role, step=step, timezone=timezone, day_first=day_first)
    table = arrange(frame, role, columns, rows, name=stem(path))
    findings += [*role.findings, *more, *rows.findings, *table.findings]
    mask = ~np.isnan(table.values)
    written = {columns[name].unit for name in table.used} - {""}
    unit = written.pop() if units == "auto" and len(written) == 1 else units.replace("auto", "")
    about = About(
        name=stem(path),
        nodes=tuple(table.nodes),
        channels=tuple(table.channels),
        targets=tuple(table.targets),
        units=(unit,) * len(table.channels),
        covariates=tuple(role.known),
        kinds=tuple(role.known.values()),
        season=0 if season == "auto" else season,
        step=rows.step,
        source=path,
        licence="your own",
        digest=hashlib.sha256(Path(path).expanduser().read_bytes()).hexdigest(),
    )
    panel = Panel(
        values=np.where(mask, table.values, 0.0),
        mask=mask,
        time=rows.time,
        known=table.known,
        space=space_of(
            table.nodes,
            edges=edges,
            distances=distances,
            coords=coords,
            kernel=kernel,
            neighbours=neighbours,
            threshold=threshold,
            geometry=geometry,
        ),
        about=about,
    )
    if not len(panel.history()):
        raise ValueError(f"{path}: no target is observed in any row")
    if future := len(panel) - len(panel.history()):
        done = "a future: not scored"
        findings.append(Finding("rows without targets", "at the end", future, done))
    if not targets and len(about.channels) > 1:
        done = "all forecast, unless data.targets=[…] names some"
        findings.append(Finding("channels", shown(list(about.channels)), len(about.channels), done))
    listed = merged([*findings, *oddities(panel)])
    panel = replace(panel, about=replace(about, findings=tuple(listed)))
    return ablated(panel, space)


def stem(path: str) -> str:
    """What a file is called in tables and folders: data/my.csv.gz → my."""
    return Path(Path(path).name.removesuffix(".gz")).stem.lstrip("._") or "data"


def _columns(
    frame: DataFrame, role: Roles, decimal: Decimal
) -> tuple[dict[str, Numbers], list[Finding]]:
    """Every column that is used, as numbers. Text that nobody named is left out."""
    found: dict[str, Numbers] = {}
    text, empty = [], []
    for name in [*role.targets, *role.past, *role.known, *role.others]:
        column = numbers(frame[name], decimal)
        if column is None and name not in role.others:
            sample = frame[name].dropna().iloc[0]
            raise ValueError(f"column {name!r} holds text, such as {str(sample)[:20]!r}")
        if column is None:
            text.append(name)
        elif name in role.others and np.isnan(column.values).all():
            empty.append(name)
        else:
            found[name] = column
    findings = [f for column in found.values() for f in column.findings]
    if text:
        findings.append(Finding("text columns", shown(text), len(text), "left out"))
    if empty:
        findings.append(Finding("all missing", shown(empty), len(empty), "left out"))
    if not set(found) - set(role.known):
        raise ValueError(f"no column of numbers to forecast; the columns are {shown([*frame], 8)}")
    return found, findings
