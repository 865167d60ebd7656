"""A digest of files that are read for it once, and again when they have changed.

It is kept in the cache under what tells the arrays apart: path, size and time of change of a file,
its shape, its first and last row.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from stsfm.datasets.storage.cache import cache
from stsfm.datasets.storage.rows import mapped


def remembered(arrays: Sequence[Any], of: Callable[[], str]) -> str:
    """What `of` gives for these arrays, of which some lie in files; asked once per content."""
    key = hashlib.sha256()
    for array in arrays:
        key.update(_facts(array))
    kept = cache() / "digests" / key.hexdigest()
    with suppress(OSError):
        return kept.read_text()
    digest = of()
    with suppress(OSError):  # a cache that can't be written costs time and nothing else
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(f".{os.getpid()}")
        part.write_text(digest)
        part.replace(kept)
    return digest


def _facts(array: Any) -> bytes:
    """What tells an array from others: of a large one not its content."""
    if array is None or not array.size:
        return b"none"
    shape = f"{array.shape} {array.dtype} "
    if not any(array.strides):  # one cell that stands for all
        return shape.encode() + array[(0,) * array.ndim].tobytes()
    if not mapped(array):
        return shape.encode() + hashlib.sha256(np.ascontiguousarray(array).data).digest()
    found = Path(array.filename).stat()
    where = f"{Path(array.filename).resolve()} {found.st_size} {found.st_mtime_ns} "
    return (where + shape).encode() + array[0].tobytes() + array[-1].tobytes()
