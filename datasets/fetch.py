"""A published file on this machine: fetched once, verified, kept.

A download that was cut goes on where it stopped, and stands under its name only when whole and
verified. A file whose sha256 is not known here is trusted when it first comes; its sha256 is kept
beside it, and it has to stay the same.
"""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from stsfm.datasets.about import Finding
from stsfm.datasets.reading.download import download, reason, sha256_of
from stsfm.datasets.storage.cache import cache

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file that somebody published."""

    file: str  # its name, in the cache too
    home: str  # where readers find it: a repository or a page
    urls: tuple[str, ...] = ()  # tried in turn; () = no plain link leads to it
    sha256: str = ""  # "" = not known here
    size: int = 0  # bytes; 0 = not known here
    key: str = "data.path"  # that names a file of one's own instead


class Local(NamedTuple):
    """A file that is here: what it holds, and what is odd about it."""

    path: Path
    sha256: str
    findings: tuple[Finding, ...] = ()


def fetch(source: Source, path: str = "", *, beside: str = "") -> Local:
    """The file of a source; downloaded unless it is here.

    path    the file of one's own, or the folder that it lies in: taken as it is, whatever is cached
    beside  another file of one's own, next to which this one may lie under its published name

    Raises ValueError, in one line: there is no such file, it cannot be had (and where to put it),
    or what is cached is not what was published.
    """
    if path:
        return _own(source, Path(path).expanduser())
    near = Path(beside).expanduser()
    near = (near if near.is_dir() else near.parent) / source.file
    if beside and near.is_file():
        return _own(source, near)
    kept = cache() / source.file
    if not kept.is_file():
        _download(source, kept)
    return _verified(source, kept)


# ---- what is here --------------------------------------------------------------------------------


def _own(source: Source, path: Path) -> Local:
    """A file of the user: another one than was published is used, and said to be another."""
    path = path / source.file if path.is_dir() else path
    if not path.is_file():
        raise ValueError(f"there is no file {path.absolute()}")
    got = sha256_of(path)
    if source.sha256 in ("", got):
        return Local(path, got)
    what = f"another file than the published {source.file}"
    return Local(path, got, (Finding(what, path.name, 1, "used as it is"),))


def _verified(source: Source, kept: Path) -> Local:
    """What is cached. ValueError unless it is what was published, or what first came."""
    got, note = sha256_of(kept), _note(kept)
    if not source.sha256 and not note.exists():
        with suppress(PermissionError):  # of a cache that others keep
            note.write_text(f"{got}  {kept.name}\n")  # as sha256sum -c reads it
    wanted = source.sha256 or (note.read_text().split()[0] if note.exists() else got)
    if got != wanted:
        what = "was published" if source.sha256 else "first came"
        gone = "it" if source.sha256 else f"it and {note.name}"
        raise ValueError(
            f"{kept} is not the {source.file} that {what}: wanted sha256 {wanted}, got {got}; "
            f"remove {gone} to fetch it anew, or say {source.key}={kept} to use it as it is"
        )
    return Local(kept, got)


def _note(kept: Path) -> Path:
    return kept.with_name(f"{kept.name}.sha256")


# ---- what is not ---------------------------------------------------------------------------------


def _download(source: Source, kept: Path) -> None:
    """Fetch a file into the cache. Of several processes one does, and the others wait for it."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    failures = []
    with _alone(kept):
        if kept.is_file():
            return
        for url in source.urls:
            try:
                LOG.info("%s: fetching from %s", source.file, url)
                download(url, kept, source.sha256)
                return
            except (OSError, HTTPException) as error:
                failures.append(f"{urlsplit(url).netloc}: {reason(error)}")
    tried = "; ".join(failures) or "no plain link leads to it"
    size = f"{source.size / 1e6:.1f} MB, " if source.size else ""
    raise ValueError(
        f"{source.file} ({size}sha256 {source.sha256 or 'not known here'}) cannot be fetched "
        f"({tried}); get it from {source.home} and put it at {kept}, or say {source.key}=FILE"
    )


@contextmanager
def _alone(kept: Path) -> Iterator[None]:
    """Hold a lock that ends with the process that holds it."""
    with kept.with_name(f".{kept.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
