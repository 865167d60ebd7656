"""A file of a user as a table: what the bytes are decides, not the extension.

Parquet, gzip and the usual encodings are known by their first bytes; all else is delimited text.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stsfm.datasets.about import Finding
from stsfm.datasets.reading.delimited import few, parse, unique

if TYPE_CHECKING:
    from pandas import DataFrame

BOMS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
FOREIGN = {  # first bytes → what to say
    b"PK\x03\x04": "is a zip or Excel file: save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "is an old Excel file: save the sheet as CSV",
    b"{": "holds JSON: save it as CSV",
    b"[": "holds JSON: save it as CSV",
    b"<": "holds XML or HTML: save it as CSV",
}


def read_file(path: str, header: bool | Literal["auto"]) -> tuple[DataFrame, list[Finding]]:
    """The table in a file, its column names unique, and what was odd about it.

    Raises ValueError, in one line, when the file cannot be read or holds no table.
    """
    raw = _bytes(Path(path))
    if raw[:4] == b"PAR1":
        return _parquet(raw, path)
    text, findings = _decode(raw, path)
    frame, more = parse(text, path, header)
    return frame, [*findings, *more]


def _bytes(path: Path) -> bytes:
    """What the file holds, unpacked."""
    try:
        raw = path.expanduser().read_bytes()
    except IsADirectoryError:
        raise ValueError(f"{path} is a folder: name a file in it") from None
    except FileNotFoundError:
        raise ValueError(f"there is no file {path.absolute()}") from None
    except (OSError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    if raw[:2] == b"\x1f\x8b":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} cannot be unpacked: {error}") from None
    if not raw.strip():
        raise ValueError(f"{path} is empty")
    return raw


def _parquet(raw: bytes, path: str) -> tuple[DataFrame, list[Finding]]:
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise ValueError(f"{path} is parquet, which needs: pip install 'stsfm[parquet]'") from None
    try:
        frame = parquet.read_table(io.BytesIO(raw)).to_pandas()
    except Exception as error:  # pyarrow raises many kinds
        raise ValueError(f"{path} cannot be read: {' '.join(str(error).split())}") from None
    if frame.index.name or frame.index.nlevels > 1 or frame.index.dtype.kind == "M":
        frame = frame.reset_index()  # pandas often keeps the stamps there
    few(len(frame.columns), path)
    if not len(frame):
        raise ValueError(f"{path} has no rows")
    names, renamed = unique([str(name) for name in frame.columns])
    return frame.set_axis(names, axis=1), renamed


def _decode(raw: bytes, path: str) -> tuple[str, list[Finding]]:
    """The text with plain line ends."""
    for start, advice in FOREIGN.items():
        if raw.lstrip().startswith(start):
            raise ValueError(f"{path} {advice}")
    encoding = next((name for bom, name in BOMS.items() if raw.startswith(bom)), "")
    if not encoding and raw[:200].count(b"\0") >= len(raw[:200]) // 3:
        encoding = "utf-16-be" if raw[:1] == b"\0" else "utf-16-le"
    try:
        text = raw.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        if encoding:
            raise ValueError(f"{path} begins like {encoding}, but {error.reason}") from None
        # what Windows writes: latin-1, with € among others in the place of control characters
        text, encoding = raw.decode("cp1252", errors="replace"), "cp1252"
    strange = re.findall(r"[\x00-\x08\x0e-\x1f\x7f]", text[:100_000])
    if "\0" in text or len(strange) > len(text[:100_000]) // 100:
        raise ValueError(f"{path} is a binary file: wanted CSV or parquet")
    if not text.strip("\ufeff\n\r\t "):
        raise ValueError(f"{path} is empty")
    found = [Finding("encoding", "file", 1, f"read as {encoding}")] if encoding else []
    return text.replace("\r\n", "\n").replace("\r", "\n"), found
