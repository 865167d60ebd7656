"""What the last rows sound like: the Fourier coefficients of each series.

    z[t] = Qᵀ (x[t−n+1], …, x[t]) per series,    x̂[t] = Q[n] z[t]

Q (n, n) is the real orthonormal discrete Fourier basis of n = `context` rows, so that with all
coefficients nothing is lost and lengths are kept (Parseval). Kept are `dim` columns for each
series, counted from the mean on as pairs of waves come, cosine first: those of lowest frequency, or
the strongest on train, the same ones for all series. Bloomfield, Fourier Analysis of Time Series,
2nd ed. (2000).
"""

from __future__ import annotations

from typing import Literal, Self, final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from stsfm.datasets.panel import Array
from stsfm.datasets.windows import Frame
from stsfm.models.parts import Embedding


@final
class Fourier(Embedding):
    """Fourier coefficients of a sliding window."""

    cite = "bloomfield2000"
    offers = frozenset({"inverse"})

    def __init__(
        self, *, context: int, dim: int | Literal["all"], keep: Literal["lowest", "strongest"]
    ) -> None:
        if context < 1:
            raise ValueError(f"context must be at least 1, got {context}")
        if dim != "all" and not 1 <= dim <= context:
            raise ValueError(f"dim must be all or 1 … {context} of context, got {dim}")
        self.context = context
        self.dim = dim
        self.keep = keep

    def fit(self, frames: Array, frame: Frame) -> Self:
        if len(frames) < self.context:
            raise ValueError(f"context of {self.context} rows exceeds the {len(frames)} of train")
        basis, dim = waves(self.context), self.context if self.dim == "all" else self.dim
        columns = np.arange(dim)
        if self.keep == "strongest":
            energy = ((_windows(frames, self.context) @ basis) ** 2).sum((0, 1))
            columns = np.sort(np.argsort(-energy, kind="stable")[:dim])
        self.basis_ = basis[:, columns]  # (n, dim)
        self.size_, self.lost_ = dim * frames.shape[1], self.context - 1
        return self

    def encode(self, frames: Array) -> Array:
        coefficients = _windows(frames, self.context) @ self.basis_  # (*b, t, D, dim)
        return coefficients.reshape(*coefficients.shape[:-2], -1)

    def decode(self, states: Array) -> Array:
        dim = self.basis_.shape[1]
        return states.reshape(*states.shape[:-1], -1, dim) @ self.basis_[-1]


def waves(rows: int) -> Array:
    """Q (n, n): the mean, then cosine and sine of every frequency, the slowest first."""
    time, order = np.arange(rows)[:, None], np.arange(1, rows)
    angle = 2 * np.pi * time * ((order + 1) // 2) / rows
    basis = np.where(order % 2 == 1, np.cos(angle), np.sin(angle))
    basis = np.column_stack([np.ones(rows), basis])
    return basis / np.linalg.norm(basis, axis=0)


def _windows(frames: Array, rows: int) -> Array:
    """(*b, t, D) → (*b, t − rows + 1, D, rows), oldest first."""
    return sliding_window_view(frames, rows, axis=-2)
