"""What stands at the gaps of a panel, for models that read whole rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stsfm.datasets.panel import Array, Panel


def means(panel: Panel) -> Array:
    """Of what was observed of each series, (n, c); 0 where nothing was."""
    return panel.values.sum(0) / np.maximum(panel.mask.sum(0), 1)


def carried(panel: Panel, mean: Array | float) -> Array:
    """Rows (*b, t, D): a gap has the last value before it, else the mean (D) of its series."""
    flat = (*panel.values.shape[:-2], -1)
    values, seen = panel.values.reshape(flat), panel.mask.reshape(flat)
    if seen.all():
        return values
    last = np.maximum.accumulate(np.where(seen, np.arange(len(panel))[:, None], -1), axis=-2)
    return np.where(last >= 0, np.take_along_axis(values, last.clip(0), -2), mean)


def foretold(rows: Array, seen: Array, lags: int, step: Callable[[Array], Array]) -> Array:
    """Rows (*b, t, D): a gap has the model's own forecast, where there are rows to make one.

    rows  filled already, of which the first `lags` stay
    step  the last rows, newest first (*b, lags · D), → the next one (*b, D)
    """
    if seen.all():
        return rows
    rows = rows.copy()
    for t in range(lags, rows.shape[-2]):
        if not seen[..., t, :].all():
            newest = rows[..., t - lags : t, :][..., ::-1, :].reshape(*rows.shape[:-2], -1)
            rows[..., t, :] = np.where(seen[..., t, :], rows[..., t, :], step(newest))
    return rows
