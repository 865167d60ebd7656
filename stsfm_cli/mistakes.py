"""A mistake costs one line: what was wanted, what came, what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class Mistake(Exception):
    """The user asked for what cannot be done. The command ends with exit code 2."""


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """A hint that names the nearest options, or nothing."""
    near = difflib.get_close_matches(word, sorted(set(options)), n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
