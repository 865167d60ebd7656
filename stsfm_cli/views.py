"""The scores of parts of what is forecast: an hour ahead has those of its quarters, or of a step.

A view adds up while a backtest goes on, over its own steps and windows: one sum per node and
channel, whatever there is to be scored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from stsfm.datasets.split import View
from stsfm.losses.metrics import Metric


class Views:
    """The sums of some views, (node, channel) each."""

    def __init__(self, views: Sequence[View]) -> None:
        self.views, self.seen = views, 0  # windows so far
        self.sums: dict[str, dict[str, np.ndarray]] = {view.name: {} for view in views}

    def add(self, cells: Mapping[str, np.ndarray]) -> None:
        """Add sums (window, step, node, channel) of the windows that come next."""
        for view in self.views:
            until = None if view.windows is None else max(0, view.windows - self.seen)
            held = self.sums[view.name]
            for name, each in cells.items():
                held[name] = held.get(name, 0) + each[:until, slice(*view.steps)].sum((0, 1))
        self.seen += len(cells["count"])

    def of(self, metric: Metric) -> dict[str, float | None]:
        """View → score."""
        return {name: metric(held) for name, held in self.sums.items()}
