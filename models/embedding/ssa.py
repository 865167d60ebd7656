"""The directions in which the windows of frames lie: singular spectrum analysis.

    s[t] = (x[t], …, x[t−W+1]),    z[t] = Vᵀ s[t],    x̂[t] = Π z[t]

s (W D) stacks the last W frames, newest first (multichannel where D > 1), V (W D, d) are the first
right singular vectors of all such windows of train, and Π (D, d) is their newest block. Frames are
not centred, so that a level is a direction. dim = auto holds 95 % of the energy. Broomhead & King,
Extracting qualitative dynamics from experimental data, Physica D 20 (1986).
"""

from __future__ import annotations

from typing import Literal, Self, final

from stsfm.datasets.panel import Array
from stsfm.datasets.windows import Frame
from stsfm.models.numerics.delays import delayed
from stsfm.models.numerics.hankel import directions, energetic
from stsfm.models.parts import Embedding


@final
class SSA(Embedding):
    """Windows along their strongest directions."""

    cite = "broomhead1986"
    offers = frozenset({"inverse"})

    def __init__(self, *, window: int, dim: int | Literal["auto"]) -> None:
        if window < 1:
            raise ValueError(f"window must be at least 1, got {window}")
        if dim != "auto" and dim < 1:
            raise ValueError(f"dim must be at least 1 or auto, got {dim}")
        self.window = window
        self.dim = dim

    def fit(self, frames: Array, frame: Frame) -> Self:
        if len(frames) < 2 * self.window:
            raise ValueError(
                f"a window of {self.window} rows needs {2 * self.window} rows to learn from, got "
                f"{len(frames)}; lower window"
            )
        basis, self.singular_ = directions(frames, self.window)
        dim = energetic(self.singular_) if self.dim == "auto" else self.dim
        if dim > basis.shape[1]:
            raise ValueError(f"windows have no {dim} directions, only {basis.shape[1]}; lower dim")
        self.basis_ = basis[:, :dim]  # V
        self.size_, self.lost_ = dim, self.window - 1
        return self

    def encode(self, frames: Array) -> Array:
        return delayed(frames, self.window) @ self.basis_

    def decode(self, states: Array) -> Array:
        return states @ self.basis_[: len(self.basis_) // self.window].T
