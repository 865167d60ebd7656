"""Blocks around state spaces, from the past of a node to its forecast.

    z₀ = W x + b,    z ← z + dropout(glu(V dropout(gelu(S(norm z))) + c)),    ŷ = head(z_L)

    x: (b·n, t, channels + covariates),    z: (b·n, t, width),    V: (2 width, width)

S is a causal linear system, (b·n, t, width) → the same: what moves information between rows. All
else is row by row. One net serves all nodes; the head reads the last row. The blocks are those of
Gu et al., On the parameterization and initialization of diagonal state space models (2022).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import Frame
from stsfm.models.layers.head import Head, target_channels
from stsfm.models.layers.inputs import by_node
from stsfm.models.layers.normalise import Standardise, standardise


class System(nn.Module, ABC):
    """A causal linear system of each window, with what there is to see of it."""

    @abstractmethod
    def forward(self, u: Tensor, gaps: Tensor | None = None) -> Tensor:
        """(b, t, width) → (b, t, width).

        gaps  (b, t, 1), the time since the row before, in rows; only systems whose step may vary
              are given any
        """

    @abstractmethod
    def eigenvalues(self) -> Tensor:
        """Of the state's move from row to row, complex."""

    @abstractmethod
    def impulse(self, length: int) -> Tensor:
        """The answer to a single 1, (length, output, input); input 1 where each has its own."""


class Sequence(nn.Module):
    """A stack of blocks, and a head."""

    def __init__(
        self,
        frame: Frame,
        system: Callable[[], System],
        *,
        width: int,
        layers: int,
        dropout: float,
        normalise: Standardise,
    ) -> None:
        super().__init__()
        if layers < 1:
            raise ValueError(f"layers must be at least 1, got {layers}")
        self.normalise, self.targets = normalise, target_channels(frame)
        self.context = frame.context
        self.encoder = nn.Linear(frame.channels + frame.covariates, width)
        self.blocks = nn.ModuleList(Block(system(), width, dropout) for _ in range(layers))
        self.head = Head(frame, width)

    def forward(self, past: Panel, future: Panel, gaps: Tensor | None = None) -> Forecast:
        values, gauge = standardise(past, self.normalise)
        z = self.encoder(by_node(values, past.known).flatten(0, 1))  # (b·n, t, width)
        for block in self.blocks:
            z = block(z, gaps)
        return self.head(z[:, -1], future, *gauge.of(self.targets))

    @torch.no_grad()
    def states(self) -> dict[str, Tensor]:
        """Eigenvalues of all systems, and the impulse response of the first."""
        systems = [part for part in self.modules() if isinstance(part, System)]
        eigenvalues = torch.cat([system.eigenvalues().flatten() for system in systems])
        return {"eigenvalues": eigenvalues, "impulse": systems[0].impulse(self.context)}


class Block(nn.Module):
    """A state space, gated, beside the identity."""

    def __init__(self, system: System, width: int, dropout: float) -> None:
        super().__init__()
        self.norm, self.system = nn.LayerNorm(width), system
        self.mixed = nn.Sequential(
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(width, 2 * width),
            nn.GLU(),
            nn.Dropout(dropout),
        )

    def forward(self, z: Tensor, gaps: Tensor | None) -> Tensor:
        with torch.autocast(z.device.type, enabled=False):  # complex numbers have no half precision
            made = self.system(self.norm(z.to(self.norm.weight.dtype)), gaps)
        return z + self.mixed(made)


def convolved(u: Tensor, kernel: Tensor) -> Tensor:
    """Σ_j kernel_j u_{t−j}, feature by feature: (b, t, width) and (t, width) → (b, t, width)."""
    size = 2 * u.shape[-2]  # so that the end does not come around to the start
    product = torch.fft.rfft(u, size, -2) * torch.fft.rfft(kernel, size, -2)
    return torch.fft.irfft(product, size, -2)[..., : u.shape[-2], :]


def log_steps(many: int, least: float, most: float) -> Tensor:
    """ln Δ of so many systems, evenly drawn on the logarithmic scale."""
    if not 0 < least <= most:
        raise ValueError(f"steps must be 0 < min_step ≤ max_step, got {least} and {most}")
    return torch.rand(many) * math.log(most / least) + math.log(least)


def conjugates(states: int) -> int:
    """How many pairs so many states are."""
    if states < 2 or states % 2:
        raise ValueError(f"states come in conjugate pairs: wanted an even number, got {states}")
    return states // 2


def complex_parameter(values: Array) -> nn.Parameter:
    """Complex numbers (…) as optimisers and files like them, (…, 2)."""
    return nn.Parameter(torch.view_as_real(torch.as_tensor(values).to(torch.complex64)).clone())
