"""T-GCN: a gated recurrent unit that sees a node's neighbours at every step.

    h_t = GRU(Â x_t, Â h_{t−1}),   ŷ = head(h_L)
    Â = D⁻¹ᐟ² (W̄ + I) D⁻¹ᐟ²,       x_t: (n, b, channels + covariates),  h_t: (n, b, hidden)

Zhao et al., T-GCN: A temporal graph convolutional network for traffic prediction, IEEE Trans.
Intell. Transp. Syst. 21 (2020). As in their code, with one graph convolution of x and h in each
gate (layers/graph_gru.py), where the paper's eq. 5 has two of x alone. A graph that is learned
takes the place of Â.
"""

from functools import partial
from typing import final

from torch import nn

from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.windows import Frame
from stsfm.models.layers.graph import Graph
from stsfm.models.layers.graph_conv import Neighbours
from stsfm.models.layers.graph_gru import GraphGRU
from stsfm.models.layers.head import Head, target_channels
from stsfm.models.layers.inputs import batch_first, nodes_first
from stsfm.models.layers.normalise import Normalise
from stsfm.models.numerics.diffusion import symmetric


@final
class TGCN(nn.Module):
    """A graph convolution in each gate of a recurrent unit."""

    cite = "zhao2020tgcn"
    classes = frozenset({"graph", "recurrent"})
    offers, tags = Head.offers, Head.tags | {"graph"}

    def __init__(self, frame: Frame, *, hidden: int, embedding: int, normalise: Normalise) -> None:
        super().__init__()
        self.normalise, self.targets = normalise, target_channels(frame)
        self.graph = Graph(frame, partial(symmetric, loops=True), embedding=embedding)
        conv = partial(Neighbours, matrices=self.graph.matrices)
        self.cell = GraphGRU(frame.channels + frame.covariates, hidden, conv)
        self.head = Head(frame, hidden)

    def forward(self, past: Panel, future: Panel) -> Forecast:
        x, level = nodes_first(past, self.normalise)  # (n, t, b, c)
        state = self.cell.over(x, self.graph())[:, -1]  # (n, b, hidden)
        return self.head(batch_first(state), future, level[..., self.targets])
