"""STGCN: blocks of a gated convolution over time, one over the graph, and another over time.

    gate(x) = (x ∗ A + x[last rows]) ⊙ σ(x ∗ B),   of `kernel` rows: shorter by kernel − 1
    block   z = gate(x) N,   x ← norm(gate(relu(Σ_k T_k(S) z Θ_k + z)))
    ŷ = head(norm(gate of all rows that are left))

    x: (n, t, b, width),  z: (n, t, b, middle),  S = D⁻¹ᐟ² W̄ D⁻¹ᐟ² = I − L (layers/graph_conv.py)

Yu et al., Spatio-temporal graph convolutional networks, IJCAI (2018). We depart in three: all steps
of the future are forecast at once, where theirs forecasts one and goes on from it; the norm is over
the channels of a node, where theirs is over all nodes too, through which nodes without a graph
would know of each other; the bottleneck of `middle` channels comes before the graph, where theirs
is a part of its convolution: S is then multiplied with fewer channels.
"""

from functools import partial
from typing import final

import torch
from torch import Tensor, nn

from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.windows import Frame
from stsfm.models.layers.graph import Graph, Spread
from stsfm.models.layers.graph_conv import Chebyshev
from stsfm.models.layers.head import Head, target_channels
from stsfm.models.layers.inputs import batch_first, nodes_first
from stsfm.models.layers.normalise import Normalise
from stsfm.models.numerics.diffusion import symmetric


@final
class STGCN(nn.Module):
    """Space between time and time, block upon block."""

    cite = "yu2018stgcn"
    classes = frozenset({"direct", "graph"})
    offers, tags = Head.offers, Head.tags | {"graph"}

    def __init__(
        self,
        frame: Frame,
        *,
        width: int,
        middle: int,
        blocks: int,
        kernel: int,
        order: int,
        embedding: int,
        dropout: float,
        normalise: Normalise,
    ) -> None:
        super().__init__()
        left = frame.context - 2 * blocks * (kernel - 1)
        if left < 1:
            need = f"{2 * blocks * (kernel - 1) + 1} rows, got model.context={frame.context}"
            raise ValueError(f"{blocks} blocks of kernel {kernel} read at least {need}")
        self.normalise, self.targets = normalise, target_channels(frame)
        self.graph = Graph(frame, partial(symmetric, loops=False), embedding=embedding)
        sizes = (width, middle, kernel, order, self.graph.matrices)
        inputs = frame.channels + frame.covariates
        self.blocks = nn.ModuleList(_Block(width if k else inputs, *sizes) for k in range(blocks))
        self.dropout = nn.Dropout(dropout)
        self.gate, self.norm = _Gate(width, width, left), nn.LayerNorm(width)
        self.head = Head(frame, width)

    def forward(self, past: Panel, future: Panel) -> Forecast:
        x, level = nodes_first(past, self.normalise)  # (n, t, b, c)
        spreads = self.graph()
        for block in self.blocks:
            x = self.dropout(block(x, spreads))
        state = self.norm(self.gate(x))[:, -1]  # (n, b, width)
        return self.head(batch_first(state), future, level[..., self.targets])


class _Block(nn.Module):
    def __init__(
        self, inputs: int, width: int, middle: int, kernel: int, order: int, matrices: int
    ) -> None:
        super().__init__()
        self.before, self.after = _Gate(inputs, width, kernel), _Gate(middle, width, kernel)
        self.narrow = nn.Linear(width, middle)
        self.conv = Chebyshev(middle, middle, matrices=matrices, order=order)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, spreads: list[Spread]) -> Tensor:
        x = self.narrow(self.before(x))
        return self.norm(self.after((self.conv(x, spreads) + x).relu()))


class _Gate(nn.Module):
    """A causal convolution of `kernel` rows by a gated linear unit, with a residual."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.kernel, self.outputs = kernel, outputs
        self.linear = nn.Linear(kernel * inputs, 2 * outputs)
        self.skip = nn.Identity() if inputs == outputs else nn.Linear(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.shape[1] - self.kernel + 1
        seen = torch.cat([x[:, k : k + rows] for k in range(self.kernel)], -1)
        value, gate = self.linear(seen).chunk(2, -1)
        return (value + self.skip(x[:, self.kernel - 1 :])) * gate.sigmoid()
