"""A run and a comparison as a notebook shows them: tables, figures and forecasts of a record."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stsfm.mistakes import Mistake, no_such
from stsfm.record import Record
from stsfm.tables.claims import claimed
from stsfm.tables.grid import Grid
from stsfm.tables.render import as_csv, as_html, as_text
from stsfm.tables.sheets import sheets
from stsfm.tables.table import Table, tabulate

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Figure:
    """A figure of a run, drawn when the run was made."""

    path: Path  # of the SVG; a PNG lies beside it
    caption: str

    def _repr_svg_(self) -> str:
        return self.path.read_text()

    def __repr__(self) -> str:
        return f"{self.path.stem}: {self.caption}"


@dataclass(frozen=True)
class Run:
    """A kept run that finished."""

    record: Record

    @property
    def folder(self) -> Path:
        return self.record.folder

    @property
    def config(self) -> dict[str, Any]:
        """All that it was made from, resolved."""
        return self.record.config

    @property
    def scores(self) -> DataFrame:
        """A row per metric, pooled over steps, nodes and origins: val and test, in its unit."""
        from pandas import DataFrame

        kept = self.record.scores
        pooled = {part: self.record.pooled(part) for part in ("val", "test")}
        frame = DataFrame({**pooled, "unit": kept["units"]}).loc[list(kept["val"])]
        frame["unit"] = frame["unit"].replace("data", self.record.status["units"])
        return frame.rename_axis("metric").astype({"val": float, "test": float})

    @property
    def table(self) -> DataFrame:
        """The run beside its baselines, every metric in full precision."""
        return _frame(self._table)

    @property
    def history(self) -> DataFrame:
        """A row per epoch; empty for models that have none."""
        from pandas import DataFrame

        rows = DataFrame(self.record.history())
        return rows.astype({"epoch": int}).set_index("epoch") if len(rows) else rows

    @property
    def forecasts(self) -> DataFrame:
        """A row per test origin, step, node and channel, in the units of the data.

        origin is the stamp of the first step, truth is NaN where it was not observed.
        """
        from pandas import DataFrame, to_datetime

        data = self.record.read("data.json")
        if not (kept := self.record.forecasts()):
            raise Mistake(f"the forecasts of {self.folder} were too many to keep")
        w, h, n, c = (axis.ravel() for axis in np.indices(kept["point"].shape))
        columns: dict[str, Any] = {
            "origin": to_datetime(kept["time"][w, 0]),
            "step": h + 1,
            "time": to_datetime(kept["time"][w, h]),
            "node": np.array(data["node_names"])[n],
            "channel": np.array(data["targets"])[c],
            "truth": np.where(kept["mask"], kept["truth"], np.nan).ravel(),
            "point": kept["point"].ravel(),
        }
        if "mean" in kept:
            columns["mean"] = kept["mean"].ravel()
        for k, level in enumerate(kept["levels"]):
            columns[f"q{100 * level:02.4g}"] = kept["quantiles"][..., k].ravel()
        return DataFrame(columns)

    @property
    def figures(self) -> list[str]:
        """What `plot` can show."""
        return list(self._captions)

    def plot(self, name: str) -> Figure:
        """A figure by its name, such as forecasts; the last line of a cell shows it."""
        if name not in self.figures:
            raise no_such("figure", name, self.figures)
        return Figure(self.folder / "plots" / f"{name}.svg", self._captions[name])

    def predict(self, data: Any = None, *, refit: bool = False) -> DataFrame:
        """The forecast beyond the last row, as `stsfm predict` gives it.

        data   rows to forecast from instead: a file, a dataset's name, a Panel, DataFrame or array
        refit  learn from all rows first
        """
        from stsfm.datasets.panel import Panel
        from stsfm.saved import forecast

        if not (data is None or isinstance(data, str | os.PathLike | Panel)):
            from stsfm.frames import keep

            data = keep(data, self.folder.parents[2])
        data = os.fspath(data) if isinstance(data, os.PathLike) else data
        return forecast(self.record, data=data, refit=refit).to_frame()

    @property
    def _captions(self) -> dict[str, str]:
        kept = self.record.read("plots/captions.json")
        return {Path(name).stem: caption for name, caption in kept.items()}

    @cached_property
    def _table(self) -> Table:
        from stsfm.present import members, tried

        return claimed(tabulate(members(self.record), tried=tried(self.record)))

    def _repr_html_(self) -> str:
        return as_html(self._table, os.path.relpath(self.folder))

    def __repr__(self) -> str:
        from stsfm.present import line

        return line(self.record)


@dataclass(frozen=True)
class Comparison:
    """Kept runs side by side, by the folder that the comparison was written to."""

    folder: Path

    @property
    def runs(self) -> list[Run]:
        """The runs that finished, baselines included."""
        return [Run(record) for record in self._members if record.state == "finished"]

    @property
    def table(self) -> DataFrame:
        """A row per configuration, means and deviations over seeds, in full precision.

        Over several tasks the index is (task, model).
        """
        from pandas import concat

        if len(self._grid.tasks) == 1:
            return _frame(self._grid.tables[0])
        frames = {task.label: _frame(task.table) for task in self._grid.tasks}
        return concat(frames, names=["task"])

    @property
    def grid(self) -> DataFrame:
        """Test scores, a row per model and a column per task; NaN where a model has none."""
        from pandas import DataFrame

        names, tasks = list(self._grid.models), [task.label for task in self._grid.tasks]
        frame = DataFrame(self._grid.errors().T, index=names, columns=tasks)
        return frame.rename_axis(index="model", columns=f"test {self._grid.metric}")

    @property
    def _members(self) -> list[Record]:
        from stsfm.record.shelf import compared

        return [*compared(self.folder)]

    @cached_property
    def _grid(self) -> Grid:
        from stsfm.gathered import again

        return again(self.folder)

    @property
    def _shown(self) -> Table | Grid:
        return self._grid if len(self._grid.tasks) > 1 else self._grid.tables[0]

    def _repr_html_(self) -> str:
        return as_html(self._shown, os.path.relpath(self.folder))

    def __repr__(self) -> str:
        notes = [note for sheet in sheets(self._shown, brief=True) for note in sheet.notes]
        return "\n".join([*as_text(self._shown), *notes])


def _frame(table: Table) -> DataFrame:
    import io

    from pandas import read_csv

    return read_csv(io.StringIO(as_csv(table))).dropna(axis=1, how="all").set_index("model")
