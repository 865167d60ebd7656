"""Data given as objects of Python, kept as a file that the command line can name."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stsfm.datasets.panel import Panel
from stsfm.files import write
from stsfm.mistakes import Mistake

if TYPE_CHECKING:
    from pandas import DataFrame

FIRST = "2000-01-01"  # of an array, whose rows have no stamps: a day each


def keep(data: Any, home: Path) -> Path:
    """Write data as `home`/_data/<name>-<digest>.csv, once, and return the path.

    data  a DataFrame or Series whose index or a column is the time, an array (time[, node]), or a
          Panel. Raises Mistake for anything else.
    """
    name, frame = _frame(data)
    text = frame.to_csv(index=False)
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    path = home / "_data" / f"{re.sub(r'[^A-Za-z0-9_]+', '_', name)}-{digest}.csv"
    if not path.exists():
        write(path, text)
    return path


def _frame(data: Any) -> tuple[str, DataFrame]:
    """A name, and a table whose first column is the time."""
    import pandas as pd

    if isinstance(data, pd.Series):
        data = data.to_frame(str(data.name or "value"))
    if isinstance(data, pd.DataFrame):
        return str(data.attrs.get("name", "frame")), _with_time(data)
    if isinstance(data, Panel):
        return data.about.name, _of_panel(data)
    if isinstance(data, np.ndarray) and data.ndim in (1, 2) and data.dtype.kind in "biuf":
        values = data.reshape(len(data), -1)
        columns = [f"x{k + 1}" for k in range(values.shape[1])]
        stamps = pd.date_range(FIRST, periods=len(values), name="time")
        return "array", pd.DataFrame(values, stamps, columns).reset_index()
    got = f"{type(data).__name__}{f' of shape {data.shape}' if hasattr(data, 'shape') else ''}"
    raise Mistake(
        f"data: wanted a name, a file, a DataFrame, a Series, a Panel or an array of numbers "
        f"(time[, node]), got {got}"
    )


def _with_time(frame: DataFrame) -> DataFrame:
    """A time that is the index becomes the first column."""
    import pandas as pd

    if isinstance(frame.index, pd.PeriodIndex):
        frame = frame.set_axis(frame.index.to_timestamp())
    if isinstance(frame.index, pd.RangeIndex):
        return frame
    return frame.rename_axis(frame.index.name or "time").reset_index()


def _of_panel(panel: Panel) -> DataFrame:
    """Wide where there is one channel, else a row per time and node."""
    import pandas as pd

    about = panel.about
    if about.covariates or tuple(about.targets) != tuple(about.channels):
        raise Mistake(f"{about.name} has covariates: make it a dataset of its own, as data=…")
    stamps = pd.Index(pd.to_datetime(panel.time), name="time")
    values = np.where(panel.mask, panel.values, np.nan)
    if len(about.channels) == 1:
        return pd.DataFrame(values[..., 0], stamps, list(about.nodes)).reset_index()
    index = pd.MultiIndex.from_product([stamps, about.nodes], names=["time", "node"])
    flat = values.reshape(-1, len(about.channels))
    return pd.DataFrame(flat, index, list(about.channels)).reset_index()
