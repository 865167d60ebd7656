"""Graph convolutions: what a node and those around it know, mixed by weights that all nodes share.

    Diffusion    y = x Θ₀ + Σ_s Σ_{k=1…K} M_sᵏ x Θ_sk + b
    Chebyshev    y = x Θ₀ + Σ_s Σ_{k=1…K} T_k(M_s) x Θ_sk + b,   T_k = 2 M T_{k−1} − T_{k−2}
    Neighbours   y = Σ_s M_s x Θ_s + b

x: (node, …, inputs),  y: (node, …, outputs),  M: (node, node), of graph.py. Without a graph, or
with K = 0, each is a linear map of the node alone.
Li et al., ICLR (2018), eq. 2: with P_f and P_b as M, plain powers, and each walk beginning at x.
Their code has a Chebyshev recurrence instead, and begins the second walk where the first ended.
Defferrard et al., Convolutional neural networks on graphs with fast localized spectral filtering,
NeurIPS (2016). Kipf & Welling, ICLR (2017).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from stsfm.models.layers.graph import Spread


class Diffusion(nn.Module):
    """As far as K steps of each walk reach."""

    def __init__(
        self, inputs: int, outputs: int, *, matrices: int, order: int, bias: bool = True
    ) -> None:
        super().__init__()
        self.order = order
        self.linear = nn.Linear(inputs * (1 + matrices * order), outputs, bias)

    def forward(self, x: Tensor, spreads: Sequence[Spread]) -> Tensor:
        return self.linear(torch.cat([x, *(y for s in spreads for y in self._powers(x, s))], -1))

    def _powers(self, x: Tensor, spread: Spread) -> list[Tensor]:
        powers = [x]
        for _ in range(self.order):
            powers.append(spread(powers[-1]))
        return powers[1:]


class Chebyshev(nn.Module):
    """As far as K edges reach, by polynomials that stay small where M's eigenvalues are within ±1.

    The papers' T_k(2 L / λ − 1) with λ = 2, its bound, is T_k(−M), whose sign Θ takes.
    """

    def __init__(self, inputs: int, outputs: int, *, matrices: int, order: int) -> None:
        super().__init__()
        self.order = order
        self.linear = nn.Linear(inputs * (1 + matrices * order), outputs)

    def forward(self, x: Tensor, spreads: Sequence[Spread]) -> Tensor:
        return self.linear(torch.cat([x, *(y for s in spreads for y in self._terms(x, s))], -1))

    def _terms(self, x: Tensor, spread: Spread) -> list[Tensor]:
        terms = [x, spread(x)]
        for _ in range(1, self.order):
            terms.append(2 * spread(terms[-1]) - terms[-2])
        return terms[1 : self.order + 1]


class Neighbours(nn.Module):
    """As far as one edge reaches."""

    def __init__(self, inputs: int, outputs: int, *, matrices: int, bias: bool = True) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs * max(1, matrices), outputs, bias)

    def forward(self, x: Tensor, spreads: Sequence[Spread]) -> Tensor:
        return self.linear(torch.cat([spread(x) for spread in spreads] or [x], -1))
