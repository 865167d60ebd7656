"""Temporal convolutional network: causal convolutions whose taps lie ever farther apart.

    z ← relu(z + C(C(z))),    C(z)_t = dropout(relu(Σ_{i<k} W_i z_{t − i·d} + b)),    d = 1, 2, 4, …

    z: (b·n, width, time),    ŷ = head(z_L)

No output sees a later input, nor one that lies 1 + 2(k − 1)(2^B − 1) rows back: the receptive field
of B blocks of kernel k. One net serves all nodes. W = g V / |V| with one g per output. Before the
first row the state is 0. Bai, Kolter & Koltun, An empirical evaluation of generic convolutional and
recurrent networks for sequence modeling, arXiv:1803.01271 (2018).
"""

from typing import final

from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.windows import Frame
from stsfm.models.layers.head import Head, target_channels
from stsfm.models.layers.inputs import by_node
from stsfm.models.layers.normalise import Standardise, standardise


@final
class TCN(nn.Module):
    """Residual blocks of dilated causal convolutions over a window of one node."""

    cite = "bai2018tcn"
    classes = frozenset({"direct"})
    offers, tags = Head.offers, Head.tags | {"new_nodes"}

    def __init__(
        self,
        frame: Frame,
        *,
        width: int,
        blocks: int,
        kernel: int,
        dropout: float,
        normalise: Standardise,
    ) -> None:
        super().__init__()
        if blocks < 1 or kernel < 1:
            raise ValueError(f"blocks and kernel must be at least 1, got {blocks} and {kernel}")
        self.normalise, self.targets = normalise, target_channels(frame)
        inputs = [frame.channels + frame.covariates, *[width] * (blocks - 1)]
        self.blocks = nn.Sequential(
            *(Block(inner, width, kernel, 2**b, dropout) for b, inner in enumerate(inputs))
        )
        self.head = Head(frame, width)

    def forward(self, past: Panel, future: Panel) -> Forecast:
        values, gauge = standardise(past, self.normalise)
        x = by_node(values, past.known).flatten(0, 1).transpose(1, 2)  # (b·n, c + k, t)
        return self.head(self.blocks(x)[..., -1], future, *gauge.of(self.targets))


class Block(nn.Module):
    """Two convolutions and a way around them: (b, inputs, time) → (b, width, time)."""

    def __init__(self, inputs: int, width: int, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.before = (kernel - 1) * dilation  # rows of zeros, so that no output sees ahead
        convolutions = (
            weight_norm(nn.Conv1d(inner, width, kernel, dilation=dilation))
            for inner in (inputs, width)
        )
        self.convolutions, self.dropout = nn.ModuleList(convolutions), nn.Dropout(dropout)
        self.around = nn.Identity() if inputs == width else nn.Conv1d(inputs, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        z = x
        for convolution in self.convolutions:
            z = self.dropout(convolution(nn.functional.pad(z, (self.before, 0))).relu())
        return (self.around(x) + z).relu()
