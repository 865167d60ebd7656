"""S4: each feature through a HiPPO state space of its own, diagonal plus low rank.

    x′ = A x + B u,    y = C x + D u,    A = Λ − P P*
    Ā = (I − Δ/2 A)⁻¹ (I + Δ/2 A),    B̄ = (I − Δ/2 A)⁻¹ Δ B                             bilinear
    y = k * u + D u,    k_t = C Āᵗ B̄,    t < L

    u, y: (b·n, t, width),    Λ, P, B: (states / 2) and their conjugates, for all features;
    C: (width, states / 2), Δ and D: (width)

k is found by its values at the L-th roots of unity ω, of which it is the inverse transform:

    k̂(ω) = C̃ (I − ω Ā)⁻¹ B̄ = Δ [C̃ R B − s (C̃ R P) (1 + s P* R P)⁻¹ (P* R B)]
    R = ((1 − ω) I − s Λ)⁻¹,    s = (1 + ω) Δ / 2,    C̃ = C (I − Āᴸ)

C̃ is learned in place of C. A starts as HiPPO-LegS, in the basis where Λ is diagonal, and Λ stays in
the left half-plane. Gu, Goel & Ré, Efficiently modeling long sequences with structured state
spaces, ICLR (2022), here without 1 / (1 + ω), which is not finite at −1; sums over states are
written out (naive Cauchy), and P serves on both sides as in Goel et al., It's raw! (2022).
"""

import math
from functools import partial
from typing import final

import torch
from torch import Tensor, nn

from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.windows import Frame
from stsfm.models.layers.head import Head
from stsfm.models.layers.normalise import Standardise
from stsfm.models.layers.sequence import (
    Sequence,
    System,
    complex_parameter,
    conjugates,
    convolved,
    log_steps,
)
from stsfm.models.numerics.hippo import legs, normal


@final
class S4(nn.Module):
    """Structured state spaces over a window of one node."""

    cite = "gu2022s4"
    classes = frozenset({"state-space"})
    offers, tags = Head.offers, Head.tags | {"new_nodes"}

    def __init__(
        self,
        frame: Frame,
        *,
        width: int,
        states: int,
        layers: int,
        min_step: float,
        max_step: float,
        dropout: float,
        normalise: Standardise,
    ) -> None:
        super().__init__()
        system = partial(LowRank, width, states, frame.context, min_step, max_step)
        self.body = Sequence(
            frame, system, width=width, layers=layers, dropout=dropout, normalise=normalise
        )

    def forward(self, past: Panel, future: Panel) -> Forecast:
        return self.body(past, future)

    def states(self) -> dict[str, Tensor]:
        return self.body.states()


class LowRank(System):
    """A state space for each feature of sequences of one length; they share all but Δ, C and D."""

    def __init__(
        self, width: int, states: int, length: int, min_step: float, max_step: float
    ) -> None:
        super().__init__()
        pairs, self.length = conjugates(states), length
        poles, vectors, low_rank = normal(states)
        above = torch.as_tensor(poles[pairs:])
        turned = vectors[:, pairs:].conj().T  # into the basis of the poles above the axis
        self.log_step = nn.Parameter(log_steps(width, min_step, max_step))  # ln Δ
        self.log_decay = nn.Parameter((-above.real).log().float())
        self.frequency = nn.Parameter(above.imag.float())
        self.low_rank = complex_parameter(turned @ low_rank)  # P
        self.enter = complex_parameter(turned @ legs(states)[1])  # B
        self.out = nn.Parameter(torch.randn(width, pairs, 2) / math.sqrt(2))  # C̃
        self.skip = nn.Parameter(torch.randn(width))  # D

    def continuous(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Λ, P and B (states), C̃ (width, states), conjugates included."""
        poles = torch.complex(-self.log_decay.exp(), self.frequency)
        learned = (torch.view_as_complex(x) for x in (self.low_rank, self.enter, self.out))
        return tuple(torch.cat([x, x.conj()], -1) for x in (poles, *learned))  # type: ignore[return-value]

    def kernel(self) -> Tensor:
        """k, (length, width)."""
        poles, low_rank, enter, out = self.continuous()
        size, step = self.length, self.log_step.exp()[:, None]  # (width, 1)
        turns = torch.arange(size // 2 + 1, dtype=step.dtype, device=step.device)
        root = torch.polar(torch.ones_like(turns), turns * (-2 * math.pi / size))  # ω
        rate = (1 + root) * step / 2  # s (width, ω)
        resolved = 1 / ((1 - root)[:, None] - rate[..., None] * poles)  # R (width, ω, states)
        answer = torch.einsum("wn,wfn,n->wf", out, resolved, enter)
        around = torch.einsum("n,wfn,n->wf", low_rank.conj(), resolved, low_rank)
        through = torch.einsum("wn,wfn,n->wf", out, resolved, low_rank)
        back = torch.einsum("n,wfn,n->wf", low_rank.conj(), resolved, enter)
        answer = step * (answer - rate * through * back / (1 + rate * around))
        return torch.fft.irfft(answer, size).T

    def discrete(self) -> tuple[Tensor, Tensor, Tensor]:
        """Ā (width, states, states), B̄ and C (width, states)."""
        poles, low_rank, enter, out = self.continuous()
        half = self.log_step.exp()[:, None, None] / 2
        matrix = half * (poles.diag() - torch.outer(low_rank, low_rank.conj()))
        identity = torch.eye(len(poles), dtype=poles.dtype, device=poles.device)
        moved = torch.linalg.solve(identity - matrix, identity + matrix)
        added = torch.linalg.solve(identity - matrix, 2 * half * enter[:, None])[..., 0]
        cut = identity - torch.linalg.matrix_power(moved, self.length)
        return moved, added, torch.linalg.solve(cut.mT, out)

    def forward(self, u: Tensor, gaps: Tensor | None = None) -> Tensor:
        return convolved(u, self.kernel()) + self.skip * u

    def eigenvalues(self) -> Tensor:
        return torch.linalg.eigvals(self.discrete()[0])

    def impulse(self, length: int) -> Tensor:
        moved, state, out = self.discrete()
        answer = []
        for _ in range(length):
            answer.append((out * state).sum(-1).real)
            state = (moved @ state[..., None])[..., 0]
        answer[0] = answer[0] + self.skip
        return torch.stack(answer)[..., None]
