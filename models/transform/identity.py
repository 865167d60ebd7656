"""States stay as they are: z′ = z."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, final

from stsfm.datasets.panel import Array
from stsfm.datasets.windows import Frame
from stsfm.models.parts import Transform

if TYPE_CHECKING:
    from stsfm.models.layers.projection import Same


@final
class Identity(Transform):
    """No transformation."""

    cite = "kalman1960"
    offers = frozenset({"inverse", "gradient", "frames"})

    def fit(self, states: Array, frame: Frame) -> Self:
        return self

    def forward(self, states: Array) -> Array:
        return states

    def inverse(self, states: Array) -> Array:
        return states

    def net(self) -> Same:
        from stsfm.models.layers.projection import Same

        return Same()
