"""What a detector found, as it is kept: segments with their statistics, dates, scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from stsfm.datasets.panel import Array, Panel
from stsfm.detections.segments import COLUMNS, rows_of
from stsfm.headline import stamp
from stsfm.losses.changes import MARGIN, covering, f1
from stsfm.models.segmenter import Change, Segmentation, Track
from stsfm.words import count


def told(found: Segmentation, panel: Panel, headline: str) -> dict[str, Any]:
    """All that is said of a detection, in names, numbers and dates."""
    return {
        "headline": headline,
        "data": panel.about.name,
        "dated": bool(panel.about.step),
        "step": panel.about.step,
        "rows_in_all": len(panel),
        "names": found.names,
        "units": _units(panel),
        "level": found.level,
        "columns": COLUMNS,
        "rows": [row for track in found.tracks for row in rows_of(track, found, panel)],
        "tracks": [_track(track, panel) for track in found.tracks],
        "said": found.said,
        "noted": found.noted,
        "scores": scores(found.tracks, panel),
    }


def arrays(found: Segmentation, panel: Panel) -> dict[str, Array]:
    """values, mask, fitted (t, s) and time (t); of track k its changes, signal and path."""
    values, mask = series(panel)
    kept = {"time": panel.time, "values": values, "mask": mask, "fitted": fitted(found, values)}
    for k, track in enumerate(found.tracks):
        kept[f"changes_{k}"] = np.array([change.row for change in track.changes], int)
        kept[f"signal_{k}"] = np.asarray(track.signal)
        if track.path is not None:
            kept[f"path_{k}"] = np.stack([track.path.x, track.path.y])
    return kept


def series(panel: Panel) -> tuple[Array, Array]:
    """Values and mask (t, s) of the target series, in the order of `Segmentation.names`."""
    panel = panel.only_targets()
    rows = len(panel)
    return panel.values.reshape(rows, -1).astype(float), panel.mask.reshape(rows, -1)


def fitted(found: Segmentation, like: Array) -> Array:
    """(t, s) what the tracks say of the segments of every series, in units of the data."""
    whole = np.full(like.shape, np.nan)
    for track in found.tracks:
        whole[:, list(track.series)] = np.asarray(track.fitted).reshape(len(like), -1)
    return whole


def scores(tracks: Iterable[Track], panel: Panel) -> dict[str, Any]:
    """F1 and covering against what people marked; {} where nobody has."""
    marks = panel.about.changes
    if not marks:
        return {}
    rows = sorted({change.row for track in tracks for change in track.changes})
    return {
        **_scores(rows, panel),
        "no_change": no_change(panel),
        "margin": MARGIN,
        "annotators": {who: list(rows) for who, rows in marks.items()},
    }


def no_change(panel: Panel) -> dict[str, float]:
    """What is scored by who finds none; {} where nobody has marked anything."""
    return _scores([], panel) if panel.about.changes else {}


def _scores(rows: Iterable[int], panel: Panel) -> dict[str, float]:
    marks = panel.about.changes
    return {"f1": f1(marks, rows), "covering": covering(marks, rows, len(panel))}


def in_a_line(told: Mapping[str, Any]) -> str:
    """2 changes: 1911-02, 1925; F1 0.82, covering 0.71"""
    places = list(dict.fromkeys(dates(told)))
    shown = f": {', '.join(places[:6])}{' …' * (len(places) > 6)}" if places else ""
    scored = told["scores"]
    against = f"; F1 {scored['f1']:.3f}, covering {scored['covering']:.3f}" if scored else ""
    return f"{count(len(places), 'change')}{shown}{against}"


def dates(told: Mapping[str, Any]) -> list[str]:
    """When the changes of all tracks are, in the order of tracks."""
    return [change["date"] for track in told["tracks"] for change in track["changes"]]


def _track(track: Track, panel: Panel) -> dict[str, Any]:
    path = track.path
    return {
        "name": track.name,
        "series": list(track.series),
        "changes": [_change(change, panel) for change in track.changes],
        "facts": dict(track.facts),
        "path": None if path is None else {"x": _plain(path.x), "y": _plain(path.y)},
    }


def _change(change: Change, panel: Panel) -> dict[str, Any]:
    at = {"date": change.row, "low_date": change.low, "high_date": change.high}
    dates = {name: stamp(panel, row) for name, row in at.items()}
    return {k: _number(v) for k, v in change._asdict().items()} | dates


def _units(panel: Panel) -> list[str]:
    """One per series."""
    about = panel.about.only_targets()
    return [unit for _ in about.nodes for unit in about.units]


def _plain(x: Array) -> list[float]:
    return [float(value) for value in x]


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
