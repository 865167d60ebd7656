"""What a forecast owes to the equation that the data state.

    physics   R = |(dx/dt − N(x)) / s|²  between the rows of  [x₀, ŷ₁ … ŷ_h],  s² = mean N(x₀)²
    energy    E = ((H(ŷ_k) − H(x₀)) / s)²                                 s  = mean |H(x₀)|

in data units and seconds, x₀ the last row of the past. dx/dt is a difference of rows, by `scheme`:

    euler        (x₊ − x)/dt − N(x)               error dt;  dt² R s² is the squared error of a
                                                  teacher that makes one explicit Euler step
    midpoint     (x₊ − x)/dt − N((x + x₊)/2)      error dt²
    runge_kutta  (x₊ − Φ(x))/dt, Φ a step         error dt⁴

s is learned from the last rows of the training pasts, R's for each channel: the forecast that stays
where it is costs 1. Where the last row has a gap, the first step is not priced, and no energy is.
Raissi, Perdikaris & Karniadakis, Physics-informed neural networks, J. Comp. Physics 378 (2019),
who differentiate the net; here rows are as far apart as those of the data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from stsfm.datasets.equations.base import Conservative, Equation
from stsfm.datasets.equations.flow import solved
from stsfm.datasets.equations.flow import step as stepped
from stsfm.datasets.equations.oscillator import Oscillator
from stsfm.datasets.panel import About, Array, Forecast, Panel, Space
from stsfm.datasets.transform import IDENTITY
from stsfm.datasets.windows import RollingWindows
from stsfm.losses.base import Cost, Step, Term

Scheme = Literal["euler", "midpoint", "runge_kutta"]
SECOND = 10**9  # ns

# x, x₊, dt → the residual between two rows
SCHEMES: dict[Scheme, Callable[[Equation, Tensor, Tensor, Tensor, Space], Tensor]] = {
    "euler": lambda law, x, after, dt, space: (after - x) / dt - law.rate(x, space),
    "midpoint": lambda law, x, after, dt, space: (
        (after - x) / dt - law.rate((x + after) / 2, space)
    ),
    "runge_kutta": lambda law, x, after, dt, space: (after - stepped(law, x, dt, space)) / dt,
}


@dataclass(frozen=True, kw_only=True)
class Residual(Term):
    """How far a forecast moves otherwise than the equation says."""

    data = frozenset({"equation"})
    kind = "misfit"
    frames = True

    scheme: Scheme
    scale_: tuple[float, ...] = ()  # of each channel; `ready` learns it

    def ready(self, windows: RollingWindows) -> Residual:
        law, states, space = _last_rows(windows)
        size = np.sqrt((law.rate(states, space) ** 2).mean((0, 1)))  # (channel,)
        if not (size > 0).all():
            still = [name for name, s in zip(law.channels, size, strict=True) if not s]
            raise ValueError(f"by its equation {', '.join(still)} never moves in the training rows")
        return replace(self, scale_=tuple(size.tolist()))

    def __call__(self, step: Step) -> Cost:
        rows, whole = _rows(step)
        law, space = _law(step.future.about), step.future.space
        before = step.past.time[:, -1:]  # type: ignore[union-attr]
        stamps = torch.cat([before, step.future.time], 1)
        dt = (stamps.diff(dim=1).to(rows.dtype) / SECOND)[..., None, None]  # (b, h, 1, 1)
        residual = SCHEMES[self.scheme](law, rows[:, :-1], rows[:, 1:], dt, space)
        if self.scale_:
            residual = residual / residual.new_tensor(self.scale_)
        weight = torch.ones_like(residual)
        weight[:, 0] = whole[:, None, None]
        return Cost(residual**2, weight)

    @classmethod
    def zero_case(cls) -> Step:
        """Masses on springs, where they will be."""
        return swings()


@dataclass(frozen=True, kw_only=True)
class Energy(Term):
    """How much of what the equation conserves is gained or lost since the last row."""

    data = frozenset({"equation", "energy"})
    kind = "misfit"
    frames = True

    scale_: float | None = None  # `ready` learns it

    def ready(self, windows: RollingWindows) -> Energy:
        law, states, space = _last_rows(windows)
        assert isinstance(law, Conservative)  # the data state an energy
        size = float(abs(law.energy(states, space)).mean())
        if not size > 0:
            raise ValueError("there is no energy in the training rows")
        return replace(self, scale_=size)

    def __call__(self, step: Step) -> Cost:
        rows, whole = _rows(step)
        law: Any = _law(step.future.about)
        energy = law.energy(rows, step.future.space)  # (b, 1 + h), or (b, 1 + h, n)
        drift = (energy[:, 1:] - energy[:, :1]) / (self.scale_ or 1)
        weight = whole.to(drift.dtype).reshape(-1, *(1,) * (drift.ndim - 1)).expand_as(drift)
        return Cost(drift**2, weight)

    @classmethod
    def zero_case(cls) -> Step:
        """Masses on springs, where they will be."""
        return swings()


def _law(about: About) -> Equation:
    """The equation of the data, if it is one of all that is forecast."""
    law = about.law
    if law is None:
        raise ValueError(f"{about.name} states no equation")
    if len(law.channels) != len(about.targets):
        raise ValueError(
            f"the equation of {about.name} moves {', '.join(law.channels)} together, and only "
            f"{', '.join(about.targets)} is forecast"
        )
    return law


def _rows(step: Step) -> tuple[Tensor, Tensor]:
    """The last row of the past and the forecast (b, 1 + h, n, c) in data units, and which of the
    first rows are whole (b,)."""
    past = step.past.only_targets()[-1:]  # type: ignore[union-attr]
    rows = torch.cat([past.values, step.forecast.point], 1)
    return step.transform.inverse(rows), past.mask.flatten(1).all(1)


def _last_rows(windows: RollingWindows) -> tuple[Equation, Array, Space]:
    """The whole rows before the origins, (row, n, c) in data units, and the space there."""
    panel = windows.panel.only_targets()
    law = _law(panel.about)
    rows = np.unique(windows.origins + windows.offset - 1)
    rows = rows[panel.mask[rows].all((1, 2))]
    if not len(rows):
        raise ValueError(f"no training past of {panel.about.name} ends in a whole row")
    return law, windows.transform.inverse(panel.values[rows]), panel.space.at(rows)


def swings() -> Step:
    """Slow springs, a second from row to row, so that differences are derivatives: a zero case."""
    law, rows = Oscillator(stiffness=1e-6, mass=1.0), np.arange(6)
    starts = np.random.default_rng(0).standard_normal((4, 3, 2))  # (b, n, c)
    values = torch.as_tensor(np.stack([solved(law, x, rows * 1.0, Space()) for x in starts]))
    about = About(name="springs", nodes=("a", "b", "c"), channels=law.channels, physics=law)
    time = torch.as_tensor((100 * np.arange(4)[:, None] + rows) * SECOND)
    panel = Panel(values=values, mask=torch.ones_like(values).bool(), time=time, about=about)
    past, future = panel[:2], panel[2:]
    transform = IDENTITY.map(torch.as_tensor)
    forecast = Forecast(point=future.values)
    return Step(past=past, future=future, forecast=forecast, transform=transform)
