"""Systems whose forecasts are bounded by chaos: no noise is needed to make them hard.

lorenz63       one node with the channels x, y, z
lorenz96       sites on a circle, each a node; the graph tells which moves which
logistic_maps  two coupled maps, x ← x (r₁ − r₁ x − c₁ y),  y ← y (r₂ − r₂ y − c₂ x)

Sugihara et al., Detecting causality in complex ecosystems, Science 338 (2012), for the maps.
"""

from collections.abc import Sequence

import numpy as np

from stsfm.datasets.ablation import Graph, ablated
from stsfm.datasets.equations.flow import solved
from stsfm.datasets.equations.lorenz import Lorenz63, Lorenz96
from stsfm.datasets.equations.simulation import observed, seconds
from stsfm.datasets.panel import Panel, Space


def lorenz63(
    *,
    length: int,
    dt: float,
    drop: int,
    sigma: float,
    rho: float,
    beta: float,
    noise: float,
    seed: int,
) -> Panel:
    """Lorenz's butterfly: length × 1 × 3. The first `drop` rows lead to the attractor."""
    rng = np.random.default_rng(seed)
    physics = Lorenz63(sigma=sigma, rho=rho, beta=beta)
    start = np.array([[1.0, 1.0, rho - 1]]) + rng.standard_normal((1, 3))
    states = solved(physics, start, seconds(drop + length, dt), Space())[drop:]
    return observed(
        states, dt, name="lorenz63", channels=physics.channels, noise=noise, rng=rng,
        physics=physics, nodes=("state",), suggests={"horizon": 20},
    )  # fmt: skip


def lorenz96(
    *,
    length: int,
    dt: float,
    drop: int,
    nodes: int,
    forcing: float,
    noise: float,
    seed: int,
    space: Graph = "given",
) -> Panel:
    """A quantity around a circle of latitude: length × nodes × 1.

    An edge i → j says that node i moves node j: i = j − 2, j − 1, j + 1.
    Raises ValueError below 4 nodes.
    """
    if nodes < 4:
        raise ValueError(f"wanted at least 4 nodes, got {nodes}")
    rng = np.random.default_rng(seed)
    physics = Lorenz96(forcing=forcing)
    start = forcing + rng.standard_normal((nodes, 1))
    states = solved(physics, start, seconds(drop + length, dt), Space())[drop:]
    circle = np.eye(nodes)
    graph = sum(np.roll(circle, ahead, axis=1) for ahead in (1, 2, -1))
    panel = observed(
        states, dt, name="lorenz96", channels=physics.channels, noise=noise, rng=rng,
        physics=physics, space=Space(adjacency=graph), suggests={"horizon": 12},
    )  # fmt: skip
    return ablated(panel, space)


def logistic_maps(
    *,
    length: int,
    growth: Sequence[float],
    coupling: Sequence[float],
    start: Sequence[float],
    noise: float,
    seed: int,
) -> Panel:
    """Two coupled logistic maps, x and y: length × 2 × 1, one second apart.

    growth is r of x and of y, coupling the effect of y on x and of x on y, start the first row.
    Raises ValueError where they leave [0, 1].
    """
    rng = np.random.default_rng(seed)
    r, effect = np.array(growth), np.array(coupling)
    states = np.empty((length, 2))
    states[0] = start
    for t in range(1, length):
        now = states[t - 1]
        states[t] = now * (r - r * now - effect * now[::-1])
    if not ((states >= 0) & (states <= 1)).all():
        raise ValueError(f"the maps leave [0, 1] with growth {growth} and coupling {coupling}")
    return observed(
        states[..., None], 1.0, name="logistic_maps", channels=("value",), noise=noise, rng=rng,
        nodes=("x", "y"), suggests={"horizon": 5},
    )  # fmt: skip
