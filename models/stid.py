"""STID: a window, and who, what time and which day it is, through a perceptron.

    z = [W x + b ; E_node ; E_slot ; E_weekday],    z ← z + W₂ dropout(relu(W₁ z + b₁)) + b₂,
    ŷ = head(z)

    x: (b·n, context · (channels + covariates)),    each embedding: (b·n, its width)

What tells one sample from another is its identity in space and time, looked up by the node and by
the stamp of the last row of the past. Where rows are a day or more apart there are other cycles
(numerics/clock.py). Shao et al., Spatial-temporal identity: a simple yet effective baseline for
multivariate time series forecasting, CIKM (2022): theirs reads time of day and weekday as inputs
too; here calendar covariates are, where a protocol offers them.
"""

from typing import final

import torch
from torch import Tensor, nn

from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.windows import Frame
from stsfm.models.layers.head import Head, target_channels
from stsfm.models.layers.inputs import by_node
from stsfm.models.layers.normalise import Standardise, standardise
from stsfm.models.layers.residual import Residual
from stsfm.models.numerics.clock import cycles


@final
class STID(nn.Module):
    """Residual layers over a window of one node beside its embeddings."""

    cite = "shao2022stid"
    classes = frozenset({"direct"})
    offers, tags = Head.offers, Head.tags

    def __init__(
        self,
        frame: Frame,
        *,
        width: int,
        node: int,
        clock: int,
        slots: int,
        layers: int,
        dropout: float,
        normalise: Standardise,
    ) -> None:
        super().__init__()
        self.normalise, self.targets = normalise, target_channels(frame)
        self.embed = nn.Linear(frame.context * (frame.channels + frame.covariates), width)
        self.nodes = nn.Parameter(nn.init.xavier_uniform_(torch.empty(frame.nodes, node)))
        self.cycles = cycles(frame.step, slots)
        self.clock = nn.ParameterList(
            nn.init.xavier_uniform_(torch.empty(cycle.length, clock)) for cycle in self.cycles
        )
        total = width + node + clock * len(self.cycles)
        self.layers = nn.Sequential(*(Residual(total, dropout) for _ in range(layers)))
        self.head = Head(frame, total)

    def forward(self, past: Panel, future: Panel) -> Forecast:
        values, gauge = standardise(past, self.normalise)
        x = self.embed(by_node(values, past.known).flatten(2))  # (b, n, width)
        z = torch.cat([x, *self._identity(past.time[:, -1])], -1).flatten(0, 1)
        return self.head(self.layers(z), future, *gauge.of(self.targets))

    def _identity(self, now: Tensor) -> list[Tensor]:
        """What is looked up, (b, n, …) each: who it is, and when by each cycle; `now` is (b)."""
        shape = (len(now), len(self.nodes), -1)
        pairs = zip(self.cycles, self.clock, strict=True)
        when = [table[cycle.place(now)][:, None].expand(shape) for cycle, table in pairs]
        return [self.nodes.expand(shape), *when]
