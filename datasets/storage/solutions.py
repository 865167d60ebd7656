"""Solutions of equations, computed once: every job of a sweep sees the same ones.

One is kept in the cache under all that it follows from: the equation and its constants, where it
starts, the instants, the source that solves it, and the libraries.
"""

from __future__ import annotations

import hashlib
import inspect
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache as once
from pathlib import Path

import numpy as np
import scipy

from stsfm.datasets.about import Array, Space
from stsfm.datasets.equations.base import Equation
from stsfm.datasets.storage.cache import cache


def kept(
    equation: Equation, start: Array, seconds: Array, space: Space, of: Callable[[], Array]
) -> Array:
    """What `of` gives for these (t, node, channel); asked where it was never solved here."""
    facts = [repr(equation), _source(type(equation)), np.__version__, scipy.__version__]
    key = hashlib.sha256("\n".join(facts).encode())
    for array in (start, seconds, space.coords, space.adjacency):
        key.update(b"none" if array is None else f"{array.shape} {array.dtype} ".encode())
        key.update(b"" if array is None else np.ascontiguousarray(array).tobytes())
    path = cache() / "solutions" / f"{key.hexdigest()}.npy"
    with suppress(OSError, ValueError, EOFError):  # not there, or not whole
        found: Array = np.load(path, allow_pickle=False)
        return found
    made = of()
    with suppress(OSError):  # a cache that can't be written costs time and nothing else
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.npy")
        np.save(part, made)
        part.replace(path)
    return made


@once
def _source(equation: type[Equation]) -> str:
    """Of the equation and of all equations beside it, with what solves them."""
    files = [*Path(inspect.getfile(Equation)).parent.glob("*.py"), Path(inspect.getfile(equation))]
    return "\n".join(file.read_text() for file in sorted(set(files)))
