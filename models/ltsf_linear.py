"""LTSF-Linear: one linear map from the past of a series to its future, trained by gradients.

    nlinear    ŷ = l + W (x − l) + b                     l the last observed value
    dlinear    ŷ = W [x − m ; m] + b,    m = A x         m a moving average of x, its ends repeated

    x, m: (context),  ŷ: (horizon),  W: (horizon, context), for dlinear (horizon, 2 · context)

One map serves all channels of all nodes. What is known of the future stands beside the past in the
head. The same maps in closed form are model=linear. As in the authors' code, dlinear starts from
the means of what remains and of the trend, W = 1 / context throughout: with a small rate and few
epochs the start decides what is reached. Zeng et al., Are transformers effective for time series
forecasting?, AAAI (2023); their two halves of W are two layers, with a bias each.
"""

from typing import final

import torch
from torch import Tensor, nn

from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.windows import Frame
from stsfm.models.layers.head import Head
from stsfm.models.layers.inputs import by_series
from stsfm.models.layers.normalise import Standardise, centre, standardise


@final
class NLinear(nn.Module):
    """The future about the last value, linear in the past about the last value."""

    cite = "zeng2023ltsf"
    classes = frozenset({"direct"})
    offers, tags = Head.offers, Head.tags | {"new_nodes"}

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self.head = Head(frame, frame.context, each=True)

    def forward(self, past: Panel, future: Panel) -> Forecast:
        values, last = centre(past.only_targets(), "last")  # (b, t, n, c), (b, 1, n, c)
        return self.head(by_series(values).flatten(0, 1), future, last)


@final
class DLinear(nn.Module):
    """Linear in a trend and in what remains without it."""

    cite = "zeng2023ltsf"
    classes = frozenset({"direct"})
    offers, tags = Head.offers, Head.tags | {"new_nodes"}

    def __init__(self, frame: Frame, *, kernel: int, normalise: Standardise) -> None:
        super().__init__()
        if kernel < 1 or kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, so that an average has a middle, got {kernel}")
        self.kernel, self.normalise = kernel, normalise
        self.head = Head(frame, 2 * frame.context, each=True)
        nn.init.constant_(self.head.linear.weight[:, : 2 * frame.context], 1 / frame.context)

    def forward(self, past: Panel, future: Panel) -> Forecast:
        values, gauge = standardise(past.only_targets(), self.normalise)
        x = by_series(values)  # (b, n·c, t)
        trend = moving_average(x, self.kernel)
        return self.head(torch.cat([x - trend, trend], -1).flatten(0, 1), future, *gauge)


def moving_average(x: Tensor, kernel: int) -> Tensor:
    """Means over `kernel` steps of (…, time) about each of them, the first and last value repeated.

    By differences of one running sum, which costs a sixth of a pooling layer.
    """
    side = kernel // 2
    first, last = x[..., :1], x[..., -1:]
    ends = [first.expand(*x.shape[:-1], side + 1), x, last.expand(*x.shape[:-1], side)]
    total = torch.cat(ends, -1).cumsum(-1)
    return (total[..., kernel:] - total[..., :-kernel]) / kernel
