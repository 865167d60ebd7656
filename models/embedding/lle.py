"""States that lie to their neighbours as frames do to theirs: locally linear embedding.

    w_i = argmin |x_i − Σ_j w_ij x_j|²,  Σ_j w_ij = 1,    over the k nearest frames x_j of x_i
    z = argmin Σ_i |z_i − Σ_j w_ij z_j|²,   Σ z = 0,  var z = 1

The eigenvectors of (1 − W)ᵀ(1 − W) after the constant one; each is standardised, since dynamics are
to see numbers of one size, and its sign is that which makes the largest entry positive. Weights are
shrunk by `ridge` times the trace of the local covariance. A new frame lies at the same weights
between the states of its neighbours of train; so do those of train, among whose neighbours they are
themselves, up to the ridge. Of more than `max_points` frames as many are learned from, evenly
spaced. Going back takes a lifting.
Roweis & Saul, Nonlinear dimensionality reduction by locally linear embedding, Science 290 (2000);
modified: several weights for each frame, Zhang & Wang, NeurIPS (2006); by scikit-learn.
"""

from __future__ import annotations

from typing import Literal, Self, final

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.datasets.windows import Frame
from stsfm.models.numerics.distances import spread
from stsfm.models.numerics.signs import signs
from stsfm.models.parts import Embedding, check_width

CELLS = 4_000_000  # of neighbours' frames held at once
DENSE = 500  # frames: up to here the spectrum is had in full


@final
class LLE(Embedding):
    """Locally linear embedding."""

    cite = "roweis2000"
    classes = frozenset({"metric", "nonparametric"})

    def __init__(
        self, *, dim: int, neighbours: int, ridge: float,
        method: Literal["standard", "modified"], max_points: int,
    ) -> None:  # fmt: skip
        if dim < 1 or neighbours < dim + 1:
            raise ValueError(
                f"dim must be at least 1 and neighbours above it, got {dim} and {neighbours}"
            )
        if method not in ("standard", "modified"):
            raise ValueError(f"method must be standard or modified, got {method!r}")
        self.dim, self.neighbours, self.ridge = dim, neighbours, ridge
        self.method, self.max_points = method, max_points

    def fit(self, frames: Array, frame: Frame) -> Self:
        from sklearn.manifold import LocallyLinearEmbedding

        check_width(frames, self.dim)
        self.frames_ = frames[spread(len(frames), self.max_points)]
        _check_joined(self.frames_, self.neighbours)
        learned = LocallyLinearEmbedding(
            n_neighbors=self.neighbours, n_components=self.dim, reg=self.ridge, method=self.method,
            eigen_solver="dense" if len(self.frames_) <= DENSE else "arpack", random_state=0,
        ).fit(self.frames_)  # fmt: skip
        raw = learned.embedding_
        centred = (raw - raw.mean(0)) / raw.std(0)
        self.states_ = centred * signs(centred)  # (point, d)
        self.size_ = self.dim
        return self

    def encode(self, frames: Array) -> Array:
        flat = frames.reshape(-1, frames.shape[-1])
        size = max(1, CELLS // (self.neighbours * flat.shape[1]))
        made = [self._between(flat[i : i + size]) for i in range(0, len(flat), size)]
        return np.concatenate(made).reshape(*frames.shape[:-1], -1)

    def _between(self, frames: Array) -> Array:
        """(q, D) → (q, d), at the weights that frames have between their neighbours."""
        from sklearn.neighbors import NearestNeighbors

        near = NearestNeighbors(n_neighbors=self.neighbours).fit(self.frames_)
        at = near.kneighbors(frames, return_distance=False)  # (q, k)
        apart = self.frames_[at] - frames[:, None]  # (q, k, D)
        local = apart @ apart.swapaxes(1, 2)
        trace = np.trace(local, axis1=1, axis2=2)
        shrink = self.ridge * np.where(trace > 0, trace, 1)
        local += shrink[:, None, None] * np.eye(self.neighbours)
        weights = np.linalg.solve(local, np.ones((len(frames), self.neighbours, 1)))[..., 0]
        weights /= weights.sum(1, keepdims=True)
        return np.einsum("qk,qkd->qd", weights, self.states_[at])


def _check_joined(frames: Array, neighbours: int) -> None:
    """ValueError where neighbours do not join all frames: pieces have no axes in common."""
    from scipy.sparse.csgraph import connected_components
    from sklearn.neighbors import kneighbors_graph

    if len(frames) <= neighbours:
        raise ValueError(
            f"{len(frames)} frames have no {neighbours} neighbours each; lower "
            "model.embedding.neighbours"
        )
    pieces = connected_components(kneighbors_graph(frames, neighbours), directed=False)[0]
    if pieces > 1:
        raise ValueError(
            f"{neighbours} neighbours leave the frames of train in {pieces} pieces; raise "
            "model.embedding.neighbours"
        )
