"""The card of some rows: what they are like before a model has seen them. No later row is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from stsfm.cards.changes import changes
from stsfm.cards.series import features
from stsfm.datasets.panel import Panel
from stsfm.headline import stamp
from stsfm.significance import ALPHA
from stsfm.significance.moran import moran
from stsfm.spatial import Place

SERIES, ROWS = 12, 2_000  # looked at: series that are evenly spaced, and the last rows
NODES = 1_000  # of Moran's I


def describe(panel: Panel, first: int = 0) -> dict[str, Any]:
    """The card of a panel (t, n, c), whose row 0 is row `first` of the data."""
    panel = panel.only_targets()
    x, names = _series(panel)
    told = [features(line, panel.about.season) for line in x.T]
    return {
        "rows": {"first": first, "stop": first + len(panel), "count": len(panel),
                 "from": stamp(panel, 0), "to": stamp(panel, len(panel) - 1)},
        "series": {"all": panel.nodes * panel.channels, "looked_at": x.shape[1],
                   "rows": len(x), "names": names},
        "missing": _missing(panel),
        "trend": _over([one["trend"] for one in told]),
        "season": {"period": panel.about.season} | _over([one["season"] for one in told]),
        "adf": _tested([one["adf"] for one in told]),
        "kpss": _tested([one["kpss"] for one in told]),
        "stationary": _verdict([(one["adf"], one["kpss"]) for one in told]),
        "outliers": _counted([one["outliers"] for one in told], len(x)),
        "space": _space(panel),
        "changes": changes(panel, first),
    }  # fmt: skip


def _series(panel: Panel) -> tuple[np.ndarray, list[str]]:
    """(t, s) target series that change, gaps on straight lines, and their names."""
    rows = slice(max(0, len(panel) - ROWS), len(panel))
    values, mask = np.asarray(panel.values[rows], float), np.asarray(panel.mask[rows])
    about = panel.about
    all_of = list(np.ndindex(panel.nodes, panel.channels))
    at = np.unique(np.linspace(0, len(all_of) - 1, min(SERIES, len(all_of))).round().astype(int))
    kept, names = [], []
    for n, c in (all_of[k] for k in at):
        seen = np.flatnonzero(mask[:, n, c])
        x = values[:, n, c]
        if len(seen) > 1 and np.ptp(x[seen]) > 0:
            kept.append(np.interp(np.arange(len(x)), seen, x[seen]))
            both = [about.nodes[n]] * (panel.nodes > 1) + [about.channels[c]]
            names.append(" ".join(both[: len(both) - (panel.channels == 1 < panel.nodes)]))
    return (np.stack(kept, 1) if kept else np.zeros((len(values), 0))), names


def _missing(panel: Panel) -> dict[str, Any]:
    """The share of cells, and the longest gap of any series in rows."""
    gone = ~np.asarray(panel.mask).reshape(len(panel), -1)
    longest = 0
    if gone.any():
        run = np.zeros(gone.shape[1], int)
        for row in gone:
            run = (run + 1) * row
            longest = max(longest, int(run.max()))
    return {"share": float(gone.mean()), "longest": longest}


def _over(values: Sequence[float | None]) -> dict[str, float | None]:
    """The median over series, and the range."""
    seen = [value for value in values if value is not None]
    if not seen:
        return {"median": None, "low": None, "high": None}
    return {"median": float(np.median(seen)), "low": min(seen), "high": max(seen)}


def _tested(values: Sequence[float | None]) -> dict[str, Any]:
    """The median p-value, and of how many series it is below 5 %."""
    seen = [value for value in values if value is not None]
    if not seen:
        return {"p": None, "rejected": None, "series": 0}
    below = sum(value < ALPHA for value in seen)
    return {"p": float(np.median(seen)), "rejected": below, "series": len(seen)}


def _verdict(pairs: Sequence[tuple[float | None, float | None]]) -> dict[str, int]:
    """How many series both tests call stationary, how many neither, and of how many they differ."""
    known = [(a < ALPHA, k >= ALPHA) for a, k in pairs if a is not None and k is not None]
    return {"yes": sum(a and k for a, k in known), "no": sum(not a and not k for a, k in known),
            "open": sum(a != k for a, k in known), "series": len(known)}  # fmt: skip


def _counted(values: Sequence[int | None], rows: int) -> dict[str, Any]:
    seen = [value for value in values if value is not None]
    cells = rows * len(seen)
    return {"count": sum(seen) if seen else None, "share": sum(seen) / cells if cells else None}


def _space(panel: Panel) -> dict[str, Any]:
    """Moran's I of the values, each node less its mean over its deviation: do neighbours move
    together?"""
    place = Place.of(panel.space, panel.nodes)
    near = place.neighbours
    if near is None:
        return {"reason": "no node has neighbours"}
    if panel.nodes > NODES:
        return {"reason": f"not looked at: more than {NODES:,} nodes"}
    rows = slice(max(0, len(panel) - ROWS), len(panel))
    seen = np.asarray(panel.mask[rows])[..., 0]
    x = np.where(seen, np.asarray(panel.values[rows], float)[..., 0], np.nan)
    with np.errstate(all="ignore"):
        spread = np.nanstd(x, 0) if seen.any() else np.zeros(panel.nodes)
        z = (x - np.nanmean(x, 0)) / np.where(spread > 0, spread, np.nan)
    there = np.isfinite(z)
    found = asdict(moran(np.where(there, z, 0), there, near.edges, near.weights, most=199))
    return found | {"neighbours": near.said}
