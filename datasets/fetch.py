"""A published file on this machine: fetched once, verified, kept.

It is kept in $STSFM_CACHE, else in stsfm/ of $XDG_CACHE_HOME, else of ~/.cache. A download that
was cut goes on where it stopped, and stands under its name only when whole and verified. A file
whose sha256 is not known here is trusted when it first comes; its sha256 is kept beside it, and it
has to stay the same.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from stsfm.datasets.about import Finding

LOG = logging.getLogger(__name__)

TIMEOUT = 30.0  # s without a byte
ATTEMPTS = 5  # to go on with a download that is cut
CHUNK = 1 << 20  # bytes
OFTEN = 5.0  # s between lines of progress


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


def cache() -> Path:
    """The folder of what was fetched."""
    if named := os.environ.get("STSFM_CACHE"):
        return Path(named).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "stsfm"


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# ---- what is here --------------------------------------------------------------------------------


def _own(source: Source, path: Path) -> Local:
    """A file of the user: another one than was published is used, and said to be another."""
    path = path / source.file if path.is_dir() else path
    if not path.is_file():
        raise ValueError(f"there is no file {path} in {Path.cwd()}")
    got = sha256_of(path)
    if source.sha256 in ("", got):
        return Local(path, got)
    what = f"another file than the published {source.file}"
    return Local(path, got, (Finding(what, path.name, 1, "used as it is"),))


def _verified(source: Source, kept: Path) -> Local:
    """What is cached. ValueError unless it is what was published, or what first came."""
    got, note = sha256_of(kept), _note(kept)
    if not source.sha256 and not note.exists():
        note.write_text(f"{got}  {kept.name}\n")  # as sha256sum -c reads it
    wanted = source.sha256 or note.read_text().split()[0]
    if got != wanted:
        raise ValueError(
            f"{kept} is not the {source.file} that was published: wanted sha256 {wanted}, got "
            f"{got}; remove it to fetch it anew, or say {source.key}={kept} to use it as it is"
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
                _from(url, source, kept)
                return
            except (OSError, HTTPException) as error:
                failures.append(f"{urlsplit(url).netloc}: {_reason(error)}")
    tried = "; ".join(failures) or "no plain link leads to it"
    size = f"{source.size / 1e6:.1f} MB, " if source.size else ""
    raise ValueError(
        f"{source.file} ({size}sha256 {source.sha256 or 'not known here'}) cannot be fetched "
        f"({tried}); get it from {source.home} and put it at {kept}, or say {source.key}=FILE"
    )


def _reason(error: Exception) -> str:
    said = getattr(error, "reason", None) or error
    return " ".join(str(getattr(said, "strerror", None) or said or type(said).__name__).split())


@contextmanager
def _alone(kept: Path) -> Iterator[None]:
    """Hold a lock that ends with the process that holds it."""
    with kept.with_name(f".{kept.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _from(url: str, source: Source, kept: Path) -> None:
    """The whole file from a url, under its name once it is verified. OSError where it is not."""
    part = kept.with_name(f"{kept.name}.part")
    begun = part.exists()
    LOG.info("%s: fetching from %s", source.file, url)
    _whole(url, source, part)
    got = sha256_of(part)
    if source.sha256 and got != source.sha256 and begun:  # its two parts may be of two files
        _forget(part)
        _whole(url, source, part)
        got = sha256_of(part)
    if source.sha256 and got != source.sha256:
        _forget(part)
        raise OSError(f"sent another file, wanted sha256 {source.sha256}, got {got}")
    part.replace(kept)
    _forget(part)


def _whole(url: str, source: Source, part: Path) -> None:
    """All of a file, in as many attempts as are made after a connection is cut."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _onward(url, source, part)
            return
        except HTTPError as error:
            if error.code != 416 or attempt == ATTEMPTS:
                raise
            _forget(part)  # longer than what is there now
        except (ConnectionError, TimeoutError, HTTPException) as error:
            if attempt == ATTEMPTS:
                raise
            LOG.info("%s: cut (%s), going on", source.file, _reason(error))


def _onward(url: str, source: Source, part: Path) -> None:
    """What is lacking of a file. ConnectionError where the connection ends before it."""
    version = _version(part)
    have = part.stat().st_size if part.exists() and (version.exists() or source.sha256) else 0
    headers = {"User-Agent": "stsfm", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if version.exists():  # else the sha256 tells whether the parts are of one file
            headers["If-Range"] = version.read_text()
    with urlopen(Request(url, headers=headers), timeout=TIMEOUT) as reply:
        start = have if reply.status == 206 else 0
        length = reply.headers.get("Content-Length")
        whole = start + int(length) if length else 0
        if tag := reply.headers.get("ETag") or reply.headers.get("Last-Modified"):
            version.write_text(tag)
        else:
            version.unlink(missing_ok=True)
        with part.open("r+b" if start else "wb") as file:
            file.seek(start)
            file.truncate()
            _copy(reply, file, source.file, whole)
            got = file.tell()
    if got < whole:
        raise ConnectionError(f"the connection ended after {got:,} of {whole:,} bytes")


def _copy(reply: Any, file: Any, name: str, whole: int) -> None:
    told = monotonic()
    while chunk := reply.read(CHUNK):
        file.write(chunk)
        if monotonic() - told > OFTEN:
            told = monotonic()
            LOG.info("%s: %.0f of %.0f MB", name, file.tell() / 1e6, whole / 1e6)


def _version(part: Path) -> Path:
    """Where the server's word for this version of the file is kept."""
    return part.with_name(f"{part.name}.version")


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _version(part).unlink(missing_ok=True)
