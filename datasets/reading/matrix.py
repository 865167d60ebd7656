"""A table of numbers, rows of time by columns, from the formats that benchmarks come in.

.csv .csv.gz   a header; a first column of stamps, or none
.txt .txt.gz   numbers with commas between, without a header
.npz .npy      an array (time, column) or (time, column, feature), called data
.h5 .hdf5      what pandas writes as a table of one type (extra `hdf5`)

Unlike a file of one's own (reader.py), nothing is inferred: each of them is known.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

Zeros = Literal["missing", "observed"]  # what a 0 stands for


class Matrix(NamedTuple):
    """What a file holds.

    values  float64 (time, column) or (time, column, feature); NaN where missing
    names   of the columns; () where the file has none
    time    int64 (time), ns since 1970; None where the file has none
    """

    values: np.ndarray
    names: tuple[str, ...] = ()
    time: np.ndarray | None = None


def read_matrix(path: Path) -> Matrix:
    """Raises ValueError, in one line, where a file is none of these or cannot be read."""
    readers = {
        ".csv": _csv, ".txt": _text, ".npz": _numpy, ".npy": _numpy, ".h5": _hdf5, ".hdf5": _hdf5,
    }  # fmt: skip
    kind = Path(path.name.lower().removesuffix(".gz")).suffix
    if kind not in readers:
        raise ValueError(f"{path.name}: wanted one of {', '.join(readers)}")
    try:
        return readers[kind](path)
    except (OSError, KeyError, ValueError, EOFError) as error:
        raise ValueError(f"{path.name}: {' '.join(str(error).split())}") from None


def observed(values: np.ndarray, zeros: Zeros = "observed") -> tuple[np.ndarray, np.ndarray]:
    """Values with 0 where missing, and the mask of what is not; of values that nobody else has."""
    mask = np.isfinite(values)
    if zeros == "missing":
        mask &= values != 0
    values[~mask] = 0
    return values, mask


def regular(start: str, step: int, rows: int) -> np.ndarray:
    """Stamps (row) of a file that has none: from `start` on, every `step` ns."""
    return np.datetime64(start, "ns").astype("int64") + step * np.arange(rows)


def _csv(path: Path) -> Matrix:
    import pandas as pd

    try:
        frame = pd.read_csv(path)
    except UnicodeDecodeError:
        frame = pd.read_csv(path, encoding="cp1252")
    time = None
    if not pd.api.types.is_numeric_dtype(frame.iloc[:, 0]):
        stamps = pd.to_datetime(frame.pop(frame.columns[0]))
        time = stamps.to_numpy().astype("datetime64[ns]").astype("int64")
    names = tuple(str(name).strip() for name in frame)
    return Matrix(np.array(frame.to_numpy(), float, order="C"), names, time)


def _text(path: Path) -> Matrix:
    import pandas as pd

    return Matrix(np.array(pd.read_csv(path, header=None).to_numpy(), float, order="C"))


def _numpy(path: Path) -> Matrix:
    with path.open("rb") as file:
        held = np.load(file)  # refuses what would run code
        if not isinstance(held, np.ndarray):
            name = "data" if "data" in held or len(held.files) != 1 else held.files[0]
            held = held[name]
    if held.ndim not in (2, 3):
        raise ValueError(f"wanted (time, node[, feature]), got {held.shape}")
    return Matrix(np.array(held, float, order="C"))


def _hdf5(path: Path) -> Matrix:
    try:
        import h5py
    except ImportError:
        raise ValueError("HDF5 needs: pip install 'stsfm[hdf5]'") from None
    with h5py.File(path) as file:
        tables = [table for table in file.values() if "block0_values" in table]
        if len(tables) != 1 or "block1_values" in tables[0]:
            raise ValueError("wanted a table of pandas, of one type; it is another")
        (table,) = tables
        unit = np.asarray(table["axis1"].attrs.get("kind", b"")).item()
        unit = unit.decode() if isinstance(unit, bytes) else str(unit)
        stamps = table["axis1"][:].astype(unit if "[" in unit else "datetime64[ns]")
        names = table["block0_items"][:]
        return Matrix(
            np.array(table["block0_values"], float),
            tuple(name.decode() if isinstance(name, bytes) else str(name) for name in names),
            stamps.astype("datetime64[ns]").astype("int64"),
        )
