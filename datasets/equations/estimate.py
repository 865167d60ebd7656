"""The constants of a law that are not given, from the rows that may be learned from.

    θ₀ = argmin Σ |dx/dt − N(x; θ)|²                     dx/dt by differences of the rows
    θ  = argmin Σ_k Σ_t ρ(|y_{k+t} − φ_t(s_k; θ)| / σ)    over segments k, s_k fitted to each

The first is linear in θ, for laws are; noise bends it, and the second, multiple shooting, does
not mind that. Segments grow from short to long, so that chaos leads nobody astray, and ρ grows
slower than squares, for a kick is no matter of the law. The states of a field are too many to be
fitted: its segments are two rows, and begin where the first one was observed. Errors are those of
a linear regression.
Bock, Recent advances in parameter identification techniques for ODE (1983); Ramsay et al.,
Parameter estimation for differential equations, JRSS B 69 (2007), for what else there is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from stsfm.datasets.about import Array, Space
from stsfm.datasets.equations.base import Equation, Motion
from stsfm.datasets.equations.start import (
    CLOSE,
    coupled,
    fine,
    fitted,
    followed,
    guessed,
    velocities,
)

COARSE = 1e-3  # of the spread, that a step may be off; noise allows no finer constants
DIGITS = 6  # that are kept: the last ones of a machine make no other law
LENGTHS = (3, 6, 12)  # rows of a segment, round by round
PAIRS = (2, 2, 2)  # of a field
FIELD = 12  # cells that move each other: more are one
CELLS = 20_000  # of the segments of a round
SEGMENTS = (4, 24)  # of a round, at least and at most; of pairs ten times as many

Law = Callable[[Array], Equation]  # θ → the law with these constants


class Estimate(NamedTuple):
    values: Array  # θ, rounded
    errors: Array  # standard errors


def estimated(
    law: Law, count: int, rows: Array, seen: Array, seconds: Array, space: Space
) -> Estimate:
    """`count` constants, from states (t, n, c), what of them was seen, and the time between rows.

    Raises ValueError where the rows do not tell them.
    """
    spread = np.array([rows[..., c][seen[..., c]].std() if seen[..., c].any() else 0.0
                       for c in range(rows.shape[-1])])  # fmt: skip
    full, known = velocities(rows[None], seen[None], seconds[None]) if isinstance(
        law(np.ones(count)), Motion) else (rows[None], seen[None])  # fmt: skip
    lost = spread == 0
    spread[lost] = full[0][..., lost][known[0][..., lost]].std() if lost.any() else 0.0
    if not (spread > 0).all():
        raise ValueError("a channel of the equation never changes in the rows of train")
    theta, jacobian, left = _by_rates(law, count, full[0], known[0], seconds, space), None, None
    field = rows[0].size > FIELD and coupled(law(theta), rows[:1], space, spread)
    close = COARSE
    for length in PAIRS if field else LENGTHS:
        segments = _segments(rows, seen, seconds, length)
        if segments is None:
            continue
        theta, jacobian, left = _by_shooting(
            law, theta, *segments, space, spread, fit=not field, close=close
        )
        close = float(np.clip(0.01 * np.median(abs(left)), CLOSE, COARSE))
    if jacobian is None or left is None:
        raise ValueError(f"too few rows in a row for its constants: wanted {LENGTHS[0]}")
    return Estimate(np.array([float(f"{x:.{DIGITS}g}") for x in theta]), _errors(jacobian, left))


def _by_rates(
    law: Law, count: int, rows: Array, seen: Array, seconds: Array, space: Space
) -> Array:
    """θ₀, by central differences over rows that were observed together."""
    apart = (seconds[1:] + seconds[:-1])[:, None, None]
    speed = (rows[2:] - rows[:-2]) / apart
    whole = (seen[2:] & seen[:-2] & seen[1:-1]).all((1, 2))
    if not whole.any():
        raise ValueError("no three rows of train were observed whole, one after the other")
    x, speed = rows[1:-1][whole], speed[whole]
    still = law(np.zeros(count)).rate(x, space)
    moves = [law(one).rate(x, space) - still for one in np.eye(count)]
    design = np.stack([move.ravel() for move in moves], -1)
    weight = 1 / (speed.std((0, 1)) + 1e-12) * np.ones(speed.shape)  # channels have units
    design, target = design * weight.ravel()[:, None], (weight * (speed - still)).ravel()
    found, _, rank, _ = np.linalg.lstsq(design, target, rcond=1e-10)
    if rank < count:
        raise ValueError("the rows of train do not tell its constants apart: give some of them")
    return found


def _segments(
    rows: Array, seen: Array, seconds: Array, length: int
) -> tuple[Array, Array, Array] | None:
    """Rows (k, length, n, c) that begin evenly over all, what was seen, and seconds between."""
    free = len(rows) - length + 1
    if free < 1:
        return None
    least, most = SEGMENTS if length > 2 else (10 * few for few in SEGMENTS)
    many = min(max(CELLS // rows[0].size // length, least), most, free)
    at = np.linspace(0, free - 1, many).astype(int)[:, None] + np.arange(length)
    return rows[at], seen[at], seconds[at[:, :-1]]


def _by_shooting(
    law: Law, theta: Array, rows: Array, seen: Array, seconds: Array, space: Space, spread: Array,
    *, fit: bool, close: float,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """θ, the derivatives of what is left by it, and what is left."""
    from scipy.optimize import least_squares

    size = np.maximum(abs(theta), 1e-3 * abs(theta).max() + 1e-12)
    first = guessed(law(theta), rows, seen, seconds)
    steps = fine(law(theta), first, float(np.median(seconds)), space, close)

    if fit:
        first = fitted(law(theta), rows, seen, seconds, space, steps, spread)

    def missed(scaled: Array) -> Array:
        now, start = law(scaled * size), first
        if fit:
            start = fitted(now, rows, seen, seconds, space, steps, spread, first)
        way = followed(now, start, seconds, space, steps)
        off = np.where(seen, (rows - way) / spread, 0.0).ravel()
        return np.nan_to_num(off, nan=1e6, posinf=1e6, neginf=-1e6)

    left = abs(missed(theta / size))
    scale = max(float(np.median(left[left > 0])) / 0.6745, 1e-9) if (left > 0).any() else 1.0
    found = least_squares(
        missed, theta / size, loss="soft_l1", f_scale=2 * scale, diff_step=1e-5, max_nfev=15,
        xtol=1e-7, ftol=1e-7,
    )  # fmt: skip
    return found.x * size, found.jac / size, missed(found.x)


def _errors(jacobian: Array, left: Array) -> Array:
    """Standard errors; σ robustly, from the median of what is left."""
    used = left[left != 0]
    sigma = float(np.median(abs(used))) / 0.6745 if len(used) else 0.0
    return sigma * np.sqrt(np.diag(np.linalg.pinv(jacobian.T @ jacobian)))
