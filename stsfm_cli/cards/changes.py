"""Change points of some rows by the default detector, for the card of a dataset."""

from __future__ import annotations

from typing import Any

import numpy as np

from stsfm import compose
from stsfm.build import build
from stsfm.datasets.panel import Panel
from stsfm.headline import stamp

DETECTOR = "pelt"
CELLS = 500  # of more, the search takes longer than the rest of the report


def changes(panel: Panel, first: int) -> dict[str, Any]:
    """Rows, dates and names of what changes; `reason` where nothing was looked for."""
    if len(panel) * panel.nodes * panel.channels > CELLS:
        return {"reason": "not looked for: stsfm detect does, at leisure", "detector": DETECTOR}
    keys = compose.config([f"detector={DETECTOR}"])["detector"]
    try:
        found = build(keys, path="detector").segment(panel)
    except (ValueError, np.linalg.LinAlgError) as error:
        return {"reason": f"not looked for: {error}", "detector": DETECTOR}
    seen = [
        {"series": track.name, "row": first + change.row, "date": stamp(panel, change.row)}
        for track in found.tracks
        for change in track.changes
    ]
    return {"detector": DETECTOR, "found": seen}
