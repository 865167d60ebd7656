"""The directions in which frames differ most.

    x = m + U z,    z = Uᵀ (x − m)    x, m (D), U (D, d), UᵀU = I, z (d)

U are the first d right singular vectors of the centred frames of train; the sum of the others'
squared singular values is the squared error of going back. Each sign is that which makes the
largest entry of a direction positive. Pearson, On lines and planes of closest fit to systems of
points in space, Philosophical Magazine 2 (1901).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, Self, final

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.datasets.windows import Frame
from stsfm.models.numerics.signs import signs
from stsfm.models.parts import Embedding, check_width

if TYPE_CHECKING:
    from stsfm.models.layers.projection import Affine


@final
class PCA(Embedding):
    """Principal components."""

    cite = "pearson1901"
    offers = frozenset({"inverse", "gradient"})

    def __init__(self, *, dim: int | Literal["all"]) -> None:
        if dim != "all" and dim < 1:
            raise ValueError(f"dim must be at least 1 or all, got {dim}")
        self.dim = dim

    def fit(self, frames: Array, frame: Frame) -> Self:
        dim = min(frames.shape) if self.dim == "all" else self.dim
        check_width(frames, dim)
        self.mean_ = frames.mean(0)
        self.singular_, directions = np.linalg.svd(frames - self.mean_, full_matrices=False)[1:]
        self.basis_ = (directions * signs(directions.T)[:, None])[:dim].T  # U (D, d)
        self.size_ = dim
        return self

    def encode(self, frames: Array) -> Array:
        return (frames - self.mean_) @ self.basis_

    def decode(self, states: Array) -> Array:
        return states @ self.basis_.T + self.mean_

    def shows(self) -> Mapping[str, Array]:
        return {"singular_values": self.singular_}

    def net(self) -> Affine:
        from stsfm.models.layers.projection import Affine

        return Affine(self.basis_, self.basis_.T, self.mean_)
