"""A linear Gaussian system with frozen parameters: its filter, and forecasts from its states.

    y[t] = z a[t],    a[t+1] = c + T a[t] + e[t],    e[t] ~ N(0, Q),    a[t] | past ~ N(m, P)
    E y[t+h] = z Tʰ m + Σ_{j<h} z Tʲ c
    V y[t+h] = z Tʰ P (z Tʰ)ᵀ + Σ_{j<h} z Tʲ Q (z Tʲ)ᵀ          h = 0 … horizon − 1

Durbin & Koopman, Time Series Analysis by State Space Methods, 2nd ed. (2012), §4.3, §4.10, §4.11.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from stsfm.datasets.panel import Array


class System(NamedTuple):
    """The matrices above for any number of series, (*series, …)."""

    design: Array  # z (*series, state)
    transition: Array  # T (*series, state, state)
    intercept: Array  # c (*series, state)
    noise: Array  # Q (*series, state, state)


def ahead(system: System, mean: Array, covariance: Array, horizon: int) -> tuple[Array, Array]:
    """Mean and standard deviation, (*batch, *series, horizon), of what follows the states.

    `mean` is (*batch, *series, state), `covariance` that and one more state axis. The row z Tʰ is
    moved, never the states, so that many origins cost no more than one product each.
    """
    row, constant, noise = system.design, 0.0, 0.0
    means, variances = [], []
    for _ in range(horizon):
        means.append((row * mean).sum(-1) + constant)
        variances.append(_form(covariance, row) + noise)
        constant = constant + (row * system.intercept).sum(-1)
        noise = noise + _form(system.noise, row)
        row = (row[..., None, :] @ system.transition)[..., 0, :]
    return np.stack(means, -1), np.sqrt(np.stack(variances, -1).clip(0))


def filtered(
    system: System, mean: Array, covariance: Array, values: Array, mask: Array
) -> Iterator[tuple[Array, Array]]:
    """Moments of the state at each row and after the last, given the rows before it.

    `values` and `mask` are (*batch, time, *series), with two axes of series. Time begins at the
    first value observed, where the state has the given moments, so that padding changes nothing.
    """
    begun = np.zeros_like(mask[..., 0, :, :])
    yield mean, covariance
    for t in range(values.shape[-3]):
        y, seen = values[..., t, :, :], mask[..., t, :, :]
        begun = begun | seen
        along = (covariance @ system.design[..., None])[..., 0]  # (*batch, *series, state)
        spread = (system.design * along).sum(-1)
        gain = along * (seen / np.where(spread > 0, spread, 1))[..., None]
        updated = mean + gain * (y - (system.design * mean).sum(-1))[..., None]
        less = covariance - gain[..., None] * along[..., None, :]
        moved = (system.transition @ updated[..., None])[..., 0] + system.intercept
        wider = system.transition @ less @ system.transition.mT + system.noise
        mean = np.where(begun[..., None], moved, mean)
        covariance = np.where(begun[..., None, None], wider, covariance)
        yield mean, covariance


def _form(matrix: Array, row: Array) -> Array:
    return ((matrix @ row[..., None])[..., 0] * row).sum(-1)
