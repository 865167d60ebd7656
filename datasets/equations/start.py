"""Where a law must have begun to pass closest to rows that were observed with noise.

    s = argmin Σ_t Σ_i m_ti ((y_ti − φ_t(s)_i) / σ_i)²            σ_i the spread of a channel

φ_t is followed by Runge–Kutta steps, their derivatives by s are differences, and the least squares
are those of Levenberg and Marquardt, of many windows at once. Where nodes do not move each other
every node is a problem of its own. What no row tells of a state stays as it was guessed.
Marquardt, An algorithm for least-squares estimation of nonlinear parameters, SIAM J. 11 (1963).
"""

from __future__ import annotations

import numpy as np

from stsfm.datasets.about import Array, Space
from stsfm.datasets.equations.base import Equation, Motion
from stsfm.datasets.equations.flow import step

CELLS = 4_000_000  # of perturbed rows held at once
CLOSE = 1e-7  # of the spread: so near are two solutions that are one
FINEST = 2**8  # steps from one row to the next
NUDGE = 1e-6  # of the spread, for derivatives
ROUNDS = 8  # of Levenberg and Marquardt
DONE = 1e-9  # of the spread: a move so small is none
TRUST = 1e-9  # weight of the guess beside what was observed
TINY = 1e-30


def followed(
    law: Equation, start: Array, seconds: Array, space: Space, steps: int
) -> Array:  # start (…, b, n, c), seconds (b, t) → (…, b, t + 1, n, c)
    """The states from `start` on, each row `seconds` after the one before."""
    rows = [start]
    with np.errstate(over="ignore", invalid="ignore"):  # a wrong start may lead anywhere
        for size in np.moveaxis(seconds, -1, 0)[..., None, None] / steps:  # (b, 1, 1)
            now = rows[-1]
            for _ in range(steps):
                now = step(law, now, size, space)
            rows.append(now)
    return np.stack(rows, -3)


def fine(law: Equation, states: Array, seconds: float, space: Space, close: float = CLOSE) -> int:
    """Steps that bring states (b, n, c) so many seconds on, to a share `close` of their spread."""
    near, one, count = close * (states.std() or 1.0), np.full((len(states), 1), seconds), 1
    before = followed(law, states, one, space, count)
    while count < FINEST:
        count *= 2
        after = followed(law, states, one, space, count)
        if np.allclose(before, after, rtol=0, atol=near):
            return count // 2
        before = after
    raise ValueError(
        f"{type(law).__name__} can't be followed from row to row, {seconds:g} s; are the stamps of "
        "the data in the units of its constants?"
    )


def fitted(
    law: Equation, rows: Array, seen: Array, seconds: Array, space: Space, steps: int,
    spread: Array, guess: Array | None = None,
) -> Array:  # fmt: skip
    """States (b, n, c) at the first of rows (b, t, n, c), apart by seconds (b, t − 1).

    spread  (c,) of each channel
    guess   (b, n, c) where they may be; None = as was seen
    """
    known = guess is not None
    guess = guessed(law, rows, seen, seconds) if guess is None else guess
    batch, _, nodes, channels = rows.shape
    if not coupled(law, guess, space, spread):  # (b, t, n, c) → (b n, t, 1, c)
        wide = (batch * nodes, -1, 1, channels)
        rows, seen = (x.swapaxes(1, 2).reshape(wide) for x in (rows, seen))
        guess, seconds = guess.reshape(-1, 1, channels), np.repeat(seconds, nodes, 0)
    size = max(1, CELLS // (rows[0].size * guess[0].size))
    parts = [
        _marquardt(law, guess[p], rows[p], seen[p], seconds[p], space, steps, spread, known)
        for p in (slice(at, at + size) for at in range(0, len(rows), size))
    ]
    return np.concatenate(parts).reshape(batch, nodes, channels)


def velocities(rows: Array, seen: Array, seconds: Array) -> tuple[Array, Array]:
    """Rows of a motion (b, t, n, 2) whose velocities are differences where none was observed."""
    if len(rows[0]) < 2 or seen[..., 1].any():
        return rows, seen
    at = np.concatenate([np.zeros((len(rows), 1)), seconds.cumsum(1)], 1)[..., None]  # (b, t, 1)
    wide = lambda x: np.concatenate([x[:, :1], x, x[:, -1:]], 1)  # noqa: E731
    x, t, known = wide(rows[..., 0]), wide(at), wide(seen[..., 0])
    speed = (x[:, 2:] - x[:, :-2]) / (t[:, 2:] - t[:, :-2])
    there = known[:, 2:] & known[:, :-2]
    made = np.where(there, speed, 0.0)
    return np.stack([rows[..., 0], made], -1), np.stack([seen[..., 0], there], -1)


def guessed(law: Equation, rows: Array, seen: Array, seconds: Array) -> Array:
    """The first value that was observed of each cell; its mean in other windows where none was."""
    if isinstance(law, Motion):
        rows, seen = velocities(rows, seen, seconds)
    first = np.take_along_axis(rows, seen.argmax(1)[:, None], 1)[:, 0]
    count = seen.sum((0, 1)).clip(1)
    return np.where(seen.any(1), first, (rows * seen).sum((0, 1)) / count)


def coupled(law: Equation, states: Array, space: Space, spread: Array) -> bool:
    """Does a node move another one?"""
    if states.shape[-2] == 1:
        return False
    moved = states[:1] + 0.1 * spread * np.arange(1, states.shape[-2] + 1)[:, None]
    other = moved.copy()
    other[..., 0, :] += spread
    change = law.rate(other, space) - law.rate(moved, space)
    return bool((change[..., 1:, :] != 0).any())


def _marquardt(
    law: Equation, guess: Array, rows: Array, seen: Array, seconds: Array, space: Space,
    steps: int, spread: Array, near: bool,
) -> Array:  # fmt: skip
    """The guess (b, n, c), improved in units of the spread; one that is near is trusted more."""
    batch, size = len(guess), guess[0].size
    unit = np.broadcast_to(spread, guess.shape[1:])

    def missed(u: Array) -> Array:
        """What the way from u (…, b, D) leaves of the rows, (…, b, t n c)."""
        start = u.reshape(*u.shape[:-1], *unit.shape) * unit
        off = np.where(seen, (rows - followed(law, start, seconds, space, steps)) / unit, 0.0)
        return off.reshape(*u.shape[:-1], -1)

    now, damp = (guess / unit).reshape(batch, size), np.full(batch, 1e-6 if near else 1e-3)
    left = missed(now)
    for _ in range(ROUNDS):
        bent = left - missed(now + NUDGE * np.eye(size)[:, None])  # (D, b, t n c)
        bent = np.nan_to_num(np.moveaxis(bent, 0, -1) / NUDGE)
        pull = (bent.swapaxes(1, 2) @ np.nan_to_num(left)[..., None])[..., 0]  # (b, D)
        square = bent.swapaxes(1, 2) @ bent
        strength = np.einsum("bii->bi", square)
        ridge = damp[:, None] * strength + TRUST * strength.max(-1, keepdims=True) + TINY
        square = square + ridge[..., None] * np.eye(size)
        move = np.linalg.solve(square, pull[..., None])[..., 0]
        after = missed(now + move)
        with np.errstate(over="ignore", invalid="ignore"):
            better = (after**2).sum(1) <= (left**2).sum(1)
        now = np.where(better[:, None], now + move, now)
        left = np.where(better[:, None], after, left)
        damp = np.where(better, damp / 30, damp * 10)
        if not (better & (abs(move) > DONE).any(1)).any():
            break
    return (now.reshape(guess.shape)) * unit
