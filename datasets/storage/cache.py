"""The folder of what is fetched or computed once: downloads, digests, solutions."""

from __future__ import annotations

import os
from pathlib import Path


def cache() -> Path:
    """$STSFM_CACHE, else stsfm/ of $XDG_CACHE_HOME, else of ~/.cache."""
    if named := os.environ.get("STSFM_CACHE"):
        return Path(named).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "stsfm"
