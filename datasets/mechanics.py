"""Mechanical systems that keep their energy, one per node.

pendulum     x″ = −c sin x         mass_spring  x″ = −(k/m) x         channels: x and x′
"""

from collections.abc import Sequence

import numpy as np

from stsfm.datasets.equations.base import Equation
from stsfm.datasets.equations.flow import solved
from stsfm.datasets.equations.oscillator import Oscillator
from stsfm.datasets.equations.pendulum import Pendulum
from stsfm.datasets.equations.simulation import observed, seconds
from stsfm.datasets.panel import Panel, Space


def pendulum(
    *,
    length: int,
    dt: float,
    nodes: int,
    pull: float,
    amplitude: Sequence[float],
    noise: float,
    seed: int,
) -> Panel:
    """Pendulums: length × nodes × 2. They are let go at rest, at angles from `amplitude` (rad).

    Raises ValueError for angles of π or more, from which none swings.
    """
    if max(amplitude) >= np.pi:
        raise ValueError(f"a pendulum swings from an angle below π, got {max(amplitude)}")
    physics = Pendulum(pull=pull)
    return _swinging("pendulum", physics, length, dt, nodes, amplitude, noise, seed)


def mass_spring(
    *,
    length: int,
    dt: float,
    nodes: int,
    stiffness: float,
    mass: float,
    amplitude: Sequence[float],
    noise: float,
    seed: int,
) -> Panel:
    """Masses on springs: length × nodes × 2. They are let go at rest, from `amplitude` (m)."""
    physics = Oscillator(stiffness=stiffness, mass=mass)
    return _swinging("mass_spring", physics, length, dt, nodes, amplitude, noise, seed)


def _swinging(
    name: str,
    physics: Equation,
    length: int,
    dt: float,
    nodes: int,
    amplitude: Sequence[float],
    noise: float,
    seed: int,
) -> Panel:
    rng = np.random.default_rng(seed)
    least, most = amplitude
    start = np.stack([rng.uniform(least, most, nodes), np.zeros(nodes)], 1)
    states = solved(physics, start, seconds(length, dt), Space())
    units = ("rad", "rad/s") if isinstance(physics, Pendulum) else ("m", "m/s")
    return observed(
        states, dt, name=name, channels=physics.channels, noise=noise, rng=rng, physics=physics,
        units=units, suggests={"horizon": 20},
    )  # fmt: skip
