"""States where a known equation will have brought them.

    z′ = φ_s(z),    z = φ_{−s}(z′)         dx/dt = N(x),  φ_s: from x(0) to x(s)

φ_s is followed in data units by `steps` steps of the Runge–Kutta method of order 4, so that states
have to be frames. The equation is a prior that is named, no matter of the data. With `back` it is a
change of coordinates, which a lifting by inverses undoes; without, what it makes stands for the
state: of `hold` the forecast is that of the equation, `seconds` ahead. Backwards what decays grows:
a flow that does not come back is refused. Kutta, Beitrag zur näherungsweisen Integration totaler
Differentialgleichungen, Zeitschrift für Mathematik und Physik 46 (1901).
"""

from __future__ import annotations

from typing import Literal, Self, final

import numpy as np

from stsfm.datasets.equations.base import Equation
from stsfm.datasets.equations.flow import step
from stsfm.datasets.panel import Array, Space
from stsfm.datasets.windows import Frame
from stsfm.models.parts import Transform

CLOSE = 1e-6  # of the spread of the states: so near are two solutions that are one


@final
class Flow(Transform):
    """The flow of an equation over a fixed time."""

    cite = "kutta1901"
    classes = frozenset({"physics"})
    offers = frozenset({"inverse", "frames"})

    def __init__(
        self, *, equation: Equation, seconds: float | Literal["auto"], steps: int, back: bool
    ) -> None:
        if (seconds != "auto" and not seconds > 0) or steps < 1:
            raise ValueError(
                f"wanted seconds above 0 or auto and steps of at least 1, got {seconds} and {steps}"
            )
        self.equation, self.seconds, self.steps, self.back = equation, seconds, steps, back
        self.needs = frozenset({"frames"}) | equation.needs

    def fit(self, states: Array, frame: Frame) -> Self:
        law, name = self.equation, type(self.equation).__name__
        if len(law.channels) != frame.channels or frame.targets != tuple(range(frame.channels)):
            raise ValueError(
                f"{name} moves {', '.join(law.channels)} together, and of {frame.channels} "
                f"channels of the data {len(frame.targets)} are forecast"
            )
        if frame.transform.power is not None:
            raise ValueError(f"{name} is one of data units: use protocol.transform=none")
        if frame.space is not None and frame.space.changes:
            raise ValueError("a flow follows one graph, and this one changes in time")
        if self.seconds == "auto" and not frame.step:
            raise ValueError("rows are not evenly apart: say flow's seconds")
        self.time_ = frame.step / 1e9 if self.seconds == "auto" else self.seconds
        shape = (frame.nodes, frame.channels)
        self.shift_ = np.broadcast_to(frame.transform.shift, shape).copy()
        self.scale_ = np.broadcast_to(frame.transform.scale, shape).copy()
        self.graph_ = np.zeros(0)
        if "graph" in law.needs and frame.space is not None:
            self.graph_ = np.asarray(frame.space.adjacency, float)
        self._check(states)
        return self

    def forward(self, states: Array) -> Array:
        return self._moved(states, self.time_, self.steps)

    def inverse(self, states: Array) -> Array:
        return self._moved(states, -self.time_, self.steps) if self.back else states

    def _check(self, states: Array) -> None:
        """ValueError unless the steps are fine enough, and the way back is one, on train."""
        name, near = type(self.equation).__name__, CLOSE * states.std()
        with np.errstate(over="ignore", invalid="ignore"):
            there = self.forward(states)
            if not np.allclose(there, self._moved(states, self.time_, 2 * self.steps), 0, near):
                raise ValueError(f"{self.steps} steps of {name} are too coarse: take more steps")
            if not np.allclose(self.inverse(there), states, 0, near) and self.back:
                raise ValueError(f"{name} can't be followed backwards: take back=false")

    def _moved(self, states: Array, seconds: float, steps: int) -> Array:
        """(…, D) → (…, D), in data units on the way."""
        graph = self.graph_ if np.size(self.graph_) else None
        x = states.reshape(*states.shape[:-1], *self.shift_.shape) * self.scale_ + self.shift_
        for _ in range(steps):
            x = step(self.equation, x, float(seconds) / steps, Space(adjacency=graph))
        return ((x - self.shift_) / self.scale_).reshape(states.shape)
