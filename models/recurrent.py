"""Recurrent nets: a state reads the past row by row, then a linear head gives every step at once.

    rnn    h_t = tanh(W x_t + U h_{t−1} + b)
    gru    z, r = σ(W x_t + U h_{t−1} + b),
           h_t = z h_{t−1} + (1 − z) tanh(W x_t + r (U h_{t−1} + b))
    lstm   i, f, o = σ(W x_t + U h_{t−1} + b),   c_t = f c_{t−1} + i tanh(W x_t + U h_{t−1} + b),
           h_t = o tanh(c_t)

    x_t: (b·n, channels + covariates),  h_t: (b·n, hidden),  ŷ = head(h_L)

One net serves all nodes. A window is shown relative to its last value (or its mean), which is added
back. Elman 1990; Hochreiter & Schmidhuber 1997, with forget bias 1 (Gers et al. 2000); Cho et al.
2014, with the reset gate after the recurrent product, as cuDNN has it.
"""

from typing import ClassVar, final

from torch import nn

from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.windows import Frame
from stsfm.models.layers.head import Head, target_channels
from stsfm.models.layers.inputs import by_node
from stsfm.models.layers.normalise import Standardise, standardise


class _Recurrent(nn.Module):
    """A cell over the past, a head over its last state."""

    cell: ClassVar[type[nn.RNN | nn.GRU | nn.LSTM]]
    offers, tags = Head.offers, Head.tags | {"new_nodes"}
    classes = frozenset({"recurrent"})

    def __init__(
        self,
        frame: Frame,
        *,
        hidden: int,
        layers: int,
        dropout: float,
        normalise: Standardise,
    ) -> None:
        super().__init__()
        self.normalise, self.targets = normalise, target_channels(frame)
        inputs = frame.channels + frame.covariates
        self.rnn = self.cell(inputs, hidden, layers, batch_first=True, dropout=dropout)
        self.head = Head(frame, hidden)
        self.reset()

    def reset(self) -> None:
        """Start the weights as the cell likes them; torch's own start by default."""

    def forward(self, past: Panel, future: Panel) -> Forecast:
        values, gauge = standardise(past, self.normalise)  # (b, t, n, c)
        x = by_node(values, past.known).flatten(0, 1)  # (b·n, t, c + k)
        states = self.rnn(x)[0]  # (b·n, t, hidden)
        return self.head(states[:, -1], future, *gauge.of(self.targets))


@final
class RNN(_Recurrent):
    """Elman's recurrent net: one tanh state."""

    cite = "elman1990rnn"
    cell = nn.RNN


@final
class GRU(_Recurrent):
    """Gated recurrent unit: the state chooses what to keep and what to forget."""

    cite = "cho2014gru"
    cell = nn.GRU


@final
class LSTM(_Recurrent):
    """Long short-term memory: a gated memory cell beside the state."""

    cite = "hochreiter1997lstm"
    cell = nn.LSTM

    def reset(self) -> None:
        for name, bias in self.rnn.named_parameters():
            if name.startswith("bias_ih"):  # torch orders the gates i, f, g, o
                nn.init.ones_(bias.data[self.rnn.hidden_size : 2 * self.rnn.hidden_size])
