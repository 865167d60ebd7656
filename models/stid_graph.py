"""STID that sees about itself: a window and those diffused to it, who and what time it is.

    x = [v, P v, …, P^K v]  for each walk P on the graph
    z = W [x ; E_node ; w ; r ; r w] + b,    w = [sin 2πkτ, cos 2πkτ],    r = 1 on a weekend
    z ← z + W₂ dropout(relu(W₁ z + b₁)) + b₂,    ŷ = head(z)

    v: (b·n, context · channels),  x: (b·n, (1 + walks · K) · context · channels),  z: (b·n, width)

K is `orders`, τ the share of the day that has passed at the last row of the past, k up to
`harmonics`. The columns of W for weekends begin at 0, and stay there where training has none.
Shao et al., Spatial-temporal identity, CIKM (2022), has K = 0, and looks time of day and weekday up
in tables. Waves are smooth and have fewer numbers, so that some days teach them, and no weekday is
asked for that training never saw. Diffused windows are those of Li et al., Diffusion convolutional
recurrent neural network, ICLR (2018), read once instead of at every step of a recurrence.
"""

from typing import final

import torch
from torch import Tensor, nn

from stsfm.datasets.about import DAY
from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.windows import Frame
from stsfm.models.layers.graph import Graph
from stsfm.models.layers.head import Head, target_channels
from stsfm.models.layers.inputs import by_node
from stsfm.models.layers.normalise import Standardise, standardise
from stsfm.models.layers.residual import Residual
from stsfm.models.numerics.clock import weekday
from stsfm.models.numerics.diffusion import transitions
from stsfm.models.numerics.waves import SATURDAY


@final
class GraphSTID(nn.Module):
    """Residual layers over the windows of a node and about it, its embedding and its clock."""

    cite = "shao2022stid"
    classes = frozenset({"direct", "graph"})
    offers, tags = Head.offers, Head.tags | {"graph"}

    def __init__(
        self,
        frame: Frame,
        *,
        width: int,
        node: int,
        orders: int,
        harmonics: int,
        layers: int,
        dropout: float,
        embedding: int,
        normalise: Standardise,
    ) -> None:
        super().__init__()
        self.normalise, self.targets, self.orders = normalise, target_channels(frame), orders
        self.graph = Graph(frame, transitions, embedding=embedding)
        self.nodes = nn.Parameter(nn.init.xavier_uniform_(torch.empty(frame.nodes, node)))
        self.harmonics = harmonics if 0 < frame.step < DAY else 0
        self.clock = 4 * self.harmonics + 1 if self.harmonics else 0
        windows = frame.channels * (1 + self.graph.matrices * orders) + frame.covariates
        self.embed = nn.Linear(frame.context * windows + node + self.clock, width)
        self._forget_weekends()
        self.layers = nn.Sequential(*(Residual(width, dropout) for _ in range(layers)))
        self.head = Head(frame, width)

    def forward(self, past: Panel, future: Panel) -> Forecast:
        values, gauge = standardise(past, self.normalise)
        x = by_node(self._diffused(values), past.known).flatten(2)  # (b, n, …)
        who, when = self.nodes.expand(*x.shape[:2], -1), self._clock(past.time[:, -1])
        z = torch.cat([x, who, when[:, None].expand(*x.shape[:2], -1)], -1)
        z = self.embed(z).flatten(0, 1)
        return self.head(self.layers(z), future, *gauge.of(self.targets))

    def _diffused(self, values: Tensor) -> Tensor:
        """(b, t, n, c) → (b, t, n, (1 + walks · orders) · c)."""
        found = [first := values.movedim(2, 0)]  # (n, b, t, c)
        for spread in self.graph():
            power = first
            for _ in range(self.orders):
                found.append(power := spread(power))
        return torch.cat(found, -1).movedim(0, 2)

    def _clock(self, now: Tensor) -> Tensor:
        """Waves of the day at a stamp (b), and those of a weekend, (b, clock)."""
        share = (now % DAY).to(self.nodes.dtype) / DAY
        angles = 2 * torch.pi * share[:, None] * torch.arange(1, self.harmonics + 1).to(share)
        day = torch.cat([angles.sin(), angles.cos()], -1)
        rests = (weekday(now) >= SATURDAY)[:, None].to(day)
        return torch.cat([day, rests, rests * day], -1)[:, : self.clock]

    @torch.no_grad()
    def _forget_weekends(self) -> None:
        """What training never shows of them then stays 0, and says nothing later."""
        self.embed.weight[:, self.embed.in_features - self.clock + 2 * self.harmonics :] = 0
