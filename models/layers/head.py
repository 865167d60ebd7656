"""The last layer of a net: from a state to as much of a Forecast as the loss asks for.

o = V [s ; k] + c          s: (b·n, width),  k: (b·n, horizon·covariates),  o: (b·n, h·c·outputs)

point      ŷ = level + o
scale      σ = softplus(o′)                          where the loss prices a Gaussian
quantiles  q = level + sort(o₁ … o_K), ŷ the median  where it prices levels; sorting keeps them
           from crossing (Chernozhukov et al., Econometrica 78, 2010)
"""

import torch
from torch import Tensor, nn

from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.windows import Frame


class Head(nn.Module):
    """State (b·n, width) and future → Forecast (b, horizon, n, target channel)."""

    offers = frozenset({"scale", "quantiles"})
    tags = frozenset({"known"})  # what is known of the future stands beside the state

    def __init__(self, frame: Frame, width: int) -> None:
        super().__init__()
        self.levels = frame.levels if "quantiles" in frame.needs else ()
        self.scaled = "scale" in frame.needs
        self.shape = (frame.horizon, len(frame.targets), max(1, len(self.levels)) + self.scaled)
        outputs = self.shape[0] * self.shape[1] * self.shape[2]
        self.linear = nn.Linear(width + frame.horizon * frame.covariates, outputs)

    def forward(self, state: Tensor, future: Panel, level: Tensor) -> Forecast:
        """`level` (b, 1, n, target channel) is added back to what the net was not shown."""
        batch, _, nodes, _ = future.values.shape
        if future.known.shape[-1]:
            known = future.known.expand(-1, -1, nodes, -1).transpose(1, 2)  # (b, n, h, k)
            state = torch.cat([state, known.reshape(batch * nodes, -1)], -1)
        out = self.linear(state)
        if self.shape[-1] == 1 and not self.levels:
            point = out.view(batch, nodes, *self.shape[:-1]).transpose(1, 2)  # (b, h, n, c)
            return Forecast(point=level + point)
        out = out.view(batch, nodes, *self.shape).transpose(1, 2)  # (b, h, n, c, outputs)
        if self.levels:
            quantiles = level[..., None] + out[..., : len(self.levels)].sort(-1).values
            point = quantiles[..., self.levels.index(0.5)]
            return Forecast(point=point, quantiles=quantiles, levels=self.levels)
        scale = nn.functional.softplus(out[..., 1]) + 1e-4
        return Forecast(point=level + out[..., 0], scale=scale)
