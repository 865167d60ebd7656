"""Composite losses side by side: which are shown, in what colour, and what they are called."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from matplotlib.colors import LinearSegmentedColormap, to_hex

from stsfm.plots import style
from stsfm.plots.across.contest import Contest, Entry

MOST = 8  # losses, of more of which those are shown that validation likes best
RAMP = LinearSegmentedColormap.from_list("ramp", ["#5fb0de", style.BLUE, "#00283f"])


def shown(contest: Contest) -> list[Entry]:
    """Those that validation likes best, in the order of their settings."""
    ranked = sorted(contest.composites, key=lambda entry: entry.preference)[:MOST]
    return sorted(ranked, key=_place)


def _place(entry: Entry) -> list[tuple[str, bool, float, str]]:
    told = [(key, v, isinstance(v, int | float)) for key, v in sorted(entry.settings.items())]
    return [(key, not is_n, float(v) if is_n else 0.0, str(v)) for key, v, is_n in told]


def colors(entries: Sequence[Entry]) -> dict[str, str]:
    """Label → colour, from light to dark in their order."""
    last = max(len(entries) - 1, 1)
    return {entry.label: to_hex(RAMP(k / last)) for k, entry in enumerate(entries)}


def name(entry: Entry, contest: Contest) -> str:
    """physics=1 smoothness=0, weighting=gradnorm; with the model where there are several."""
    told = sorted(entry.settings.items())
    words = [f"{re.split(r'[./]', key)[-1]}={_said(value)}" for key, value in told]
    several = len({other.model for other in contest.composites}) > 1
    return style.short(" ".join([entry.model] * (several or not words) + words), 28)


def _said(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def rest(contest: Contest, said: str = "losses") -> str:
    """The sentence on those that are not shown."""
    all_of, most = len(contest.composites), MOST
    return f" The {most} {said} that validation likes best, of {all_of}." if all_of > most else ""
