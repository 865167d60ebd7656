"""Frames as sums of the waves of their graph, of which the slow ones are kept.

    z = Uᵀ x,    x̂ = U z     of each channel; x (node), U (node, k) the first k waves (laplacian.py)

With all of them nothing is lost, |z| = |x|; with few z is what varies slowly from neighbour to
neighbour. Shuman et al., The emerging field of signal processing on graphs, IEEE Signal Processing
Magazine 30 (2013).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self, final

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.datasets.windows import Frame
from stsfm.models.numerics.laplacian import waves
from stsfm.models.parts import Embedding

if TYPE_CHECKING:
    from stsfm.models.layers.projection import Projection


@final
class GraphFourier(Embedding):
    """Graph Fourier transform."""

    cite = "shuman2013"
    classes = frozenset({"graph"})
    offers, needs = frozenset({"inverse", "gradient"}), frozenset({"graph"})

    def __init__(self, *, keep: int | Literal["all"]) -> None:
        if keep != "all" and keep < 1:
            raise ValueError(f"keep must be at least 1 or all, got {keep}")
        self.keep = keep

    def fit(self, frames: Array, frame: Frame) -> Self:
        keep = frame.nodes if self.keep == "all" else self.keep
        if keep > frame.nodes:
            raise ValueError(f"a graph of {frame.nodes} nodes has no {keep} waves; lower keep")
        _, basis = waves(frame.space)
        self.basis_ = np.kron(basis[:, :keep], np.eye(frame.channels))  # (D, d), channels inside
        self.size_ = self.basis_.shape[1]
        return self

    def encode(self, frames: Array) -> Array:
        return frames @ self.basis_

    def decode(self, states: Array) -> Array:
        return states @ self.basis_.T

    def net(self) -> Projection:
        from stsfm.models.layers.projection import Projection

        return Projection(self.basis_, self.basis_.T, np.zeros(len(self.basis_)))
