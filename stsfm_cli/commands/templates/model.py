"""Say in one sentence what the model does.

    ŷ[t+h] = (1 − w) y[t] + w m          m (node, channel): the mean of train,  w: `share`

Reference: authors, title, journal (year); and where the code departs from it.
"""

from __future__ import annotations

from typing import Self, final

import numpy as np

from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster


@final
class MyModel(Forecaster):
    """Repeat the last value, drawn towards the mean of what was learned from."""

    cite = "hyndman2021fpp3"  # a key of stsfm's references.bib, or an entry: "@article{key, …}"
    classes = frozenset({"direct"})  # of models: `stsfm list class` shows who is in each
    tags = frozenset()  # missing = gaps may be in its past; intervals = gives scale or quantiles
    reads = 1  # rows of past that predict sees; None = all of them

    def __init__(self, *, share: float) -> None:
        if not 0 <= share <= 1:
            raise ValueError(f"share must be from 0 to 1, got {share}")
        self.share = share

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        # (window, time, node, channel); `train.panel` has rows beyond those of train
        future = train.futures()
        # the name of what is learned ends with an underscore: by that it is saved and loaded
        self.mean_ = future.values.mean((0, 1), where=future.mask)  # (node, channel)
        return self

    def predict(self, past: Panel, future: Panel) -> Forecast:
        last = past.only_targets().values[..., -1:, :, :]  # (*batch, 1, node, channel)
        point = last + self.share * (self.mean_ - last)
        return Forecast(point=np.repeat(point, len(future), axis=-3))
