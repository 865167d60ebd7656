"""PatchTST: a series as a sentence of patches, each channel of each node by itself.

    p_j = x[j·stride : j·stride + patch],    z_j = W p_j + e_j,    ŷ = head([z₁ … z_P] after layers)

    x: (context),  p_j: (patch),  z_j: (width),  P = (context − patch) // stride + 2

The last value is repeated over a stride, so that the last patch holds the end of the window; a
window shorter than a patch is one patch and its repetition. A window is shown in units of its own
mean and deviation, which its forecast is given back. Nie et al., A time series is worth 64 words,
ICLR (2023): theirs normalises batches after each layer and adds up attention scores over layers;
here layers are normalised before, as in all our transformers.
"""

from typing import final

from torch import nn

from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.windows import Frame
from stsfm.models.layers.attention import Encoder, Kind, Positions
from stsfm.models.layers.head import Head
from stsfm.models.layers.inputs import by_series, patch_sizes, patches
from stsfm.models.layers.normalise import Standardise, standardise


@final
class PatchTST(nn.Module):
    """A transformer encoder over the patches of one series, and a head over all of them."""

    cite = "nie2023patchtst"
    classes = frozenset({"attention"})
    offers, tags = Head.offers, Head.tags | {"new_nodes"}

    def __init__(
        self,
        frame: Frame,
        *,
        patch: int,
        stride: int,
        width: int,
        heads: int,
        layers: int,
        feed: int,
        dropout: float,
        positions: Kind,
        normalise: Standardise,
    ) -> None:
        super().__init__()
        self.patch, count = patch_sizes(frame.context, patch, stride)
        self.stride, self.normalise = stride, normalise
        self.embed = nn.Linear(self.patch, width)
        self.positions = Positions(positions, count, width)
        self.dropout = nn.Dropout(dropout)
        self.encoder = Encoder(width, heads, layers, feed, dropout)
        self.head = Head(frame, count * width, each=True)

    def forward(self, past: Panel, future: Panel) -> Forecast:
        values, gauge = standardise(past.only_targets(), self.normalise)
        series = by_series(values).flatten(0, 1)  # (b·n·c, t)
        tokens = self.positions(self.embed(patches(series, self.patch, self.stride)))
        state = self.encoder(self.dropout(tokens)).flatten(1)  # (b·n·c, patch · width)
        return self.head(state, future, *gauge)
