"""The states are the frames: z = x (D).

With hold and inverse it is the naive forecast, with var the vector autoregression of the frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, final

from stsfm.datasets.panel import Array
from stsfm.datasets.windows import Frame
from stsfm.models.parts import Embedding

if TYPE_CHECKING:
    from stsfm.models.layers.projection import Same


@final
class Identity(Embedding):
    """Every value of a frame is a state; so are its gaps."""

    cite = "kalman1960"
    offers = frozenset({"inverse", "gradient", "frames"})

    def fit(self, frames: Array, frame: Frame) -> Self:
        self.size_ = frames.shape[-1]
        return self

    def encode(self, frames: Array) -> Array:
        return frames

    def decode(self, states: Array) -> Array:
        return states

    def seen(self, mask: Array) -> Array:
        return mask

    def net(self) -> Same:
        from stsfm.models.layers.projection import Same

        return Same()
