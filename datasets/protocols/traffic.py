"""What the protocols of traffic share: an hour of rows, and zeros of sensors that failed."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from stsfm.datasets.panel import Panel
from stsfm.datasets.protocols.borders import rows_of
from stsfm.datasets.reading.matrix import Zeros

MASKED = {
    "missing": "unobserved cells and zeros are not scored",
    "observed": "unobserved cells are not scored",
}


def measured(panel: Panel, zeros: Zeros) -> Panel:
    """The panel without the zeros of its targets, where they stand for sensors that failed."""
    if zeros == "observed":
        return panel
    mask, targets = panel.mask.copy(), panel.about.target_index
    mask[..., targets] &= panel.values[..., targets] != 0
    return replace(panel, mask=mask)


def an_hour(panel: Panel, asked: int | Literal["auto"], key: str) -> int:
    """What was asked for; auto: the rows of an hour. ValueError where the stamps show none."""
    rows = rows_of(panel, 60) if asked == "auto" else asked
    if asked == "auto" and not rows:
        raise ValueError(
            f"protocol.{key}=auto is an hour of rows, and the stamps of {panel.about.name} make "
            f"none; give protocol.{key} as a number of rows"
        )
    if rows < 1:
        raise ValueError(f"protocol.{key} must be at least 1, got {rows}")
    return rows
