"""What a window is measured by before a model sees it, and its forecast after.

    z = (x − level) / spread,    level = 0, the last observed value or the mean of the observed ones

The spread is 1, or with `std` the deviation of what was observed, as in reversible instance
normalisation (without its learned scale): Kim et al., ICLR (2022). Zeng et al., AAAI (2023).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from stsfm.datasets.panel import Array, Panel, xp

Normalise = Literal["none", "last", "mean"]
Standardise = Literal["none", "last", "mean", "std"]
EPSILON = 1e-5  # added to a variance: a window may be constant


class Gauge(NamedTuple):
    """What a window was measured by, (*batch, 1, node, channel)."""

    level: Array
    spread: Array | None = None  # None = 1

    def of(self, channels: list[int] | slice) -> Gauge:
        """The gauge of some channels, such as the targets."""
        spread = None if self.spread is None else self.spread[..., channels]
        return Gauge(self.level[..., channels], spread)


def centre(past: Panel, how: Normalise) -> tuple[Array, Array]:
    """Values less their level, 0 where unobserved; and the level, (*batch, 1, node, channel).

    The level is taken over the observed cells of each series; where there are none it is 0.
    """
    values, mask = past.values, past.mask
    if how == "none":
        return values, 0 * values[..., :1, :, :]
    if how == "last":
        rows = xp(mask).arange(1, mask.shape[-3] + 1, device=mask.device)[:, None, None]
        latest = (mask * rows).argmax(-3)[..., None, :, :]
        take = np.take_along_axis if isinstance(values, np.ndarray) else xp(values).take_along_dim
        level = take(values, latest, -3)  # without any it is the first, which is then 0
    elif how == "mean":
        level = values.sum(-3)[..., None, :, :] / mask.sum(-3)[..., None, :, :].clip(1)
    else:
        raise ValueError(f"normalise must be none, last or mean, got {how!r}")
    return (values - level) * mask, level


def standardise(past: Panel, how: Standardise) -> tuple[Array, Gauge]:
    """As `centre`; with `std` about the mean, in units of the deviation of what was observed."""
    if how != "std":
        values, level = centre(past, how)
        return values, Gauge(level)
    values, level = centre(past, "mean")
    count = past.mask.sum(-3)[..., None, :, :].clip(1)
    spread = ((values**2).sum(-3)[..., None, :, :] / count + EPSILON) ** 0.5
    return values / spread, Gauge(level, spread)
