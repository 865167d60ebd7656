"""Axes of errors: from zero or near the data, and logarithmic where the worst dwarfs the best."""

from __future__ import annotations

from typing import Literal

import numpy as np
from matplotlib.axes import Axes

from stsfm.plots import style

LOG_FROM = 6.0  # times that the worst errs more than the best


def errors(ax: Axes, values: np.ndarray, which: Literal["x", "y"], *, zero: bool = False) -> bool:
    """Limits with room for these errors, from `zero` unless logarithmic; returns whether it is."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    low, high = float(values.min()), float(values.max())
    log = low > 0 and high > LOG_FROM * low
    if log:
        room = (high / low) ** 0.06
        low, high = low / room, high * room
    else:
        reach = high - low or abs(high) or 1.0
        low, high = 0.0 if zero else low - 0.08 * reach, high + 0.08 * reach
    ax.set(**{f"{which}lim": (low, high)})
    if log:
        style.log_axis(ax, which)
    return log


def said(log: bool) -> str:
    """The sentence on a logarithmic axis."""
    return " The axis of errors is logarithmic." if log else ""
