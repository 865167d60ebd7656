"""Linear recurrences of the last p rows, of groups of series that know nothing of each other.

    ŷ[t+h] = C Fʰ E s[t],    s[t] = (y[t], y[t−1], …, y[t−p+1])

s (p k) are the last rows, newest first; E (m, p k) leads into a state of m numbers, F (m, m) moves
it by a row, C (k, m) leads out. So a forecast is a linear map of a window of fixed length, and any
number of windows is one product. A gap of a past stands at the recurrence's own forecast of it, and
at the mean where there are no p rows to make one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import eig

from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.numerics.gaps import foretold

SLACK = 1e-4  # above 1, of the modulus of an eigenvalue that does not count as growth


class Recurrence(NamedTuple):
    """The matrices of every group."""

    inward: Array  # E (g, m, p k)
    transition: Array  # F (g, m, m)
    outward: Array  # C (g, k, m)

    def maps(self, horizon: int) -> Array:
        """C Fʰ E for h = 1 … horizon, (g, horizon, k, p k)."""
        rows, found = self.outward, []
        for _ in range(horizon):
            rows = rows @ self.transition
            found.append(rows @ self.inward)
        return np.stack(found, 1)

    def forecast(self, past: Panel, future: Panel, mean: Array) -> Forecast:
        """Continue `past`, of target channels, (*b, t, n, c)."""
        last = self.filled(past, mean)[..., -self.lags :, :]  # (g, b, p, k)
        newest = last[..., ::-1, :].reshape(*last.shape[:2], -1)  # (g, b, p k)
        maps = self.maps(len(future))
        made = newest @ maps.reshape(len(maps), -1, maps.shape[-1]).swapaxes(-1, -2)
        made = made.reshape(*made.shape[:2], len(future), -1)  # (g, b, h, k)
        return Forecast(point=np.moveaxis(made, 0, 2).reshape(future.values.shape))

    @property
    def lags(self) -> int:
        """p"""
        return self.inward.shape[-1] // self.outward.shape[-2]

    def filled(self, past: Panel, mean: Array) -> Array:
        """The rows of a past without its gaps, (g, b, t, k)."""
        groups = len(self.transition)
        values = grouped(np.where(past.mask, past.values, mean), groups)
        step = self.maps(1)[:, 0].swapaxes(-1, -2)
        return foretold(values, grouped(past.mask, groups), self.lags, lambda last: last @ step)


def grouped(rows: Array, groups: int) -> Array:
    """(*b, t, n, c) → (g, b, t, k): one group of all series, or each series one."""
    *_, length, nodes, channels = rows.shape
    rows = rows.reshape(-1, length, groups, nodes * channels // groups)
    return np.ascontiguousarray(np.moveaxis(rows, 2, 0))


def companion(step: Array) -> Array:
    """F of the map s → y of the next row, (k, p k): the last rows move by one."""
    moved = np.eye(step.shape[1], k=-step.shape[0])
    moved[: step.shape[0]] = step
    return moved


def bounded(transition: Array) -> Array:
    """The matrix (m, m) with its growing eigenvalues brought onto the unit circle.

    Each by the projection on its own direction, which leaves all others as they are.
    """
    if abs(np.linalg.eigvals(transition)).max() <= 1 + SLACK:
        return transition
    values, left, right = eig(transition, left=True)
    grow = abs(values) > 1 + SLACK
    values, left, right = values[grow], left[:, grow], right[:, grow]
    less = values / abs(values) - values
    weight = less / (left.conj() * right).sum(0)
    return transition + ((right * weight) @ left.conj().T).real


def held_out(train: RollingWindows, val: RollingWindows) -> tuple[Panel, RollingWindows]:
    """What to learn from, and windows to choose by: validation, else the last fifth of train."""
    if len(val):
        return train.panel, val
    first = len(train.panel) * 4 // 5
    if len(train):
        first = min(first, int(train.origins.max()))
    return train.panel.upto(first), train.subset(train.origins >= first)


def errors(system: Recurrence, windows: RollingWindows, mean: Array) -> Array:
    """Mean squared error of each group over the windows, (g,)."""
    groups, total = len(system.transition), np.zeros(len(system.transition))
    for part in windows.batches(2 * system.lags):
        past, future = part.look_back(2 * system.lags).take(slice(None))
        made = system.forecast(past.only_targets(), future.blank(), mean).point
        off = (made - future.values) ** 2 * future.mask
        total += grouped(off, groups).sum((1, 2, 3))
    return total / max(1, len(windows))
