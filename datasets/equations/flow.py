"""Along an equation: to the rounding of numpy, or in one differentiable step."""

from __future__ import annotations

from functools import partial

import numpy as np

from stsfm.datasets.about import Array, Space
from stsfm.datasets.equations.base import Equation, Linear
from stsfm.datasets.storage.solutions import kept

TOLERANCE = 1e-10  # relative, of every step of the solver


def solved(equation: Equation, start: np.ndarray, seconds: np.ndarray, space: Space) -> np.ndarray:
    """The states (t, node, channel) at increasing `seconds` (t) after `start` (node, channel).

    Linear equations are solved by the exponential of their matrix, others by LSODA, which turns
    to an implicit method where they are stiff (Petzold, SIAM J. Sci. Stat. Computing 4, 1983);
    what it found is kept in the cache, for it takes seconds, and every job asks again.
    Raises ValueError where there is no solution so far ahead.
    """
    if isinstance(equation, Linear):
        return _by_exponentials(equation, start, seconds, space)
    return kept(equation, start, seconds, space, lambda: _by_lsoda(equation, start, seconds, space))


def step(equation: Equation, x: Array, seconds: Array | float, space: Space) -> Array:
    """One step of the classical Runge–Kutta method, of order 4 (Kutta 1901): (…, node, channel).

    `seconds` is a number, or an array that broadcasts against x.
    """
    rate = partial(equation.rate, space=space)
    first = rate(x)
    second = rate(x + seconds / 2 * first)
    third = rate(x + seconds / 2 * second)
    fourth = rate(x + seconds * third)
    return x + seconds / 6 * (first + 2 * second + 2 * third + fourth)


def _by_exponentials(
    equation: Linear, start: np.ndarray, seconds: np.ndarray, space: Space
) -> np.ndarray:
    known: dict[float, np.ndarray] = {}  # of few distinct steps
    state, out = start.ravel(), np.empty((len(seconds), start.size))
    for row, size in enumerate(np.diff(seconds, prepend=0.0).round(9).tolist()):
        if size not in known:
            known[size] = equation.propagator(size, len(start), space)
        out[row] = state = known[size] @ state
    return out.reshape(-1, *start.shape)


def _by_lsoda(equation: Equation, start: np.ndarray, seconds: np.ndarray, space: Space) -> Array:
    from scipy.integrate import solve_ivp

    made = solve_ivp(
        lambda _, x: equation.rate(x.reshape(start.shape), space).ravel(),
        (0.0, float(seconds[-1])), start.ravel(), method="LSODA", t_eval=seconds,
        rtol=TOLERANCE, atol=0.01 * TOLERANCE,
    )  # fmt: skip
    if not made.success or not np.isfinite(made.y).all():
        raise ValueError(f"{type(equation).__name__} has no solution there: {made.message}")
    return made.y.T.reshape(-1, *start.shape)
