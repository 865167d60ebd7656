"""Neural ordinary differential equation: a net gives the velocity of a state, which is integrated.

    dz/dt = f(z),    z(t_L) = e(x),    z(t_{L+h}) by a solver,    ŷ_h = head(z(t_{L+h}))

    z: (b·n, latent),    f: tanh layers of `width`,    e: the last state of a GRU (gru), or the last
    row itself beside zeros (last), as the state of an augmented flow

Time is that of the stamps, in units of the mean step of the past: a forecast may stand at any time,
and rows need not be even. The velocity starts near 0, and the forecast at repeating what e knows.
rk4 takes steps of `step`; dopri5 adapts its own to `tolerance`. By the adjoint, gradients need no
memory of the way, and are as exact as the solver. Chen et al., Neural ordinary differential
equations, NeurIPS (2018); Rubanova et al., Latent ODEs for irregularly-sampled time series, NeurIPS
(2019), with a GRU for the encoder and no noise; Dupont et al., Augmented neural ODEs (2019).
"""

from dataclasses import replace
from itertools import pairwise
from typing import Any, Literal, final

import torch
from torch import Tensor, nn
from torchdiffeq import odeint, odeint_adjoint

from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.windows import Frame
from stsfm.models.layers.head import Head, target_channels
from stsfm.models.layers.inputs import by_node
from stsfm.models.layers.normalise import Gauge, Standardise, standardise

START = 1e-2  # deviation of the last weights of the velocity


@final
class NeuralODE(nn.Module):
    """A flow from the last row into the future, of one node."""

    cite = "chen2018ode"
    classes = frozenset({"physics", "state-space"})
    offers, tags = Head.offers, Head.tags | {"new_nodes"}

    def __init__(
        self,
        frame: Frame,
        *,
        encoder: Literal["gru", "last"],
        latent: int,
        width: int,
        layers: int,
        solver: Literal["rk4", "dopri5"],
        step: float,
        tolerance: float,
        adjoint: bool,
        normalise: Standardise,
    ) -> None:
        super().__init__()
        if encoder not in ("gru", "last"):
            raise ValueError(f"encoder must be gru or last, got {encoder!r}")
        inputs = frame.channels + frame.covariates
        self.latent = latent if encoder == "gru" else max(latent, inputs)
        self.normalise, self.targets = normalise, target_channels(frame)
        self.encoder = nn.GRU(inputs, latent, batch_first=True) if encoder == "gru" else None
        velocity = Velocity(self.latent, width, layers)
        self.flow = Flow(velocity, solver=solver, step=step, tolerance=tolerance, adjoint=adjoint)
        self.head = Head(replace(frame, horizon=1), self.latent)

    def forward(self, past: Panel, future: Panel) -> Forecast:
        values, gauge = standardise(past, self.normalise)
        x = by_node(values, past.known).flatten(0, 1)  # (b·n, t, c + k)
        start = self._encode(x)
        way = self.flow(start, _ahead(past, future).repeat_interleave(past.nodes, 0))  # (h, b·n, d)
        return self._read(way, future, gauge.of(self.targets))

    def _encode(self, x: Tensor) -> Tensor:
        if self.encoder is not None:
            return self.encoder(x)[0][:, -1]
        return nn.functional.pad(x[:, -1], (0, self.latent - x.shape[-1]))

    def _read(self, way: Tensor, future: Panel, gauge: Gauge) -> Forecast:
        """Every row of the future by itself, through one head."""
        rows = future.map(lambda x: x.flatten(0, 1)[:, None])  # (b·h, 1, …)
        steps = len(way)
        states = way.unflatten(1, (-1, future.nodes)).transpose(0, 1)  # (b, h, n, d)
        given = [None if x is None else x.repeat_interleave(steps, 0) for x in gauge]
        made = self.head(states.flatten(0, 2), rows, *given)  # (b·h, 1, n, c)
        return made.map(lambda x: x[:, 0].unflatten(0, (-1, steps)))


class Velocity(nn.Module):
    """f, tanh layers that begin near 0: (…, latent) → (…, latent)."""

    def __init__(self, latent: int, width: int, layers: int) -> None:
        super().__init__()
        if layers < 1:
            raise ValueError(f"layers must be at least 1, got {layers}")
        self.layers, last = nn.Sequential(), nn.Linear(width, latent)
        for inner, outer in pairwise([latent, *[width] * layers]):
            self.layers.extend([nn.Linear(inner, outer), nn.Tanh()])
        self.layers.append(last)
        nn.init.normal_(last.weight, std=START)
        nn.init.zeros_(last.bias)

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)


class Flow(nn.Module):
    """Where a velocity carries states after given times."""

    def __init__(
        self, velocity: nn.Module, *, solver: str, step: float, tolerance: float, adjoint: bool
    ) -> None:
        super().__init__()
        if step <= 0 or tolerance <= 0:
            raise ValueError(f"step and tolerance must be above 0, got {step} and {tolerance}")
        if solver not in ("rk4", "dopri5"):
            raise ValueError(f"solver must be rk4 or dopri5, got {solver!r}")
        self.velocity, self.adjoint = velocity, adjoint
        self.solve: dict[str, Any] = {"method": solver, "rtol": tolerance, "atol": tolerance / 10}
        if solver == "rk4":
            self.solve["options"] = {"step_size": step}

    def forward(self, start: Tensor, spans: Tensor) -> Tensor:
        """States (b, d) after each of the spans of time (b, h) that follow one another, (h, b, d).

        Every span is a unit of the solver's time, in which states move as far as theirs is long.
        """
        states, unit = [start], torch.tensor([0.0, 1.0], dtype=start.dtype, device=start.device)
        for span in spans.to(start.dtype).unbind(-1):
            moving = _Moving(self.velocity, span[:, None])
            integrate = odeint_adjoint if self.adjoint else odeint
            states.append(integrate(moving, states[-1], unit, **self.solve)[-1])
        return torch.stack(states[1:])


class _Moving(nn.Module):
    """A velocity in a time that runs otherwise for every state."""

    def __init__(self, velocity: nn.Module, span: Tensor) -> None:
        super().__init__()
        self.velocity, self.span = velocity, span

    def forward(self, time: Tensor, z: Tensor) -> Tensor:
        return self.span * self.velocity(z)


def _ahead(past: Panel, future: Panel) -> Tensor:
    """Time from row to row of the future, in units of the mean step of the past, (b, h)."""
    apart = past.time.diff(dim=-1)
    mean = apart.sum(-1, keepdim=True) / (apart > 0).sum(-1, keepdim=True).clamp(min=1)
    stamps = torch.cat([past.time[:, -1:], future.time], -1)
    return stamps.diff(dim=-1) / mean.clamp(min=1)
