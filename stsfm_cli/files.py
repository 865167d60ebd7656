"""Files that are whole or not there, and that are known again when they are read.

A file is known by its size and time of change while these stay, which costs no reading; where the
time is another (a copy, an edit, a repair), its digest decides.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Manifest = Mapping[str, Mapping[str, Any]]  # name → bytes, changed (ns since 1970), sha256


def write(path: Path, content: str | bytes) -> None:
    """Write a whole file or none: readers see the old one or the new one, never half."""
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        new = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with new.open("wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise


def write_json(path: Path, content: Any) -> None:
    write(path, json.dumps(content, indent=1, default=str) + "\n")


def write_npz(path: Path, arrays: Mapping[str, ArrayLike]) -> None:
    """Write named arrays as one compressed file, that holds no code."""
    from numpy import savez_compressed  # readers of text alone need none

    content = io.BytesIO()
    savez_compressed(content, allow_pickle=False, **arrays)
    write(path, content.getvalue())


def append(path: Path, line: str) -> None:
    """Add a line at the end of a file; a reader drops one without its end."""
    with naming(path), path.open("a") as file:
        file.write(f"{line}\n")


def size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder; links count for themselves."""
    inner = path.rglob("*") if path.is_dir() and not path.is_symlink() else [path]
    return sum(file.lstat().st_size for file in inner if file.is_symlink() or file.is_file())


def manifest(folder: Path, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What files of a folder are known by."""
    known = {}
    for name in sorted(names):
        found = (folder / name).stat()
        facts = {"bytes": found.st_size, "changed": found.st_mtime_ns}
        known[name] = facts | {"sha256": _digest(folder / name)}
    return known


def damage(folder: Path, known: Manifest, *, every_byte: bool = False) -> str | None:
    """The first file that is not what it was, in words; None where all are."""
    for name, facts in known.items():
        try:
            found = (folder / name).stat()
            if found.st_size != facts["bytes"]:
                return f"{name} has {found.st_size} bytes of {facts['bytes']}"
            touched = every_byte or found.st_mtime_ns != facts["changed"]
            if touched and _digest(folder / name) != facts["sha256"]:
                return f"{name} was changed"
        except FileNotFoundError:
            return f"{name} is missing"
        except OSError as error:
            return f"{name} can't be read ({error.strerror})"
    return None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sweep(path: Path) -> None:
    """Drop the drafts of `path` that a process left which was killed while it wrote."""
    start = f".{path.name}."
    for draft in path.parent.iterdir():
        pid = draft.name.removeprefix(start)
        if draft.name.startswith(start) and pid.isdigit() and not _alive(int(pid)):
            draft.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """A full disk is met in writing, whose errors don't name the file."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
