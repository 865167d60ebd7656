"""The mean of its slot of the week, of what was seen in training: the profile of traffic.

    ŷ[t] = mean { y[s] : s in train, slot(s) = slot(t) },   slot = (weekday, time of day)

per node and channel. A slot without a value takes the mean of its time of day over all weekdays,
and where that has none the mean of the series, as do rows that are further apart than a day.
Missing cells are stepped over. Time is that of the stamps; a slot is as long as the rows are apart,
but no shorter than a minute. It reads no past: the last step is forecast as well as the first.
Li, Yu, Shahabi & Liu, Diffusion convolutional recurrent neural network, ICLR (2018), appendix E:
their historical average, with a period of a week.
"""

from __future__ import annotations

from typing import Self, final

import numpy as np

from stsfm.datasets.about import DAY
from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster
from stsfm.models.numerics.clock import slot, weekday

MINUTE = 60 * 10**9  # ns, the shortest slot


@final
class HistoricalAverage(Forecaster):
    """The weekly profile of each series."""

    cite = "li2018dcrnn"
    classes = frozenset({"direct", "nonparametric"})
    tags = frozenset({"missing"})
    reads = 1  # not even that: the stamps of the future are enough

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        panel = train.panel.only_targets()
        apart = np.diff(panel.time[panel.mask.any((1, 2))]).min(initial=7 * DAY)
        self.step_ = np.int64(max(apart, MINUTE))  # ns of a slot
        sums = np.zeros((2, 7 * self._daily, *panel.values.shape[1:]))  # of values; their count
        for total, seen in zip(sums, (panel.values, panel.mask), strict=True):
            np.add.at(total, self._slots(panel.time), seen)
        days = sums.reshape(2, 7, self._daily, *sums.shape[2:]).sum(1)
        for wider in (np.tile(days, (1, 7, 1, 1)), days.sum(1, keepdims=True)):
            sums = np.where(sums[1] > 0, sums, wider)
        self.profile_ = sums[0] / np.maximum(sums[1], 1)  # (slot of the week, node, channel)
        return self

    def predict(self, past: Panel, future: Panel) -> Forecast:
        return Forecast(point=self.profile_[self._slots(future.time)])

    def backtest(self, windows: RollingWindows) -> Forecast:
        return self.predict(windows.panel, windows.futures())

    @property
    def _daily(self) -> int:
        """Slots of a day; 1 where rows are a day apart, or more."""
        return -(-DAY // min(int(self.step_), DAY))

    def _slots(self, time: Array) -> Array:
        """The slot of the week of every stamp, from Monday's first."""
        if self.step_ > DAY:
            return 0 * time
        return weekday(time) * self._daily + slot(time, self._daily)
