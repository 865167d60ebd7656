"""A file from a url: whole and verified under its name, or not there at all.

What has come of it lies beside it as NAME.part, and as NAME.part.version what the server calls this
version of it (ETag or Last-Modified), so that two versions are never put together.
"""

from __future__ import annotations

import hashlib
import logging
from http.client import HTTPException
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

LOG = logging.getLogger(__name__)

TIMEOUT = 30.0  # s without a byte
ATTEMPTS = 5  # to go on with a download that is cut
CHUNK = 1 << 20  # bytes
OFTEN = 5.0  # s between lines of progress


def download(url: str, kept: Path, sha256: str = "") -> None:
    """Fetch a file, going on with what there is of it. One process at a time.

    Raises OSError or HTTPException where it does not come, or has another sha256 than was wanted.
    """
    part = kept.with_name(f"{kept.name}.part")
    begun = part.exists()
    _whole(url, part, sha256)
    got = sha256_of(part)
    if sha256 and got != sha256 and begun:  # its two parts may be of two files
        _forget(part)
        _whole(url, part, sha256)
        got = sha256_of(part)
    if sha256 and got != sha256:
        _forget(part)
        raise OSError(f"sent another file, wanted sha256 {sha256}, got {got}")
    part.replace(kept)
    _forget(part)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def reason(error: Exception) -> str:
    """Why a file does not come, in some words."""
    said = getattr(error, "reason", None) or error
    return " ".join(str(getattr(said, "strerror", None) or said or type(said).__name__).split())


def _whole(url: str, part: Path, sha256: str) -> None:
    """All of a file, in as many attempts as are made after a connection is cut."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _onward(url, part, sha256)
            return
        except HTTPError as error:
            if error.code != 416 or attempt == ATTEMPTS:
                raise
            _forget(part)  # longer than what is there now
        except (ConnectionError, TimeoutError, HTTPException) as error:
            if attempt == ATTEMPTS:
                raise
            LOG.info("%s: cut (%s), going on", part.stem, reason(error))


def _onward(url: str, part: Path, sha256: str) -> None:
    """What is lacking of a file. ConnectionError where the connection ends before it."""
    version = _version(part)
    have = part.stat().st_size if part.exists() and (version.exists() or sha256) else 0
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
            _copy(reply, file, part.stem, whole)
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
