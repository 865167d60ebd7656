"""A linear Gaussian system with frozen parameters: its filter, and forecasts from its states.

    y[t] = z a[t],    a[t+1] = c + T a[t] + e[t],    e[t] ~ N(0, Q),    a[t] | past ~ N(m, P)
    E y[t+h] = z Tʰ m + Σ_{j<h} z Tʲ c
    V y[t+h] = z Tʰ P (z Tʰ)ᵀ + Σ_{j<h} z Tʲ Q (z Tʲ)ᵀ          h = 0 … horizon − 1

Durbin & Koopman, Time Series Analysis by State Space Methods, 2nd ed. (2012), §4.3, §4.10, §4.11.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
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
    system: System,
    mean: Array,
    covariance: Array,
    values: Array,
    mask: Array,
    wanted: Iterable[int],
) -> dict[int, tuple[Array, Array]]:
    """Moments of the state at the wanted rows, given the rows before each; the row after the last
    is one of them.

    `values` and `mask` are (*batch, time, *series), with two axes of series; the moments found
    are (*batch, *series, state) and that with one more state axis. Time begins at the first value
    observed, where the state has the given moments, so that padding changes nothing. A covariance
    depends on which rows were observed and not on their values: it is moved once for all windows
    that have the same gaps.
    """
    batch, rows, series = values.shape[:-3], values.shape[-3], values.shape[-2:]
    values, mask = (np.reshape(x, (prod(batch), rows, *series)) for x in (values, mask))
    kinds, kind = _kinds(mask)
    values, seen = np.moveaxis(values, 0, -1), np.moveaxis(kinds, 0, -1)  # (time, *series, window)
    state = mean.shape[-1]
    mean = np.repeat(mean[..., None], len(kind), -1)  # (*series, state, window)
    covariance = np.repeat(covariance[..., None], len(kinds), -1)  # (…, state, state, kind)
    design, noise = system.design[..., None, :], system.noise[..., None]
    begun, wanted, found = np.zeros_like(seen[0]), set(wanted), {}
    for t in range(max(wanted) + 1):
        if t in wanted:
            found[t] = (
                np.moveaxis(mean, -1, 0).reshape(*batch, *series, state),
                np.moveaxis(covariance, -1, 0)[kind].reshape(*batch, *series, state, state),
            )
        if t == rows:
            break
        begun = begun | seen[t]
        along = _times(design, covariance)[..., 0, :, :]  # (*series, state, kind)
        spread = (design @ along)[..., 0, :]
        gain = along * (seen[t] / np.where(spread > 0, spread, 1))[..., None, :]
        error = values[t] - (design @ mean)[..., 0, :]
        moved = system.transition @ (mean + gain[..., kind] * error[..., None, :])
        less = covariance - gain[..., None, :] * along[..., None, :, :]
        wider = _times(system.transition, _times(system.transition, less).swapaxes(-3, -2)) + noise
        if begun.all():
            mean, covariance = moved + system.intercept[..., None], wider
        else:
            mean = np.where(begun[..., None, kind], moved + system.intercept[..., None], mean)
            covariance = np.where(begun[..., None, None, :], wider, covariance)
    return found


def _kinds(mask: Array) -> tuple[Array, Array]:
    """The different masks among (window, …), and which of them each window has."""
    kinds, kind = np.unique(mask.reshape(len(mask), -1), axis=0, return_inverse=True)
    return kinds.reshape(-1, *mask.shape[1:]), kind.reshape(-1)


def _times(matrix: Array, many: Array) -> Array:
    """(…, i, j) times (…, j, k, kind), as one wide product."""
    wide = matrix @ many.reshape(*many.shape[:-2], -1)
    return wide.reshape(*wide.shape[:-1], *many.shape[-2:])


def _form(matrix: Array, row: Array) -> Array:
    return ((matrix @ row[..., None])[..., 0] * row).sum(-1)
