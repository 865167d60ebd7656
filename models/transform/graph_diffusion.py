"""States as they are after some heat has flowed along the graph.

    z′ = U e^{−τΛ/λ_max} Uᵀ z,    z = U e^{τΛ/λ_max} Uᵀ z′      of each channel; z (node)

U and Λ are the waves of the graph and their rates (laplacian.py), so that τ has no units: the
fastest wave is damped by e^{−τ}. States have to be frames. Kondor & Lafferty, Diffusion kernels on
graphs and other discrete structures, ICML (2002).
"""

from __future__ import annotations

from typing import Self, final

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.datasets.windows import Frame
from stsfm.models.numerics.laplacian import waves
from stsfm.models.parts import Transform

MOST = 20.0  # τ, beyond which rounding is what comes back


@final
class GraphDiffusion(Transform):
    """Diffusion over the graph of the nodes."""

    cite = "kondor2002"
    classes = frozenset({"graph"})
    offers, needs = frozenset({"inverse", "frames"}), frozenset({"graph", "frames"})

    def __init__(self, *, time: float) -> None:
        if not 0 < time <= MOST:
            raise ValueError(f"time must be above 0 and at most {MOST:g}, got {time}")
        self.time = time

    def fit(self, states: Array, frame: Frame) -> Self:
        rates, basis = waves(frame.space)
        damping = np.exp(-self.time * rates / max(rates[-1], np.finfo(float).tiny))
        each = np.eye(frame.channels)
        self.there_ = np.kron(basis * damping @ basis.T, each)
        self.back_ = np.kron(basis / damping @ basis.T, each)
        return self

    def forward(self, states: Array) -> Array:
        return states @ self.there_  # symmetric

    def inverse(self, states: Array) -> Array:
        return states @ self.back_
