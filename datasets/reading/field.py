"""Fields on rectangular grids, from NetCDF and Zarr, through xarray: lazily, a block at a time."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from xarray import DataArray, Dataset

Array = np.ndarray

BLOCK = 32 << 20  # bytes that are read at once
AXES = {  # axis → names and units by which it is known (CF conventions 1.11, §4)
    "y": ("lat", "latitude", "y", "rlat", "degrees_north", "degree_north"),
    "x": ("lon", "longitude", "x", "rlon", "degrees_east", "degree_east"),
    "time": ("time", "valid_time"),
}


class Axis(NamedTuple):
    """One side of the box: its dimension, which of its points, and where they are."""

    name: str
    pick: Array  # int (point)
    at: Array  # float (point); of time int64, ns since 1970
    unit: str


def opened(path: Path) -> Dataset:
    """The file, of which nothing is read yet. ValueError where it is none."""
    try:
        import xarray
    except ImportError:
        raise ValueError(f"{path.name} needs: pip install 'stsfm[grid]'") from None
    if not path.exists():
        raise ValueError(f"there is no file {path.absolute()}")
    try:
        engine = "zarr" if path.is_dir() else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of other calendars, which are refused below
            return xarray.open_dataset(path, engine=engine, chunks=None)
    except Exception as error:  # the backends raise many kinds
        said = " ".join(str(error).split())
        raise ValueError(f"{path.name} cannot be read as NetCDF or Zarr: {said[:200]}") from None


def variable(held: Dataset, name: str, level: float | None) -> DataArray:
    """A variable over time, y and x; `level` is the value of the one axis more that it may have."""
    if name not in held.data_vars:
        raise ValueError(f"no variable {name!r}; there are {', '.join(map(str, held.data_vars))}")
    field = held[name]
    known = {axis_of(field, axis) for axis in AXES}
    for other in [dim for dim in field.dims if dim not in known]:
        if field.sizes[other] == 1:
            field = field.isel({other: 0})
        elif level is None or other not in field.coords:
            values = field[other].values if other in field.coords else range(field.sizes[other])
            some = ", ".join(f"{value:g}" for value in list(values)[:5])
            raise ValueError(f"{name} has several {other}: say data.level={some} …")
        else:
            field = field.sel({other: level}, method="nearest", drop=True)
            level = None
    return field


def with_space_and_time(held: Dataset) -> list[str]:
    """The variables that are fields in time."""
    found = []
    for name, field in held.data_vars.items():
        try:
            axes = {axis_of(field, axis) for axis in AXES}
        except ValueError:
            continue
        found += [str(name)] * (len(axes) == 3)
    return found


def axis_of(field: DataArray, axis: str) -> str:
    """The dimension that is an axis, known by its name or the units of its coordinate."""
    for dim in field.dims:
        units = str(field[dim].attrs.get("units", "")) if dim in field.coords else ""
        if str(dim).lower() in AXES[axis] or units in AXES[axis]:
            return str(dim)
    wanted = " or ".join(AXES[axis][:2])
    has = ", ".join(map(str, field.dims))
    raise ValueError(f"{field.name} has no axis {wanted}, only {has}: wanted time, y and x, each "
                     "one axis")  # fmt: skip


def side(field: DataArray, axis: str, box: Sequence[float], stride: int) -> Axis:
    """The points of x or y within [low, high], every `stride`-th, rising.

    Longitudes go round: [-10, 30] is found in a file of 0 … 360, too.
    """
    name = axis_of(field, axis)
    if name not in field.coords:
        raise ValueError(f"{name} has no coordinates")
    coordinate = field[name]
    unit = str(coordinate.attrs.get("units", ""))
    at = own = coordinate.values.astype(float)
    degrees = unit.startswith("degree") or name.lower() in AXES[axis][:2]
    if len(box) not in (0, 2):
        raise ValueError(f"a box is two numbers, low and high, got {list(box)}")
    if box and axis == "x" and degrees:
        at = box[0] + (at - box[0]) % 360
    pick = np.argsort(at, kind="stable")
    if box:
        pick = pick[(at[pick] >= box[0]) & (at[pick] <= box[1])]
    if not len(pick):
        raise ValueError(
            f"no {name} within {list(box)}; it goes from {own.min():g} to {own.max():g}"
        )
    pick = pick[::stride]
    return Axis(name, pick, at[pick], "degrees" if degrees else unit)


def span(field: DataArray, start: str, end: str) -> Axis:
    """The rows from `start` on and up to `end`, which are dates or ""."""
    name = axis_of(field, "time")
    if name not in field.coords or field[name].dtype.kind != "M":
        raise ValueError(f"{name} has no dates of the usual calendar, so no row can be placed")
    stamps = field[name].values.astype("datetime64[ns]").astype("int64")
    try:
        low, high = (int(np.datetime64(date, "ns").astype("int64")) if date else None
                     for date in (start, end))  # fmt: skip
    except ValueError:
        raise ValueError(f"start and end are dates, such as 2020-01, got {start}, {end}") from None
    wanted = (stamps >= (stamps[0] if low is None else low)) & (
        stamps <= (stamps[-1] if high is None else high)
    )
    pick = np.flatnonzero(wanted)
    if not len(pick) or (np.diff(stamps[pick]) <= 0).any():
        raise ValueError(f"{name}: wanted stamps that rise, some of them from {start} to {end}")
    return Axis(name, pick, stamps[pick], "")


def read(
    fields: Sequence[DataArray], time: Axis, y: Axis, x: Axis, rows: Array, coarsen: int
) -> tuple[Array, Array]:
    """Values (row, node, variable), NaN where missing, and which cells (y, x) are the nodes.

    rows     int (stamp): the row of each; rows without a stamp are missing
    coarsen  means over so many points on either side, of those that are observed
    """
    shape = (len(y.at) // coarsen, len(x.at) // coarsen)
    if 0 in shape:
        raise ValueError(f"coarsen={coarsen} leaves no point of {len(y.at)} × {len(x.at)}")
    out = np.full((rows[-1] + 1, shape[0] * shape[1], len(fields)), np.nan)
    each = max(1, BLOCK // (8 * len(y.at) * len(x.at)))
    for channel, field in enumerate(fields):
        box = field.transpose(time.name, y.name, x.name).isel(
            {y.name: evenly(y.pick), x.name: evenly(x.pick)}
        )
        for first in range(0, len(time.pick), each):
            part = slice(first, first + each)
            block = box.isel({time.name: evenly(time.pick[part])}).values.astype(float)
            out[rows[part], :, channel] = _coarse(block, coarsen).reshape(len(block), -1)
    seen = np.asarray(np.isfinite(out).any((0, 2)))
    return _only(out, seen), seen.reshape(shape)


def evenly(pick: Array) -> slice | Array:
    """Indices as a slice where they can be one, which reads faster."""
    step = int(pick[1] - pick[0]) if len(pick) > 1 else 1
    if step <= 0 or (np.diff(pick) != step).any():
        return pick
    return slice(int(pick[0]), int(pick[-1]) + 1, step)


def means(at: Array, coarsen: int) -> Array:
    """Where blocks of points are; points beyond the last whole block are left out."""
    return np.asarray(at[: len(at) // coarsen * coarsen].reshape(-1, coarsen).mean(1))


def _coarse(block: Array, size: int) -> Array:
    """(t, y, x) → (t, y / size, x / size): means of what is observed, NaN of nothing."""
    if size == 1:
        return block
    t, y, x = len(block), block.shape[1] // size, block.shape[2] // size
    cells = block[:, : y * size, : x * size].reshape(t, y, size, x, size)
    count = np.isfinite(cells).sum((2, 4))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nansum(cells, (2, 4)) / count)


def _only(out: Array, seen: Array) -> Array:
    """The nodes that are seen, (row, node, variable), moved together in the same memory."""
    if seen.all():
        return out
    kept = int(seen.sum())
    flat, width = out.reshape(-1), kept * out.shape[2]
    for row in range(len(out)):
        flat[row * width : (row + 1) * width] = out[row, seen].reshape(-1)
    return flat[: len(out) * width].reshape(len(out), kept, out.shape[2])
