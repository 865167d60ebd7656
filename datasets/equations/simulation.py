"""A trajectory as a panel: rows at equal steps, with noise of observation."""

from __future__ import annotations

from typing import Any

import numpy as np

from stsfm.datasets.equations.base import Equation
from stsfm.datasets.panel import About, Panel, Space

START = np.datetime64("2000-01-01", "ns").astype("int64")


def seconds(length: int, dt: float) -> np.ndarray:
    """0, dt, 2 dt, … (length). ValueError unless dt is a whole number of ns."""
    if length < 1 or dt <= 0 or abs(dt * 1e9 - round(dt * 1e9)) > 1e-3:
        raise ValueError(f"wanted rows at steps of whole ns, got {length} rows and dt = {dt}")
    return np.arange(length) * dt


def observed(
    states: np.ndarray,
    dt: float,
    *,
    name: str,
    channels: tuple[str, ...],
    noise: float,
    rng: np.random.Generator,
    physics: Equation | None = None,
    space: Space | None = None,
    **about: Any,
) -> Panel:
    """States (time, node, channel), observed with Gaussian noise of that standard deviation.

    What was there without the noise is privileged: a teacher may see it in training.
    """
    if noise < 0:
        raise ValueError(f"noise is a standard deviation, 0 or more; got {noise}")
    nodes = tuple(f"node {n}" for n in range(states.shape[1]))
    return Panel(
        values=states + noise * rng.standard_normal(states.shape),
        mask=np.ones(states.shape, bool),
        time=START + round(dt * 1e9) * np.arange(len(states)),
        privileged=states,
        space=space or Space(),
        about=About(
            name=name,
            channels=channels,
            physics=physics,
            step=f"{dt:g} s",
            family=name,
            source="simulated",
            licence="none needed",
            **{"nodes": nodes, **about},
        ),
    )
