"""Say in one sentence what the net does.

    ŷ = head(relu(W x + b))          x: (b·n, context · channels),  W x: (b·n, hidden)

Reference: authors, title, journal (year); and where the code departs from it.
"""

from typing import final

from torch import nn

from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.windows import Frame
from stsfm.models.layers.head import Head
from stsfm.models.layers.normalise import centre


@final
class MyNet(nn.Module):
    """One hidden layer over the past of a node, shared by all nodes."""

    cite = "hyndman2021fpp3"  # a key of stsfm's references.bib, or an entry: "@article{key, …}"
    offers = Head.offers  # what a loss may ask of it beside a point forecast
    classes = frozenset({"direct"})  # of models: `stsfm list class` shows who is in each
    tags = Head.tags  # the head reads what is known ahead

    def __init__(self, frame: Frame, *, hidden: int) -> None:
        super().__init__()  # sizes come from the frame, so that no YAML repeats them
        if hidden < 1:
            raise ValueError(f"hidden must be at least 1, got {hidden}")
        self.targets = list(frame.targets)
        self.layer = nn.Linear(frame.context * frame.channels, hidden)
        self.head = Head(frame, hidden)

    def forward(self, past: Panel, future: Panel) -> Forecast:
        values, level = centre(past, "last")  # (b, t, n, c), (b, 1, n, c)
        x = values.transpose(1, 2).flatten(0, 1).flatten(1)  # (b·n, t·c)
        state = nn.functional.relu(self.layer(x))
        return self.head(state, future, level[..., self.targets])
