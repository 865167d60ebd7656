"""What is subtracted from a window before a model sees it, and added back to its forecast.

    z = x − level,    level = 0, the last observed value or the mean of the observed ones

Kim et al., Reversible instance normalization, ICLR (2022); Zeng et al., AAAI (2023).
"""

from __future__ import annotations

from typing import Literal

from stsfm.datasets.panel import Array, Panel, xp

Normalise = Literal["none", "last", "mean"]


def centre(past: Panel, how: Normalise) -> tuple[Array, Array]:
    """Values less their level, 0 where unobserved; and the level, (*batch, 1, node, channel).

    The level is taken over the observed cells of each series; where there are none it is 0.
    """
    values, mask = past.values, past.mask
    if how == "none":
        return values, 0 * values[..., :1, :, :]
    if how == "last":
        later = xp(mask).cumsum(mask, -3)  # counts the observed cells: the last one brings the most
        level = (values * mask * (later == later[..., -1:, :, :])).sum(-3)[..., None, :, :]
    elif how == "mean":
        level = values.sum(-3)[..., None, :, :] / mask.sum(-3)[..., None, :, :].clip(1)
    else:
        raise ValueError(f"normalise must be none, last or mean, got {how!r}")
    return (values - level) * mask, level
