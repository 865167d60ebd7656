"""Which rows a card is of, and the panel that they are, built again from the record's config."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stsfm.datasets.panel import Panel
from stsfm.files import write_json
from stsfm.mistakes import Mistake
from stsfm.record import Record


@dataclass(frozen=True)
class Rows:
    """The first rows of a dataset: those of train, or all of them where nothing is forecast."""

    folder: Path  # of their card
    stop: int | None  # None = all
    season: int | None  # None = as the data have it
    first: int = 0


def rows_of(record: Record) -> Rows | None:
    """None of what has no data: a comparison, or a folder that nothing finished in."""
    identity = record.status.get("identity", {})
    if "data" not in identity:
        return None
    parts = Path(identity["data"]).parts
    home = record.folder.parents[len(parts) + 1] / parts[0] / "_cards"
    data, values = record.read("data.json"), identity["ingredients"].get("data", "")
    first, stop = data.get("rules", {}).get("train", (0, None))
    season = data.get("season")
    key = json.dumps([data.get("panel_sha256", values), first, stop, season])
    name = hashlib.sha256(key.encode()).hexdigest()[:10]
    return Rows(home / name, stop, season, first)


def make(record: Record, path: Path) -> bool:
    """Write the card; False where the data are not what they were, or can't be read."""
    from stsfm.cards.dataset import describe

    rows = rows_of(record)
    panel = _panel(record, rows) if rows else None
    if panel is None or rows is None:
        return False
    write_json(path, describe(panel, first=rows.first))
    return True


def _panel(record: Record, rows: Rows) -> Panel | None:
    """The rows that a card is of."""
    from stsfm.build import build
    from stsfm.datasets.protocols.borders import with_season

    data: dict[str, Any] = record.read("data.json")
    try:
        whole = build(record.config["data"], path="data").history()
    except (Mistake, OSError, KeyError, ValueError):
        return None
    if data and (len(whole), whole.about.digest) != (data["rows"], data["file_sha256"]):
        return None
    stop = len(whole) if rows.stop is None else rows.stop
    panel = with_season(whole, stop)
    if rows.season is not None:
        panel = replace(panel, about=replace(panel.about, season=rows.season))
    return panel[slice(rows.first, stop)]
