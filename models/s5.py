"""S5: all features through one state space, found by a scan.

    x′ = Λ x + B u,    y = 2 Re(C x) + D u
    x_t = Λ̄_t x_{t−1} + Λ⁻¹ (Λ̄_t − I) B u_t,    Λ̄_t = exp(Δ g_t Λ)               zero-order hold

    u, y: (b·n, t, width),   Λ, Δ: (states / 2),   B: (states / 2, width),   C: (width, states / 2)

The other half of the states are conjugates. g_t = 1; or where a net reads `stamps`, the time since
the row before in units of the mean of the window, as no step needs to be the same. Λ starts as the
spectrum of the normal part of HiPPO-LegS, in `groups` of equal ones, and B and C as real normal
ones, written in its eigenvectors; real parts are kept at −10⁻⁴ or below, so that every state fades.
Smith, Warrington & Linderman, Simplified state space layers for sequence modeling, ICLR (2023).
"""

import math
from functools import partial
from typing import final

import numpy as np
import torch
from torch import Tensor, nn

from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.windows import Frame
from stsfm.models.layers.head import Head
from stsfm.models.layers.normalise import Standardise
from stsfm.models.layers.scan import scan
from stsfm.models.layers.sequence import (
    Sequence,
    System,
    complex_parameter,
    conjugates,
    log_steps,
)
from stsfm.models.numerics.hippo import normal

SLOWEST = -1e-4  # real part of an eigenvalue


@final
class S5(nn.Module):
    """One state space of many inputs and outputs over a window of one node."""

    cite = "smith2023s5"
    classes = frozenset({"state-space"})
    offers, tags = Head.offers, Head.tags | {"new_nodes"}

    def __init__(
        self,
        frame: Frame,
        *,
        width: int,
        states: int,
        groups: int,
        layers: int,
        min_step: float,
        max_step: float,
        stamps: bool,
        dropout: float,
        normalise: Standardise,
    ) -> None:
        super().__init__()
        self.stamps = stamps
        system = partial(Joint, width, states, groups, min_step, max_step)
        self.body = Sequence(
            frame, system, width=width, layers=layers, dropout=dropout, normalise=normalise
        )

    def forward(self, past: Panel, future: Panel) -> Forecast:
        return self.body(past, future, gaps(past) if self.stamps else None)

    def states(self) -> dict[str, Tensor]:
        return self.body.states()


class Joint(System):
    """A diagonal state space of as many inputs and outputs as there are features."""

    def __init__(
        self, width: int, states: int, groups: int, min_step: float, max_step: float
    ) -> None:
        super().__init__()
        if groups < 1 or states % groups:
            raise ValueError(f"states={states} must be a multiple of groups, got {groups}")
        pairs = conjugates(states // groups)
        poles, vectors, _ = normal(states // groups)
        above, basis = np.tile(poles[pairs:], groups), vectors[:, pairs:]
        enter = torch.randn(groups, states // groups, width).double().numpy() / math.sqrt(width)
        out = torch.randn(width, groups, states // groups).double().numpy() / math.sqrt(states)
        self.log_step = nn.Parameter(log_steps(len(above), min_step, max_step))  # ln Δ
        self.decay = nn.Parameter(torch.as_tensor(above.real).float())
        self.frequency = nn.Parameter(torch.as_tensor(above.imag).float())
        self.enter = complex_parameter((basis.conj().T @ enter).reshape(-1, width))  # B
        self.out = complex_parameter((out @ basis).reshape(width, -1))  # C
        self.skip = nn.Parameter(torch.randn(width))  # D

    def discrete(self, gaps: Tensor | float = 1.0) -> tuple[Tensor, Tensor]:
        """Λ̄ and Λ⁻¹ (Λ̄ − I): (states / 2), or (b, t, states / 2) of gaps (b, t, 1)."""
        poles = torch.complex(self.decay.clamp(max=SLOWEST), self.frequency)
        moved = poles * (self.log_step.exp() * gaps)
        return moved.exp(), torch.expm1(moved) / poles

    def forward(self, u: Tensor, gaps: Tensor | None = None) -> Tensor:
        factor, held = self.discrete(1.0 if gaps is None else gaps)
        enter, out = torch.view_as_complex(self.enter), torch.view_as_complex(self.out)
        states = scan(factor, held * (u.to(enter.dtype) @ enter.T))  # (b, t, states / 2)
        return 2 * (states @ out.T).real + self.skip * u

    def eigenvalues(self) -> Tensor:
        above = self.discrete()[0]
        return torch.cat([above, above.conj()])

    def impulse(self, length: int) -> Tensor:
        single = torch.eye(len(self.skip), dtype=self.skip.dtype, device=self.skip.device)
        after = single.new_zeros(len(single), length - 1, len(single))
        return self(torch.cat([single[:, None], after], 1)).permute(1, 2, 0)  # input by input


def gaps(past: Panel) -> Tensor:
    """Time since the row before, over its mean in a window, (b·n, t, 1).

    The first row is one mean after the row before it, and rows before the first take no time.
    """
    apart = past.time.diff(dim=-1).to(past.values.dtype)  # (b, t − 1)
    mean = apart.sum(-1, keepdim=True) / (apart > 0).sum(-1, keepdim=True).clamp(min=1)
    relative = apart / mean.clamp(min=1)
    told = torch.cat([torch.ones_like(mean), relative], -1)
    return told.repeat_interleave(past.nodes, 0)[..., None]
