"""Frames by going back the way of the states: x̂ = E⁻¹ T_x⁻¹ T_y⁻¹ z."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self, final

from stsfm.datasets.panel import Array
from stsfm.models.parts import Lifting


@final
class Inverse(Lifting):
    """The inverses of all parts before it, one after the other."""

    cite = "kalman1960"
    offers, needs = frozenset({"gradient"}), frozenset({"inverse"})

    def fit(self, states: Array, frames: Array) -> Self:
        return self

    def lift(self, states: Array, back: Callable[[Array], Array]) -> Array:
        return back(states)
