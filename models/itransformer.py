"""iTransformer: a variate is a token, and attention is among variates.

    z_i = W x_i + b,    ŷ_i = head(z_i after layers)

    x_i: (context) the whole past of one channel of one node or of a covariate,    z_i: (width)

Variates have no order, so that a forecast does not depend on it, and any number of them may come.
Channels that are not forecast and covariates are tokens that are looked at. A window is shown in
units of its own mean and deviation, which its forecast is given back. Liu et al., iTransformer:
inverted transformers are effective for time series forecasting, ICLR (2024): theirs normalises
after each layer; here before, as in all our transformers.
"""

from typing import final

import torch
from torch import nn

from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.windows import Frame
from stsfm.models.layers.attention import Encoder
from stsfm.models.layers.head import Head, target_channels
from stsfm.models.layers.inputs import by_series
from stsfm.models.layers.normalise import Standardise, standardise


@final
class ITransformer(nn.Module):
    """A transformer encoder over all variates of a window."""

    cite = "liu2024itransformer"
    classes = frozenset({"attention"})
    offers, tags = Head.offers, Head.tags

    def __init__(
        self,
        frame: Frame,
        *,
        width: int,
        heads: int,
        layers: int,
        feed: int,
        dropout: float,
        normalise: Standardise,
    ) -> None:
        super().__init__()
        self.normalise, self.targets = normalise, target_channels(frame)
        self.embed, self.dropout = nn.Linear(frame.context, width), nn.Dropout(dropout)
        self.encoder = Encoder(width, heads, layers, feed, dropout)
        self.head = Head(frame, width, each=True)

    def forward(self, past: Panel, future: Panel) -> Forecast:
        values, gauge = standardise(past, self.normalise)  # (b, t, n, c)
        nodes, channels = values.shape[-2:]
        variates = torch.cat([by_series(values), by_series(past.known)], 1)  # (b, n·c + k, t)
        tokens = self.encoder(self.dropout(self.embed(variates)))[:, : nodes * channels]
        state = tokens.unflatten(1, (nodes, channels))[:, :, self.targets]  # (b, n, c, width)
        return self.head(state.flatten(0, 2), future, *gauge.of(self.targets))
