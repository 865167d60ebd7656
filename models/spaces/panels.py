"""Panels as frames, and states as panels: what goes in and out of a state space.

The panel of the states has one node, and a channel for each number of a state.
"""

from __future__ import annotations

import numpy as np

from stsfm.datasets.panel import About, Array, Panel


def frames_of(panel: Panel, mean: Array) -> Array:
    """(*b, t, D), gaps filled by the last value, else by the `mean` of train (D,)."""
    flat = (*panel.values.shape[:-2], -1)
    values, seen = panel.values.reshape(flat), panel.mask.reshape(flat)
    if seen.all():
        return values.astype(np.float64)
    rows = np.where(seen, np.arange(seen.shape[-2])[:, None], -1)
    last = np.maximum.accumulate(rows, axis=-2)
    filled = np.take_along_axis(values, last.clip(0), axis=-2)
    return np.where(last >= 0, filled, mean)


def panel_of(states: Array, seen: Array, rows: Panel) -> Panel:
    """States (*b, t, d) as a panel of one node, with the stamps and covariates of `rows`."""
    shared = rows.known.shape[-2] == 1  # covariates of nodes are none of a state
    about = About(
        name="states",
        nodes=("state",),
        channels=tuple(f"z{k + 1}" for k in range(states.shape[-1])),
        season=rows.about.season,
        covariates=rows.about.covariates if shared else (),
        kinds=rows.about.kinds if shared else (),
    )
    known = rows.known if shared else None
    values, mask = states[..., None, :], seen[..., None, :]
    return Panel(values=values, mask=mask, time=rows.time, about=about, known=known)


def mean_of(panel: Panel) -> Array:
    """Of what was observed of each series, (D,)."""
    return (panel.values.sum(0) / np.maximum(panel.mask.sum(0), 1)).reshape(-1)
