"""What was forecast is taken as it is: A z = z."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, final

from stsfm.datasets.panel import Array
from stsfm.models.parts import Align

if TYPE_CHECKING:
    from stsfm.models.layers.projection import Same


@final
class Identity(Align):
    """Forecast states and those that come share their coordinates."""

    cite = "kalman1960"
    offers = frozenset({"gradient"})

    def fit(self, made: Array, came: Array) -> Self:
        return self

    def align(self, states: Array) -> Array:
        return states

    def net(self) -> Same:
        from stsfm.models.layers.projection import Same

        return Same()
