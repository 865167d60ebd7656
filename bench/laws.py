"""Twenty series of known law for bench/selection.py: who is right for each was settled before any
selection was seen, and is told here with its reason.

A law is realised by models that hold it inside: with the right parameters they *are* its optimal
forecast. Such a set is right as a whole; a model that only comes near with enough lags is not in
it, but where the law is linear of a known order, lags are the law.

    nothing goes on  iid noise about a level: the mean; ARs and ARIMAs of order 0
    persistent       random walks: the last value, a drift; ARIMA, exponential smoothing, Kalman,
                     of which a random walk is a case
    autoregressive   AR(2), AR(1), ARMA(1, 1): AR, ARIMA, and least squares on lags (linear)
    structural       levels, slopes and seasons that wander, or stand still: exponential smoothing,
                     Kalman, seasonal ARIMA; waves about a line (fourier) where both stand still;
                     the last season (seasonal_naive) where the season is a random walk
    nonparametric    a map of the last rows that is not linear: logistic, Hénon, Mackey–Glass, one
                     coordinate of Lorenz's flow, a threshold AR: neighbours in delay space
                     (simplex, smap), kernels (gpr, svr)
    physics          a law that is given, seen with noise: followed (equation), or learned under its
                     terms. A spring is linear, but from noisy rows only the law filters both state
                     and constant, so that lags are not counted as right
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
PERSISTENT = {"naive", "drift", "arima", "ets", "kalman"}
REGRESSIVE = {"ar", "arima", "linear"}
STRUCTURAL = {"ets", "kalman", "arima"}
NONPARAMETRIC = {"simplex", "smap", "gpr", "svr"}
PHYSICS = {"equation", "neural_ode"}
ROWS = 300


@dataclass(frozen=True)
class Law:
    """How a series is made, and who is right for it."""

    name: str
    right: frozenset[str]
    made: Callable[[np.random.Generator], Array]  # (row,) or (row, channel)
    season: int = 1
    horizon: int = 6
    given: str = ""
    channels: tuple[str, ...] = ()
    seconds: float = 1.0  # from row to row, of a law of motion


def laws() -> list[Law]:
    """All twenty."""
    line, wave = np.arange(ROWS), lambda m: np.sin(2 * np.pi * np.arange(ROWS) / m)
    still = frozenset({"mean", "historical_average", "ar", "arima", "kalman", "ets"})
    fixed, lags = frozenset(STRUCTURAL | {"fourier"}), frozenset(REGRESSIVE)
    near, walk = frozenset(NONPARAMETRIC), frozenset(PERSISTENT)
    shape = lambda rng: np.tile(rng.standard_normal(12), 1 + ROWS // 12)[:ROWS]  # noqa: E731
    return [
        Law("iid", still, lambda rng: 10 + rng.standard_normal(ROWS)),
        Law("random walk", walk, lambda rng: rng.standard_normal(ROWS).cumsum()),
        Law("walk with drift", walk - {"naive"},
            lambda rng: (0.5 + rng.standard_normal(ROWS)).cumsum()),
        Law("AR(2), a cycle", lags, lambda rng: _arma(rng, (1.6, -0.8))),
        Law("AR(1)", lags, lambda rng: _arma(rng, (0.8,))),
        Law("ARMA(1, 1)", lags, lambda rng: _arma(rng, (0.8,), 0.5)),
        Law("trend + season", fixed,
            lambda rng: 0.05 * line + 3 * shape(rng) + rng.standard_normal(ROWS), 12, 12),
        Law("waves", fixed, lambda rng: 3 * wave(12) + 2 * wave(6) + rng.standard_normal(ROWS),
            12, 12),
        Law("season alone", fixed | {"historical_average"},
            lambda rng: 3 * shape(rng) + rng.standard_normal(ROWS), 12, 12),
        Law("seasonal walk", frozenset(STRUCTURAL | {"seasonal_naive"}), _seasonal_walk, 12, 12),
        Law("local level", frozenset(STRUCTURAL),
            lambda rng: (0.5 * rng.standard_normal(ROWS)).cumsum() + rng.standard_normal(ROWS)),
        Law("local trend", frozenset(STRUCTURAL),
            lambda rng: (0.1 * rng.standard_normal(ROWS)).cumsum().cumsum()
            + 2 * rng.standard_normal(ROWS)),
        Law("season that grows", frozenset(STRUCTURAL),
            lambda rng: np.exp(0.005 * line + 0.3 * shape(rng) + 0.05 * rng.standard_normal(ROWS)),
            12, 12),
        Law("logistic map", near, _logistic, horizon=4),
        Law("Hénon map", near, _henon, horizon=4),
        Law("Mackey–Glass", near, _mackey_glass),
        Law("threshold AR", near, _threshold, horizon=3),
        Law("pendulum", frozenset(PHYSICS), _pendulum, 1, 10, "pendulum", ("angle", "velocity"),
            0.1),
        Law("spring", frozenset(PHYSICS), _spring, 1, 10, "oscillator", ("position", "velocity"),
            0.2),
        Law("Lorenz's flow", frozenset(PHYSICS), _lorenz, 1, 10, "lorenz63", ("x", "y", "z"), 0.05),
    ]  # fmt: skip


def _arma(rng: np.random.Generator, phi: tuple[float, ...], theta: float = 0.0) -> Array:
    noise, y = rng.standard_normal(ROWS + 100), np.zeros(ROWS + 100)
    for t in range(2, len(y)):
        y[t] = sum(p * y[t - 1 - k] for k, p in enumerate(phi)) + noise[t] + theta * noise[t - 1]
    return y[100:]


def _seasonal_walk(rng: np.random.Generator) -> Array:
    y = rng.standard_normal(ROWS)
    y[:12] *= 5
    for t in range(12, ROWS):
        y[t] += y[t - 12]
    return y


def _logistic(rng: np.random.Generator) -> Array:
    x = np.full(ROWS, rng.uniform(0.2, 0.8))
    for t in range(1, ROWS):
        x[t] = 3.9 * x[t - 1] * (1 - x[t - 1])
    return x + 0.01 * rng.standard_normal(ROWS)


def _henon(rng: np.random.Generator) -> Array:
    x = np.zeros(ROWS + 50)
    x[:2] = rng.uniform(-0.1, 0.1, 2)
    for t in range(2, len(x)):
        x[t] = 1 - 1.4 * x[t - 1] ** 2 + 0.3 * x[t - 2]
    return x[50:] + 0.01 * rng.standard_normal(ROWS)


def _mackey_glass(rng: np.random.Generator) -> Array:
    """τ = 17, by Euler steps of 0.1, a row every 3."""
    every, delay = 30, 170
    x = np.full(delay + every * (ROWS + 100), 1.2) + 0.1 * rng.standard_normal()
    for t in range(delay, len(x) - 1):
        x[t + 1] = x[t] + 0.1 * (0.2 * x[t - delay] / (1 + x[t - delay] ** 10) - 0.1 * x[t])
    return x[-every * ROWS :: every] + 0.005 * rng.standard_normal(ROWS)


def _threshold(rng: np.random.Generator) -> Array:
    """Two lines that meet in a tent: y falls by 1.5 above 0, and rises by as much below."""
    y = np.zeros(ROWS)
    for t in range(1, ROWS):
        y[t] = 1.0 - 1.5 * abs(y[t - 1]) + 0.1 * rng.standard_normal()
        y[t] = np.clip(y[t], -2.0, 2.0)
    return y


def _solved(
    law: object, start: Array, seconds: float, rng: np.random.Generator, noise: float
) -> Array:
    from stsfm.datasets.equations.flow import solved
    from stsfm.datasets.panel import Space

    states = solved(law, start[None], np.arange(ROWS) * seconds, Space())[:, 0]  # type: ignore[arg-type]
    return states + noise * states.std(0) * rng.standard_normal(states.shape)


def _pendulum(rng: np.random.Generator) -> Array:
    from stsfm.datasets.equations.pendulum import Pendulum

    law = Pendulum(pull=rng.uniform(2, 4))
    return _solved(law, np.array([rng.uniform(1.5, 2.5), 0.0]), 0.1, rng, 0.1)


def _spring(rng: np.random.Generator) -> Array:
    from stsfm.datasets.equations.oscillator import Oscillator

    law = Oscillator(stiffness=rng.uniform(0.8, 1.5), mass=1.0)
    return _solved(law, np.array([rng.uniform(0.5, 2.0), 0.0]), 0.2, rng, 0.1)


def _lorenz(rng: np.random.Generator) -> Array:
    from stsfm.datasets.equations.lorenz import Lorenz63

    law = Lorenz63(sigma=10.0, rho=28.0, beta=8 / 3)
    start = np.array([-5.0, -6.0, 22.0]) + rng.standard_normal(3)
    return _solved(law, start, 0.05, rng, 0.05)
