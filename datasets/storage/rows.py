"""Rows of arrays that may be larger than memory.

A memory-mapped array is read where it is needed: in slices that follow each other, or in the few
rows of a window. What is made of one and is as large (the panel in transformed units) lies on disk
as well, in a file without a name that goes when nobody refers to it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

CELLS = 1_000_000  # read at once


def mapped(array: Any) -> bool:
    """Does it lie in a file, and not in memory, as a copy of one does that numpy calls the same?"""
    return isinstance(array, np.memmap) and getattr(array, "_mmap", None) is not None


def chunks(array: Any) -> Iterator[slice]:
    """Slices along the first axis, one after another, of at most CELLS each."""
    rows = array.shape[0]
    size = max(1, CELLS // max(1, prod(array.shape[1:])))
    return (slice(first, min(first + size, rows)) for first in range(0, rows, size))


def room_for(array: Any) -> np.ndarray:
    """An empty array of that shape: in memory in double precision, of a mapped one on disk in
    single. OSError where the disk is full."""
    if not mapped(array):
        return np.empty(array.shape)
    with tempfile.TemporaryFile(prefix="stsfm-") as file:
        size = max(1, array.size * 4)
        try:
            os.posix_fallocate(file.fileno(), 0, size)  # else a full disk kills at some write
        except OSError as error:
            where = tempfile.gettempdir()
            raise OSError(
                f"the transformed panel needs {size / 2**30:.1f} GiB in {where}: {error.strerror}; "
                "let TMPDIR name a folder with room, or use protocol.scaling=none"
            ) from None
        return np.memmap(file, np.float32, "r+", shape=array.shape)


def runs(x: np.ndarray, starts: Any, length: int) -> np.ndarray:
    """x[start : start + length] for each start (*batch), as one copy of overlapping views."""
    inner = x.shape[1:]
    width = prod(inner)
    shape, views = (*starts.shape, length, *inner), (x.shape[0] - length + 1, length * width)
    if not width:
        return np.zeros(shape, x.dtype)
    if not any(x.strides):  # one cell that stands for all of them: an unbroken mask
        return np.full(shape, x[(0,) * x.ndim])
    flat = np.ascontiguousarray(x)
    strides = (flat.strides[0], flat.itemsize)
    overlapping = np.lib.stride_tricks.as_strided(flat, views, strides, writeable=False)
    return overlapping[np.atleast_1d(starts)].reshape(shape)
