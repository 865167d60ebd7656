"""Multilayer perceptron: the whole past of a node at once, through layers that have no order.

    z₀ = [x ; k],    z_l = relu(W_l z_{l−1} + b_l),    ŷ = head(z_L)

    z₀: (b·n, context · (channels + covariates)),    z_l: (b·n, width)

One net serves all nodes. Rumelhart, Hinton & Williams, Learning representations by back-propagating
errors, Nature 323 (1986), with rectifiers and dropout.
"""

from itertools import pairwise
from typing import final

from torch import nn

from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.windows import Frame
from stsfm.models.layers.head import Head, target_channels
from stsfm.models.layers.inputs import by_node
from stsfm.models.layers.normalise import Standardise, standardise


@final
class MLP(nn.Module):
    """Fully connected layers over a window of one node."""

    cite = "rumelhart1986"
    classes = frozenset({"direct"})
    offers, tags = Head.offers, Head.tags | {"new_nodes"}

    def __init__(
        self, frame: Frame, *, width: int, layers: int, dropout: float, normalise: Standardise
    ) -> None:
        super().__init__()
        if layers < 1:
            raise ValueError(f"layers must be at least 1, got {layers}")
        self.normalise, self.targets = normalise, target_channels(frame)
        widths = [frame.context * (frame.channels + frame.covariates), *[width] * layers]
        self.layers = nn.Sequential()
        for inner, outer in pairwise(widths):
            self.layers.extend([nn.Linear(inner, outer), nn.ReLU(), nn.Dropout(dropout)])
        self.head = Head(frame, width)

    def forward(self, past: Panel, future: Panel) -> Forecast:
        values, gauge = standardise(past, self.normalise)  # (b, t, n, c)
        x = by_node(values, past.known).flatten(2).flatten(0, 1)  # (b·n, t · (c + k))
        return self.head(self.layers(x), future, *gauge.of(self.targets))
