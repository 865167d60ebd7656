"""S4D: each feature through a diagonal state space of its own, trained as a convolution.

    x′ = A x + u,    y = 2 Re(C x) + D u,    A = −exp(a) + i b diagonal
    x_t = Ā x_{t−1} + B̄ u_t,    Ā = exp(Δ A),    B̄ = A⁻¹ (Ā − I)                    zero-order hold
    y = k * u + D u,    k_t = 2 Re Σ_n C_n B̄_n Ā_nᵗ

    u, y: (b·n, t, width),    A, C: (width, states / 2), the other half being their conjugates

Real parts are below 0, so that every state fades. A starts at −1/2 + iπn (lin), at
−1/2 + i (N/π)(N/(2n+1) − 1) (inv), or at the spectrum of the normal part of HiPPO-LegS (legs);
Δ is spread evenly on a logarithmic scale. B is part of C. Gu et al., On the parameterization and
initialization of diagonal state space models, NeurIPS (2022).
"""

import math
from functools import partial
from typing import Literal, final

import torch
from torch import Tensor, nn

from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.windows import Frame
from stsfm.models.layers.head import Head
from stsfm.models.layers.normalise import Standardise
from stsfm.models.layers.sequence import Sequence, System, conjugates, convolved, log_steps
from stsfm.models.numerics.hippo import normal

Start = Literal["lin", "inv", "legs"]


@final
class S4D(nn.Module):
    """Diagonal state spaces over a window of one node."""

    cite = "gu2022s4d"
    classes = frozenset({"state-space"})
    offers, tags = Head.offers, Head.tags | {"new_nodes"}

    def __init__(
        self,
        frame: Frame,
        *,
        width: int,
        states: int,
        layers: int,
        start: Start,
        min_step: float,
        max_step: float,
        dropout: float,
        normalise: Standardise,
    ) -> None:
        super().__init__()
        system = partial(Diagonal, width, states, start, min_step, max_step)
        self.body = Sequence(
            frame, system, width=width, layers=layers, dropout=dropout, normalise=normalise
        )

    def forward(self, past: Panel, future: Panel) -> Forecast:
        return self.body(past, future)

    def states(self) -> dict[str, Tensor]:
        return self.body.states()


class Diagonal(System):
    """A state space for each feature."""

    def __init__(
        self, width: int, states: int, start: Start, min_step: float, max_step: float
    ) -> None:
        super().__init__()
        poles = _poles(start, conjugates(states)).expand(width, -1)
        self.log_step = nn.Parameter(log_steps(width, min_step, max_step))  # ln Δ
        self.log_decay = nn.Parameter((-poles.real).log())  # a
        self.frequency = nn.Parameter(poles.imag.clone())  # b
        self.out = nn.Parameter(torch.randn(*poles.shape, 2) / math.sqrt(2))  # C
        self.skip = nn.Parameter(torch.randn(width))  # D

    def discrete(self) -> tuple[Tensor, Tensor]:
        """ln Ā and C B̄, (width, states / 2)."""
        poles = torch.complex(-self.log_decay.exp(), self.frequency)
        moved = poles * self.log_step.exp()[:, None]
        return moved, torch.view_as_complex(self.out) * torch.expm1(moved) / poles

    def kernel(self, length: int) -> Tensor:
        """k, (length, width), as products of few powers: Āⁱ⁺ᵐʲ = Āⁱ Āᵐʲ."""
        (moved, out), m = self.discrete(), math.isqrt(length - 1) + 1
        rows = torch.arange(m, device=moved.device)[:, None]
        near = (moved[:, None] * rows).exp()  # (width, i, states / 2)
        far = out[:, None] * (moved[:, None] * rows * m).exp()  # (width, j, states / 2)
        left, right = (torch.view_as_real(x).flatten(-2) for x in (far.conj().resolve_conj(), near))
        return 2 * (left @ right.mT).flatten(1)[:, :length].T  # Re C Ā = Re C Re Ā − Im C Im Ā

    def forward(self, u: Tensor, gaps: Tensor | None = None) -> Tensor:
        return convolved(u, self.kernel(u.shape[-2])) + self.skip * u

    def eigenvalues(self) -> Tensor:
        above = self.discrete()[0].exp()
        return torch.cat([above, above.conj()], -1)

    def impulse(self, length: int) -> Tensor:
        answer = self.kernel(length)
        answer[0] += self.skip
        return answer[..., None]


def _poles(start: Start, pairs: int) -> Tensor:
    """Those above the real axis, (states / 2), complex."""
    if start == "legs":
        return torch.as_tensor(normal(2 * pairs)[0][pairs:]).to(torch.complex64)
    n, size = torch.arange(pairs), 2 * pairs
    if start == "lin":
        return torch.complex(torch.full((pairs,), -0.5), math.pi * n)
    if start == "inv":
        return torch.complex(torch.full((pairs,), -0.5), size / math.pi * (size / (2 * n + 1) - 1))
    raise ValueError(f"start must be lin, inv or legs, got {start!r}")
