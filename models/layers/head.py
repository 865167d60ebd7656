"""The last layer of a net: from a state to as much of a Forecast as the loss asks for.

o = V [s ; k] + c          s: (b·n, width),  k: (b·n, horizon·covariates),  o: (b·n, h·c·outputs)

point      ŷ = level + spread · o
scale      σ = spread · softplus(o′)                 where the loss prices a Gaussian
quantiles  q = level + spread · sort(o₁ … o_K), ŷ the median, where it prices levels; sorting keeps
           them from crossing (Chernozhukov et al., Econometrica 78, 2010)
"""

import torch
from torch import Tensor, nn

from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.windows import Frame


class Head(nn.Module):
    """State and future → Forecast (b, horizon, n, target channel).

    There is a state for every node (b·n, width); or with `each` for every target channel of a node
    (b·n·c, width), and one map reads them all.
    """

    offers = frozenset({"scale", "quantiles"})
    tags = frozenset({"known"})  # what is known of the future stands beside the state

    def __init__(self, frame: Frame, width: int, *, each: bool = False) -> None:
        super().__init__()
        self.levels = frame.levels if "quantiles" in frame.needs else ()
        self.scaled = "scale" in frame.needs
        channels, outputs = len(frame.targets), max(1, len(self.levels)) + self.scaled
        self.states = channels if each else 1  # of a node
        self.shape = (frame.horizon, channels // self.states, outputs)
        features = width + frame.horizon * frame.covariates
        self.linear = nn.Linear(features, self.shape[0] * self.shape[1] * self.shape[2])

    def forward(
        self, state: Tensor, future: Panel, level: Tensor, spread: Tensor | None = None
    ) -> Forecast:
        """`level` and `spread` (b, 1, n, target channel) are what the net was not shown."""
        batch, horizon, nodes, channels = future.values.shape
        if future.known.shape[-1]:
            known = future.known.expand(-1, -1, nodes, -1).transpose(1, 2)  # (b, n, h, k)
            known = known.reshape(batch * nodes, -1).repeat_interleave(self.states, 0)
            state = torch.cat([state, known], -1)
        out = self.linear(state).view(batch, nodes, self.states, *self.shape)
        out = out.permute(0, 3, 1, 2, 4, 5)  # (b, h, n, state, c, outputs), one of state and c is 1
        out = out.reshape(batch, horizon, nodes, channels, -1)
        if self.scaled:
            out = torch.cat([out[..., :-1], nn.functional.softplus(out[..., -1:]) + 1e-4], -1)
        if spread is not None:
            out = out * spread[..., None]
        if self.levels:
            quantiles = level[..., None] + out[..., : len(self.levels)].sort(-1).values
            point = quantiles[..., self.levels.index(0.5)]
            return Forecast(point=point, quantiles=quantiles, levels=self.levels)
        return Forecast(point=level + out[..., 0], scale=out[..., 1] if self.scaled else None)


def target_channels(frame: Frame) -> list[int] | slice:
    """Which channels of a past are forecast; all of them without a copy."""
    every = frame.targets == tuple(range(frame.channels))
    return slice(None) if every else list(frame.targets)
