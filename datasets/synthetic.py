"""Panels whose law is known, so that a model's answer can be checked against the truth.

sines   x[t, n] = Σ_k a_k sin(2π t / p_k + φ_kn) + σ ε[t, n]
ring    x[t] = A x[t−1] + σ ε[t],   A = self · I + neighbour · (left + right) / 2 on a ring of nodes
driven  x[t, n] = sin(2π t / s + φ_n) + β u[t] + γ v[t] + σ ε[t, n]
        u is 1 in hours of a campaign that was planned, else 0;   v ~ N(0, 1) is known to an oracle
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from stsfm.datasets.ablation import Graph, ablated
from stsfm.datasets.panel import About, Panel, Space

HOUR = 3_600 * 10**9  # ns


def sines(
    *, length: int, nodes: int, periods: list[int], amplitudes: list[float], noise: float, seed: int
) -> Panel:
    """Sines with a random phase per node: length × nodes × 1, hourly, season = periods[0]."""
    if len(periods) != len(amplitudes):
        raise ValueError(f"wanted an amplitude per period, got {periods} and {amplitudes}")
    rng = np.random.default_rng(seed)
    t = np.arange(length)[:, None]
    x = noise * rng.standard_normal((length, nodes))
    for period, amplitude in zip(periods, amplitudes, strict=True):
        phase = rng.uniform(0, 2 * np.pi, nodes)
        x += amplitude * np.sin(2 * np.pi * t / period + phase)
    return _panel(x, name="sines", season=periods[0])


def ring(
    *,
    length: int,
    nodes: int,
    own: float,
    neighbour: float,
    noise: float,
    seed: int,
    space: Graph = "given",
) -> Panel:
    """A stable VAR(1) on a ring graph: length × nodes × 1, with its adjacency.

    Raises ValueError unless |own| + |neighbour| < 1, which keeps the process stationary.
    """
    if abs(own) + abs(neighbour) >= 1:
        raise ValueError(f"wanted |own| + |neighbour| < 1, got {own} and {neighbour}")
    if nodes < 3:
        raise ValueError(f"a ring needs at least 3 nodes, got {nodes}")
    rng = np.random.default_rng(seed)
    shift = np.roll(np.eye(nodes), 1, axis=1)
    adjacency = shift + shift.T
    transition = own * np.eye(nodes) + neighbour * adjacency / 2
    burn_in = 200
    x = np.zeros((length + burn_in, nodes))
    for t in range(1, len(x)):
        x[t] = transition @ x[t - 1] + noise * rng.standard_normal(nodes)
    return ablated(_panel(x[burn_in:], name="ring", space=Space(adjacency=adjacency)), space)


def driven(
    *,
    length: int,
    nodes: int,
    season: int,
    planned: float,
    oracle: float,
    noise: float,
    covariates: Sequence[Literal["planned", "oracle"]],
    seed: int,
) -> Panel:
    """A season moved by what only covariates tell ahead: length × nodes × 1, hourly.

    `planned` is β, the effect of campaigns that take a fifth of the hours; `oracle` is γ. The
    past tells nothing of either. `covariates` names those that are offered to models; the series
    is the same whichever are.
    """
    rng = np.random.default_rng(seed)
    campaign, shock = rng.random(length) < 0.2, rng.standard_normal(length)
    phase = rng.uniform(0, 2 * np.pi, nodes)
    x = noise * rng.standard_normal((length, nodes))
    x += np.sin(2 * np.pi * np.arange(length)[:, None] / season + phase)
    x += (planned * campaign + oracle * shock)[:, None]
    panel = _panel(x, name="driven", season=season)
    drivers = {"planned": ("campaign", campaign), "oracle": ("shock", shock)}
    names = tuple(drivers[kind][0] for kind in covariates)
    known = np.zeros((length, 1, len(covariates)))
    for k, kind in enumerate(covariates):
        known[:, 0, k] = drivers[kind][1]
    about = replace(panel.about, covariates=names, kinds=tuple(covariates))
    return replace(panel, known=known, about=about)


def _panel(x: np.ndarray, *, name: str, season: int = 1, space: Space | None = None) -> Panel:
    start = np.datetime64("2000-01-01", "ns").astype("int64")
    return Panel(
        values=x[..., None],
        mask=np.ones((*x.shape, 1), bool),
        time=start + HOUR * np.arange(len(x)),
        space=space or Space(),
        about=About(
            name=name,
            nodes=tuple(f"node {n}" for n in range(x.shape[1])),
            channels=("value",),
            season=season,
            step="hour",
            family="synthetic",
            source="simulated",
            licence="none needed",
            suggests={"horizon": max(season, 12)},
        ),
    )
