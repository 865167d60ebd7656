"""States near which a random walk over the frames spends its time: diffusion maps.

    K_ij = exp(−|x_i − x_j|² / ε),   q = K 1,   K̃ = K / (q qᵀ)^α,   P = K̃ / K̃ 1,   P ψ_k = λ_k ψ_k
    z = (λ_k^t ψ_k)_k,    ψ_k(x) = λ_k⁻¹ Σ_j P(x, x_j) ψ_k(j)    for a new frame (Nyström)

α = 1 takes out how densely train lies on the manifold: P is then its heat flow, and a circle has
−4 log λ / ε = 1, 1, 4, 4, …; α = 0 leaves it in. width = slope takes that ε where log Σ K grows
fastest with log ε, of those no narrower than the longest step without which frames would fall into
pieces: a walk that can't take it has a coordinate for each piece. A number is in median squared
distances of frames. ψ_k has deviation 1 on train. parsimonious leaves out harmonics of what is
there: of ψ_1 … ψ_{2d+2} those d are taken that a local linear regression on all before them tells
least of (Dsilva); more of them are not looked at, and a ridge holds the regressions, which become
ill-posed as k grows. Of more than `max_points` frames as many are learned from, evenly spaced.
Coifman & Lafon, Diffusion maps, Applied and Computational Harmonic Analysis 21 (2006); Dsilva et
al., Parsimonious representation of nonlinear dynamical systems through manifold learning, ibid. 44
(2018).
"""

from __future__ import annotations

from typing import Literal, Self, final

import numpy as np
from scipy.linalg import eigh

from stsfm.datasets.panel import Array
from stsfm.datasets.windows import Frame
from stsfm.models.numerics.distances import median_square, spread, squares
from stsfm.models.numerics.signs import signs
from stsfm.models.parts import Embedding

WIDTHS = np.logspace(-4, 2, 61)  # where the slope is looked for, in median squared distances
RIDGE = 1e-3  # of local regressions, in units of their variance
LOCAL = 3  # width of those: the median distance over it
PIECES = 1e-10  # nearer to 1 than this λ_1 is 1
CELLS = 4_000_000  # of a kernel held at once


@final
class DiffusionMap(Embedding):
    """Diffusion maps."""

    cite = "coifman2006dm"
    classes = frozenset({"metric", "nonparametric"})

    def __init__(
        self, *, dim: int, alpha: float, width: float | Literal["slope"], time: float,
        parsimonious: bool, max_points: int,
    ) -> None:  # fmt: skip
        if dim < 1 or not 0 <= alpha <= 1 or time < 0:
            raise ValueError(
                f"wanted dim ≥ 1, alpha in [0, 1] and time ≥ 0, got {dim}, {alpha} and {time}"
            )
        if width != "slope" and width <= 0:
            raise ValueError(f"width must be above 0 or slope, got {width}")
        self.dim, self.alpha, self.width, self.time = dim, alpha, width, time
        self.parsimonious, self.max_points = parsimonious, max_points

    def fit(self, frames: Array, frame: Frame) -> Self:
        self.frames_ = frames[spread(len(frames), self.max_points)]
        if len(self.frames_) < 2 * self.dim + 4:
            raise ValueError(
                f"{len(self.frames_)} frames are too few for {self.dim} diffusion coordinates; "
                "lower model.embedding.dim"
            )
        apart = squares(self.frames_, self.frames_)
        median = median_square(self.frames_)
        self.epsilon_ = np.float64(
            steepest(self.frames_, apart, median) if self.width == "slope" else self.width * median
        )
        kernel = np.exp(-apart / self.epsilon_)
        self.density_ = kernel.sum(1) ** self.alpha  # q^α (point,)
        values, vectors = self._spectrum(kernel / np.outer(self.density_, self.density_))
        if not len(values) or values[0] > 1 - PIECES:  # LAPACK may find none that are equal
            raise ValueError(
                f"at width={self.width} no walk joins all frames of train, and states would only "
                "tell its pieces; raise model.embedding.width, or take slope"
            )
        chosen = np.arange(self.dim)
        if self.parsimonious:
            told = [1.0, *(untold(vectors[:, :k], vectors[:, k]) for k in range(1, len(values)))]
            chosen = np.sort(np.argsort(-np.array(told), kind="stable")[: self.dim])
        self.values_, self.vectors_ = values[chosen], vectors[:, chosen]  # λ (d), ψ (point, d)
        self.size_ = self.dim
        return self

    def encode(self, frames: Array) -> Array:
        flat = frames.reshape(-1, frames.shape[-1])
        size = max(1, CELLS // len(self.frames_))
        made = [self._walked(flat[i : i + size]) for i in range(0, len(flat), size)]
        return np.concatenate(made).reshape(*frames.shape[:-1], -1)

    def _walked(self, frames: Array) -> Array:
        """One step of the walk from frames (q, D), then its coordinates (q, d)."""
        log = -squares(frames, self.frames_) / self.epsilon_
        step = np.exp(log - log.max(1, keepdims=True)) / self.density_
        step /= step.sum(1, keepdims=True)  # P(x, x_j); q(x) drops out
        return step @ self.vectors_ * self.values_ ** (self.time - 1)

    def _spectrum(self, kernel: Array) -> tuple[Array, Array]:
        """λ (k) and ψ (point, k) after the constant one, by the symmetric conjugate of P."""
        weight = np.sqrt(kernel.sum(1))
        count = 2 * self.dim + 2 if self.parsimonious else self.dim
        size = len(kernel)
        values, vectors = eigh(
            kernel / np.outer(weight, weight), subset_by_index=(size - 1 - count, size - 2)
        )
        values, vectors = values[::-1], vectors[:, ::-1] / weight[:, None]
        vectors /= vectors.std(0)
        return values, vectors * signs(vectors)


def steepest(frames: Array, apart: Array, median: float) -> float:
    """The ε at which log Σ exp(−|x_i − x_j|² / ε) grows fastest with log ε, of joined frames."""
    from scipy.cluster.hierarchy import linkage

    longest = linkage(frames, "single")[-1, 2] ** 2  # a step that no way between all avoids
    widths = WIDTHS * median
    widths = widths[widths >= longest] if widths[-1] >= longest else widths[-1:]
    slopes = []
    for width in widths:
        kernel = np.exp(-apart / width)
        slopes.append((kernel * apart).sum() / width / kernel.sum())
    return float(widths[int(np.argmax(slopes))])


def untold(before: Array, one: Array) -> float:
    """How little of a function (n) those before it (n, k) tell: 0, all … 1, nothing.

    It is the error of a local linear regression that leaves each point out of its own, as a share
    of the function's deviation; what is worse than nothing is ill-posed, and counts as nothing.
    """
    weight = np.exp(-squares(before, before) * LOCAL**2 / median_square(before))
    np.fill_diagonal(weight, 0)
    weight /= weight.sum(1, keepdims=True) + np.finfo(float).tiny
    size = before.shape[1]
    middle, level = weight @ before, weight @ one  # of the neighbourhoods
    outer = (before[:, :, None] * before[:, None]).reshape(len(one), -1)
    spread_out = (weight @ outer).reshape(-1, size, size) - middle[:, :, None] * middle[:, None]
    along = weight @ (before * one[:, None]) - middle * level[:, None]
    trace = np.trace(spread_out, axis1=1, axis2=2)
    ridge = RIDGE * (trace + np.median(trace)) + np.finfo(float).tiny
    slope = np.linalg.solve(spread_out + ridge[:, None, None] * np.eye(size), along[..., None])
    error = one - level - ((before - middle) * slope[..., 0]).sum(1)
    return min(1.0, float(error.std() / one.std()))
