"""GCN: a node's window is its features, and each layer mixes them with those of its neighbours.

    H₀ = X,   H_{l+1} = relu(M H_l W_l + b_l),   ŷ = head(H_layers)
    M = Â = D⁻¹ᐟ² (W̄ + I) D⁻¹ᐟ²,  or the heat kernel exp(−t (I − P))

    X: (n, b, context · (channels + covariates)),  H_l: (n, b, hidden)

A layer of Â reaches one edge, of a heat kernel all nodes, near ones most. A graph that is learned
takes the place of M. Kipf & Welling, Semi-supervised classification with graph convolutional
networks, ICLR (2017), as the traffic papers have it (Zhao et al. 2020), but for the head, which is
of each node alone; Klicpera et al., Diffusion improves graph learning, NeurIPS (2019).
"""

from functools import partial
from typing import final

from torch import nn

from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.windows import Frame
from stsfm.models.layers.graph import Graph
from stsfm.models.layers.graph_conv import Neighbours
from stsfm.models.layers.head import Head, target_channels
from stsfm.models.layers.inputs import batch_first, nodes_first
from stsfm.models.layers.normalise import Normalise
from stsfm.models.numerics.diffusion import heat_kernel, symmetric


@final
class GCN(nn.Module):
    """Graph convolutions of whole windows."""

    cite = "kipf2017gcn"
    classes = frozenset({"direct", "graph"})
    offers, tags = Head.offers, Head.tags | {"graph"}

    def __init__(
        self,
        frame: Frame,
        *,
        hidden: int,
        layers: int,
        heat: float | None,
        embedding: int,
        normalise: Normalise,
    ) -> None:
        super().__init__()
        if heat is not None and heat <= 0:
            raise ValueError(f"heat must be above 0, or null, got {heat}")
        self.normalise, self.targets = normalise, target_channels(frame)
        kernel = partial(heat_kernel, time=heat) if heat else partial(symmetric, loops=True)
        self.graph = Graph(frame, kernel, embedding=embedding)
        inputs = frame.context * (frame.channels + frame.covariates)
        self.convs = nn.ModuleList(
            Neighbours(hidden if k else inputs, hidden, matrices=self.graph.matrices)
            for k in range(layers)
        )
        self.head = Head(frame, hidden)

    def forward(self, past: Panel, future: Panel) -> Forecast:
        values, level = nodes_first(past, self.normalise)  # (n, t, b, c)
        x, spreads = values.transpose(1, 2).flatten(2), self.graph()  # (n, b, t·c)
        for conv in self.convs:
            x = conv(x, spreads).relu()
        return self.head(batch_first(x), future, level[..., self.targets])
