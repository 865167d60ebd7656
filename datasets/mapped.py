"""A panel that may be larger than memory: an array in a .npy file, read where it is needed.

    big.npy        float32 or float64 (time, node, channel), C order; 0 where nothing was observed
    big.json       its stamps and names: {"start": "2024-01-01", "step": "5min"} and, where wanted,
                   "nodes", "channels", "targets", "units", "season", "source", "licence"
    big.mask.npy   bool, of the same shape; without it every cell was observed
    big.time.npy   int64 (time,), ns since 1970, instead of start and step

Nets train on it in windows that follow each other on the disk (models/batches.py); the panel in
transformed units is a file as well.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from stsfm.datasets.panel import About, Array, Panel

UNITS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}  # of a step, in seconds
NAMES = ("targets", "units", "season", "family", "source", "licence", "suggests")  # taken as is
OWN = {"start", "step", "nodes", "channels", *NAMES}


def mapped(*, path: str) -> Panel:
    """The panel of a .npy file and of the .json beside it.

    ValueError where the file is no such array, or where what is said of it does not fit.
    """
    if not path:
        raise ValueError("which file? Say data=mapped data.path=big.npy")
    file = Path(path)
    values, told = _array(file, "f", 3), _told(file.with_suffix(".json"))
    if values.dtype not in (np.float32, np.float64):
        raise ValueError(f"{file} must hold float32 or float64, got {values.dtype}")
    gaps = file.with_suffix(".mask.npy")
    mask = _array(gaps, "b", 3) if gaps.exists() else np.broadcast_to(np.True_, values.shape)
    nodes, channels = values.shape[1:]
    lists: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in told.items() if k in NAMES
    }
    about = About(
        name=file.stem,
        nodes=tuple(told.get("nodes") or map(str, range(nodes))),
        channels=tuple(told.get("channels") or map(str, range(channels))),
        step=re.sub(r"(?<=\d)(?=[a-z])", " ", str(told.get("step", ""))),
        **lists,
    )
    time = _time(file, told, len(values))
    return Panel(values=values, mask=mask, time=time, about=about)


def _array(file: Path, kinds: str, axes: int) -> Array:
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise ValueError(f"there is no file {file.absolute()}") from None
    except (ValueError, EOFError) as error:
        raise ValueError(f"{file} is no .npy file: {error}") from None
    if array.ndim != axes or array.dtype.kind not in kinds or not array.flags.c_contiguous:
        wanted = f"an array of {axes} axes in C order"
        raise ValueError(f"{file} must hold {wanted}, got {array.shape} of {array.dtype}")
    return array


def _told(file: Path) -> dict[str, Any]:
    """What the .json says; ValueError for what it can't say."""
    try:
        told = json.loads(file.read_text())
    except FileNotFoundError:
        raise ValueError(
            f'{file} is missing; write {{"start": "2024-01-01", "step": "5min"}} into it'
        ) from None
    except ValueError as error:
        raise ValueError(f"{file} is no JSON: {error}") from None
    if not isinstance(told, dict) or (unknown := set(told) - OWN):
        got = sorted(unknown) if isinstance(told, dict) else type(told).__name__
        raise ValueError(f"{file} may say {', '.join(sorted(OWN))}, got {got}")
    return told


def _time(file: Path, told: dict[str, Any], rows: int) -> Array:
    """The stamps (time,): those of a file, or counted from a start."""
    stamps = file.with_suffix(".time.npy")
    if stamps.exists():
        return np.array(_array(stamps, "i", 1), np.int64)
    step = re.fullmatch(r"(\d*) *(s|min|h|d)", str(told.get("step", "")))
    if step is None or "start" not in told:
        raise ValueError(
            f'{file.with_suffix(".json")} must say "start" (2024-01-01) and "step" (5min, 1h, 1d), '
            f"or {stamps.name} must hold the stamps"
        )
    apart = int(step[1] or 1) * UNITS[step[2]] * 10**9  # ns
    try:
        first = np.datetime64(told["start"], "ns").astype(np.int64)
    except ValueError:
        wanted = f"{file.with_suffix('.json')}: start is a date (2024-01-01T00:00)"
        raise ValueError(f"{wanted}, got {told['start']!r}") from None
    return first + apart * np.arange(rows)
