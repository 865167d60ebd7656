"""Graph WaveNet: gated dilated convolutions over time, diffusion over the graph, a graph learned.

    x₀ = the past, a row of channels per node and time
    g = tanh(x_l[t−d] A + x_l[t] A′) ⊙ σ(x_l[t−d] B + x_l[t] B′),       d = 1, 2, 4 … in each block
    x_{l+1} = norm(x_l + g ∗ Θ),   s = Σ_l g_l[last] S_l,   ŷ = head(relu(relu(s) E))

    x: (n, t, b, width), shorter by d with each layer;  s: (n, b, skip)

g ∗ Θ is a diffusion convolution (layers/graph_conv.py) over P_f, P_b and softmax(relu(E₁ E₂ᵀ)).
Wu et al., Graph WaveNet for deep spatial-temporal graph modeling, IJCAI (2019). We depart from
their code in three: the norm is over the channels of a node, where theirs is over a batch and all
its nodes, through which nodes without a graph would know of each other; of the last layer, only
its skip is computed, since nothing reads the rest; skips are computed at the last row alone.
"""

from typing import final

import torch
from torch import Tensor, nn

from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.windows import Frame
from stsfm.models.layers.graph import Graph, Spread
from stsfm.models.layers.graph_conv import Diffusion
from stsfm.models.layers.head import Head, target_channels
from stsfm.models.layers.inputs import batch_first, nodes_first
from stsfm.models.layers.normalise import Normalise
from stsfm.models.numerics.diffusion import transitions


@final
class GraphWaveNet(nn.Module):
    """Blocks of layers, each with a convolution over time and one over the graph."""

    cite = "wu2019graphwavenet"
    classes = frozenset({"direct", "graph"})
    offers, tags = Head.offers, Head.tags | {"graph"}

    def __init__(
        self,
        frame: Frame,
        *,
        width: int,
        skip: int,
        end: int,
        blocks: int,
        layers: int,
        order: int,
        adaptive: bool,
        embedding: int,
        dropout: float,
        normalise: Normalise,
    ) -> None:
        super().__init__()
        self.normalise, self.targets = normalise, target_channels(frame)
        self.graph = Graph(frame, transitions, embedding=embedding, adaptive=adaptive)
        self.start = nn.Linear(frame.channels + frame.covariates, width)
        dilations = [2**k for _ in range(blocks) for k in range(layers)]
        self.reach = 1 + sum(dilations)  # rows of past that the last state sees
        self.gates = nn.ModuleList(_Gate(width, dilation) for dilation in dilations)
        self.skips = nn.ModuleList(nn.Linear(width, skip) for _ in dilations)
        conv = lambda: Diffusion(width, width, matrices=self.graph.matrices, order=order)  # noqa: E731
        self.convs = nn.ModuleList(conv() for _ in dilations[1:])
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in dilations[1:])
        self.dropout = nn.Dropout(dropout)
        self.end = nn.Linear(skip, end)
        self.head = Head(frame, end)

    def forward(self, past: Panel, future: Panel) -> Forecast:
        x, level = nodes_first(past, self.normalise)  # (n, t, b, c)
        lacking = max(0, self.reach - x.shape[1])
        x = self.start(nn.functional.pad(x[:, -self.reach :], (0, 0, 0, 0, lacking, 0)))
        state = batch_first(self._skipped(x, self.graph()).relu())
        return self.head(self.end(state).relu(), future, level[..., self.targets])

    def _skipped(self, x: Tensor, spreads: list[Spread]) -> Tensor:
        """What all layers say of the last row, (n, b, skip)."""
        skipped = torch.zeros((), device=x.device)
        for k, (gate, skip) in enumerate(zip(self.gates, self.skips, strict=True)):
            gated = gate(x)  # (n, t − dilation, b, width)
            skipped = skipped + skip(gated[:, -1])
            if k < len(self.convs):
                spread = self.dropout(self.convs[k](gated, spreads))
                x = self.norms[k](x[:, gate.dilation :] + spread)
        return skipped


class _Gate(nn.Module):
    """A causal convolution of two rows, `dilation` apart, by which a gate lets through."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.linear = nn.Linear(2 * width, 2 * width)

    def forward(self, x: Tensor) -> Tensor:
        pairs = torch.cat([x[:, : -self.dilation], x[:, self.dilation :]], -1)
        value, gate = self.linear(pairs).chunk(2, -1)
        return value.tanh() * gate.sigmoid()
