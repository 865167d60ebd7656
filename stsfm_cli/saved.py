"""A kept run opened again: what it forecasts beyond its own data, or on new data.

run folder → model, transform, names;  data → observed rows and those ahead;  both → Prediction
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stsfm import learned, newdata, seats
from stsfm.datasets.panel import About, Array, Forecast, Panel
from stsfm.datasets.split import panel_digest
from stsfm.datasets.windows import RollingWindows
from stsfm.headline import stamp
from stsfm.mistakes import Mistake
from stsfm.models.base import Forecaster
from stsfm.record import Record, records
from stsfm.words import listed

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """What a run says of the rows after an origin, in the units of the data."""

    origin: str  # the stamp of the first row that was forecast
    time: Array  # int64 (time,), ns since 1970
    forecast: Forecast  # (time, node, target channel)
    about: About  # of the targets
    past: Panel  # the rows before the origin, targets only
    model: str
    notes: tuple[str, ...]  # what one has to know to read it
    folder: Path  # the place for it under its run

    def to_frame(self) -> DataFrame:
        """A row per time, node and channel: point, mean where there is one, q05 … q95."""
        from pandas import DataFrame, to_datetime

        made, about = self.forecast, self.about
        t, n, c = (axis.ravel() for axis in np.indices(made.point.shape))
        columns: dict[str, Any] = {
            "time": to_datetime(self.time)[t],
            "node": np.array(about.nodes)[n],
            "channel": np.array(about.channels)[c],
            "point": made.point.ravel(),
        }
        if made.mean is not None:
            columns["mean"] = made.mean.ravel()
        for k, level in enumerate(made.levels):
            columns[f"q{100 * level:02.4g}"] = made.quantiles[..., k].ravel()  # type: ignore[index]
        return DataFrame(columns)


def matching(name: str, runs: str = "runs") -> list[Record]:
    """The runs that a path means, or the beginning of an id."""
    if (Path(name) / "status.json").is_file():
        return [Record(Path(name))]
    return [
        run
        for run in records(Path(runs))
        if run.folder.name.startswith(name)
        or run.status.get("run", "").partition("-")[2].startswith(name)
    ]


def open_run(name: str, runs: str = "runs") -> Record:
    """The run at a path, or whose id begins so. Mistake where that means none, or several."""
    found = matching(name, runs)
    if len(found) == 1:
        return found[0]
    if not found:
        raise Mistake(f"no run is called {name!r}; `stsfm ls` shows what there is")
    raise Mistake(f"{name!r} could be {', '.join(os.path.relpath(r.folder) for r in found)}")


def forecast(
    run: Record,
    *,
    data: str | Panel | None = None,
    refit: bool = False,
    overrides: Sequence[str] = (),
) -> Prediction:
    """The forecast of the run's horizon after the last observed row of its data, or of others.

    data       a panel, a file or a dataset's name: rows that go on behind the run's data, or stand
               for them; None = the run's own
    refit      learn from all of these rows first, keeping what validation chose; kept under the run
    overrides  data.key=value, of a dataset that is named

    Raises Mistake where the run is not finished or damaged, or where the data do not fit it.
    """
    kept, name = learned.facts(run), run.status["model"]
    model, how = learned.load(run)
    panel, notes = newdata.gathered(run, data, overrides)
    shown = panel.about.nodes
    panel = seats.seated(panel, kept, model, name, anew=refit)
    panel = newdata.ahead(panel, kept)
    panel = replace(panel, about=replace(panel.about, season=kept["season"]))
    windows, said = _windows(run, panel, model)
    rows = int(windows.origins[-1])
    origin = stamp(panel, rows)
    key = hashlib.sha256(f"{panel_digest(panel)} {shown} {refit}".encode()).hexdigest()[:6]
    folder = run.folder / "predict" / f"{re.sub('[ :]', '-', origin)}-{key}"
    if refit:
        known = windows.subset(windows.origins <= rows - windows.horizon)
        known = replace(known, panel=known.panel.upto(rows))
        model, how = learned.refit(run, known, folder / "model")
    past, future = windows.look_back(model.reads)[-1]
    made = windows.transform.forecast(model.predict(past, future.blank()))
    if not np.isfinite(made.point).all():
        raise FloatingPointError(f"the forecast from {origin} is not finite")
    if "intervals" in model.tags and made.quantiles is None:
        why = (run.scores.get("intervals") or {}).get("reason", "not learned for new nodes")
        said.append(f"no intervals: {why}")
    order = [panel.about.nodes.index(node) for node in shown]
    return Prediction(
        origin=origin,
        time=panel.time[rows:],
        forecast=made.map(lambda x: x[:, order]),
        about=replace(panel.about, nodes=shown).only_targets(),
        past=seats.arranged(panel.upto(rows), shown).only_targets(),
        model=name,
        notes=(how, *notes, *said, *learned.aged(run)),
        folder=folder,
    )


def _windows(run: Record, panel: Panel, model: Forecaster) -> tuple[RollingWindows, list[str]]:
    """Windows in transformed units, the last of which is to be forecast, and what to say of it."""
    kept, name = run.read("data.json"), run.status["model"]
    horizon, nodes = kept["rules"]["horizon"], kept["node_names"]
    rows, notes = len(panel) - horizon, []
    reads = rows if model.reads is None else model.reads
    if rows < reads:
        notes.append(f"{name} reads {reads} rows and found {rows}: the others count as missing")
    if new := [node for node in panel.about.nodes if node not in nodes]:
        notes.append(f"new to the run, scaled by the rows that {name} reads: {listed(new)}")
    read = panel[slice(max(0, rows - reads), rows)]
    stored = learned.transform(run)
    try:
        transform = seats.scaled(stored, nodes, read, kept["rules"])
        seen = transform.panel(panel)
    except ValueError as error:
        raise Mistake(str(error)) from error
    windows = RollingWindows(
        panel=seen,
        origins=np.arange(1, rows + 1),
        horizon=horizon,
        transform=transform.only(panel.about.target_index),
    )
    return windows, notes
