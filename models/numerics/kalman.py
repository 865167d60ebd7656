"""The Kalman filter of many windows at once: a linear Gaussian system seen through gaps.

    y[t] = Z a[t] + e[t],    a[t+1] = T a[t] + w[t],    e ~ N(0, H),  w ~ N(0, Q)
    F = Z P Zᵀ + H = L Lᵀ,    K = P Zᵀ F⁻¹,    a ← a + K (y − Z a)
    P ← (I − K Z) P (I − K Z)ᵀ + K H Kᵀ                                          (Joseph)

y (p), a (k). F is solved by its Cholesky factor and P stays symmetric and positive, so that a
diffuse start costs few digits. What is missing is a row of zeros in Z beside a one in F. Arrays
are numpy's or tensors, through which gradients flow. statespace.py is the filter of one exactly
measured value a row. Kalman, A new approach to linear filtering and prediction problems, J. Basic
Eng. 82 (1960); Durbin & Koopman, Time Series Analysis by State Space Methods, 2nd ed. (2012), §4.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from stsfm.datasets.panel import Array, xp
from stsfm.models.numerics import statespace


class System(NamedTuple):
    """The matrices above for any number of systems, (*g, …)."""

    design: Array  # Z (*g, p, k)
    transition: Array  # T (*g, k, k)
    noise: Array  # Q (*g, k, k)
    measured: Array  # H (*g, p, p)


class State(NamedTuple):
    """What is believed of a state."""

    mean: Array  # (*b, *g, k)
    covariance: Array  # (*b, *g, k, k)


class Gain(NamedTuple):
    """What observing does to a covariance; no value was looked at."""

    design: Array  # Z, 0 where nothing is observed
    factor: Array  # L (*b, *g, p, p)
    weight: Array  # K (*b, *g, k, p)
    left: Array  # I − K Z (*b, *g, k, k)
    covariance: Array  # thereafter


def gain(system: System, covariance: Array, seen: Array) -> Gain:
    """Of observing what was seen, bool (*b, *g, p)."""
    both = (seen[..., None] & seen[..., None, :]) * 1.0
    missing = (~seen)[..., None] * _identity(system.measured)
    design, measured = system.design * seen[..., None], system.measured * both
    along = design @ covariance  # Z P
    factor = xp(along).linalg.cholesky(along @ _turn(design) + measured + missing)
    weight = _turn(_solve(factor, along))
    left = _identity(system.noise) - weight @ design
    after = left @ covariance @ _turn(left) + weight @ measured @ _turn(weight)
    return Gain(design, factor, weight, left, (after + _turn(after)) / 2)


def observe(system: System, state: State, values: Array, seen: Array) -> tuple[State, Array]:
    """The state once a row (*b, *g, p) was observed, and the row's log-likelihood (*b, *g)."""
    by = gain(system, state.covariance, seen)
    error = _error(by.design, state.mean, values, seen)
    steady = _apply(_half(by.factor), error)
    spread = xp(error).log(xp(error).linalg.diagonal(by.factor)).sum(-1)
    constant = (np.log(2 * np.pi) * (seen + 0 * error)).sum(-1)
    likelihood = -((steady**2).sum(-1) + constant) / 2 - spread
    return State(state.mean + _apply(by.weight, error), by.covariance), likelihood


def move(system: System, state: State) -> State:
    """The state a row later."""
    transition = system.transition
    covariance = transition @ state.covariance @ _turn(transition) + system.noise
    return State(_apply(transition, state.mean), covariance)


def likelihood(system: System, start: State, values: Array, mask: Array) -> Array:
    """log p(y) of rows (*b, t, *g, p), (*b, *g); `start` is of the first row."""
    state, total, axis = start, 0.0, _time_axis(system, values)
    for y, seen in zip(_unbind(values, axis), _unbind(mask, axis), strict=True):
        state, more = observe(system, state, y, seen)
        state, total = move(system, state), total + more
    return total


def filtered(
    system: System, start: State, values: Array, mask: Array, wanted: Iterable[int]
) -> dict[int, State]:
    """The state at the wanted rows, given the rows before each; of numpy's windows (b, t, *g, p).

    Time begins with the first value observed, so that padding changes nothing. A covariance is
    moved once for all windows that have the same gaps.
    """
    many, rows = values.shape[:2]
    kinds, kind = np.unique(mask.reshape(many, -1), axis=0, return_inverse=True)
    kinds, kind = kinds.reshape(-1, *mask.shape[1:]), kind.reshape(-1)  # (kind, t, *g, p), (b,)
    mean = np.broadcast_to(start.mean, (many, *start.mean.shape))
    covariance = np.broadcast_to(start.covariance, (len(kinds), *start.covariance.shape))
    begun, wanted, found = np.zeros(kinds[:, 0].shape[:-1], bool), set(wanted), {}
    for t in range(max(wanted) + 1):
        if t in wanted:
            found[t] = State(mean, covariance[kind])
        if t == rows:
            break
        begun = begun | kinds[:, t].any(-1)
        by = gain(system, covariance, kinds[:, t])
        error = _error(by.design[kind], mean, values[:, t], mask[:, t])
        after = move(system, State(mean + _apply(by.weight[kind], error), by.covariance))
        mean = np.where(begun[kind][..., None], after.mean, mean)
        covariance = np.where(begun[..., None, None], after.covariance, covariance)
    return found


def smoothed(system: System, start: State, values: Array, mask: Array) -> Array:
    """Means of the states of rows (t, *g, p), given all of them, (t, *g, k).

    r ← Zᵀ F⁻¹ (y − Z a) + (I − K Z)ᵀ Tᵀ r from the last row back, and a + P r: no covariance is
    inverted (Durbin & Koopman, §4.4).
    """
    state, passed = start, []
    for y, seen in zip(values, mask, strict=True):
        by = gain(system, state.covariance, seen)
        error = _error(by.design, state.mean, y, seen)
        passed.append((state, by, error))
        state = move(system, State(state.mean + _apply(by.weight, error), by.covariance))
    pull, found = 0 * state.mean, []
    for before, by, error in reversed(passed):
        half = _half(by.factor)
        now = _apply(_turn(half @ by.design), _apply(half, error))
        pull = now + _apply(_turn(system.transition @ by.left), pull)
        found.append(before.mean + _apply(before.covariance, pull))
    return np.stack(found[::-1])


def ahead(system: System, state: State, horizon: int) -> tuple[Array, Array]:
    """Mean and standard deviation, (*b, *g, p, horizon), of the rows that follow a state."""
    rows = statespace.System(
        design=system.design,
        transition=system.transition[..., None, :, :],
        intercept=np.zeros(system.transition.shape[-1]),
        noise=system.noise[..., None, :, :],
    )
    mean, covariance = state.mean[..., None, :], state.covariance[..., None, :, :]
    point, deviation = statespace.ahead(rows, mean, covariance, horizon)
    measured = np.diagonal(system.measured, axis1=-2, axis2=-1)
    return point, np.sqrt(deviation**2 + measured[..., None])


def _error(design: Array, mean: Array, values: Array, seen: Array) -> Array:
    return seen * values - _apply(design, mean)


def _solve(factor: Array, right: Array) -> Array:
    """(L Lᵀ)⁻¹ right."""
    half = _half(factor)
    return _turn(half) @ (half @ right)


def _half(factor: Array) -> Array:
    """L⁻¹; it is as small as what is observed at once."""
    return xp(factor).linalg.solve(factor, 0 * factor + _identity(factor))


def _apply(matrix: Array, vector: Array) -> Array:
    return (matrix @ vector[..., None])[..., 0]


def _turn(matrix: Array) -> Array:
    return matrix.swapaxes(-1, -2)


def _identity(like: Array) -> Array:
    return xp(like).eye(like.shape[-1], dtype=like.dtype, device=like.device)


def _time_axis(system: System, values: Array) -> int:
    return values.ndim - system.design.ndim


def _unbind(values: Array, axis: int) -> Iterable[Array]:
    return (values[(slice(None),) * axis + (t,)] for t in range(values.shape[axis]))
