"""A linear Gaussian forecaster with frozen parameters is an affine map of a window without gaps.

    ŷ = M x + c,    c = f(0),    M[:, i] = f(eᵢ) − c

x (t) are the rows of a past, f filters them and forecasts. One more window than x has numbers tells
M and c; all others cost no more than a product. The spread of a forecast depends on which rows were
observed and not on their values, and is the same for all.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stsfm.datasets.panel import Array

Run = Callable[[Array, Array], tuple[Array, Array]]


def through(run: Run, values: Array, mask: Array, size: int) -> tuple[Array, Array]:
    """Moments of the forecasts of windows (b, t, g, p), by the map where it costs less.

    run   values, mask (b, t, g, p) → mean and deviation (b, w, g, p, h); systems g know nothing of
          each other, and each is linear in its own p series
    size  windows that are run at once
    """
    many, rows, groups, wide = values.shape
    if many <= 2 * rows * wide or not mask.all():
        parts = [slice(i, i + size) for i in range(0, many, size)]
        means, deviations = zip(*(run(values[i], mask[i]) for i in parts), strict=True)
        return np.concatenate(means), np.concatenate(deviations)
    unit = np.eye(rows * wide).reshape(-1, rows, 1, wide)
    unit = np.concatenate([0 * unit[:1], unit]).repeat(groups, 2)
    parts = [slice(i, i + size) for i in range(0, len(unit), size)]
    means, deviations = zip(*(run(unit[i], unit[i] == unit[i]) for i in parts), strict=True)
    made = np.concatenate(means)  # (1 + t p, w, g, p, h)
    constant, tilt = made[0], made[1:] - made[0]
    x = values.transpose(2, 0, 1, 3).reshape(groups, many, -1)  # (g, b, t p)
    tilt = tilt.transpose(2, 0, 1, 3, 4)  # (g, t p, w, p, h)
    mean = (x @ tilt.reshape(groups, rows * wide, -1)).reshape(groups, many, *tilt.shape[2:])
    mean = mean.transpose(1, 2, 0, 3, 4) + constant
    return mean, np.broadcast_to(deviations[0][:1], mean.shape)
