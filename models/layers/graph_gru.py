"""A gated recurrent unit whose products are graph convolutions.

    r, u = σ(x ∗ W + h ∗ U + b),   c = tanh(x ∗ W + (r h) ∗ U + b),   h′ = u h + (1 − u) c

x: (node, …, inputs),  h: (node, …, hidden). The reset gate stands before the recurrent product, as
in Cho et al. (2014). Without a graph it is that GRU, for each node. Gates start open: b = 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from stsfm.models.layers.graph import Spread


class GraphGRU(nn.Module):
    """The unit; `conv(inputs, outputs, bias=…)` makes a convolution."""

    def __init__(self, inputs: int, hidden: int, conv: Callable[..., nn.Module]) -> None:
        super().__init__()
        self.hidden = hidden
        self.read = conv(inputs, 3 * hidden, bias=True)  # for r, u and c
        self.gates = conv(hidden, 2 * hidden, bias=False)
        self.candidate = conv(hidden, hidden, bias=False)
        nn.init.ones_(self.read.get_parameter("linear.bias").data[: 2 * hidden])

    def forward(self, read: Tensor, state: Tensor, spreads: Sequence[Spread]) -> Tensor:
        """The next state, of `self.read(x, spreads)`: which can be had for all x at once."""
        ahead, own = read.split([2 * self.hidden, self.hidden], -1)
        reset, update = (ahead + self.gates(state, spreads)).sigmoid().chunk(2, -1)
        candidate = (own + self.candidate(reset * state, spreads)).tanh()
        return candidate + update * (state - candidate)

    def over(self, x: Tensor, spreads: Sequence[Spread]) -> Tensor:
        """Every state from 0, (node, time, batch, hidden), over x (node, time, batch, inputs)."""
        state = x.new_zeros(len(x), x.shape[2], self.hidden)
        states = []
        for read in self.read(x, spreads).unbind(1):
            state = self.forward(read, state, spreads)
            states.append(state)
        return torch.stack(states, 1)
