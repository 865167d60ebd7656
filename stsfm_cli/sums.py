"""What a backtest adds up and what it keeps, batch by batch, so that no forecast has to stay.

Scores come from sums alone. Every window leaves its own sums and its errors one step ahead;
forecasts stay where they are few, and else those of every k-th window, so that there is something
to draw. k is a power of two: of two models of one task, the sparser sample is part of the denser.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from stsfm.datasets.panel import Forecast, Panel

LIMIT = 100 * 2**20  # bytes of forecasts and their truth that are kept
CELLS = 500_000  # of forecasts scored at once
FIRST = ("residual", "count")
BY_NODE = ("count", "absolute", "squared")  # kept per window and node; other sums per window


def pieces(forecast: Forecast) -> Iterator[slice]:
    """Runs of windows whose sums fit into memory beside each other."""
    windows = len(forecast.point)
    size = max(1, CELLS * windows // max(1, forecast.point.size))
    return (slice(first, min(first + size, windows)) for first in range(0, windows, size))


class Tally:
    """Additive sums over all windows, of each window, and of the first step of each.

    steps    sum → (step, node, channel)
    windows  sum → (window, node, channel), or (window, 1, 1) over all nodes; over steps always
    first    what is kept of the first step, whose errors alone are new: (window, node, channel)
    """

    def __init__(self) -> None:
        self.steps: dict[str, np.ndarray] = {}
        self._windows: dict[str, list[np.ndarray]] = {}
        self._first: dict[str, list[np.ndarray]] = {}

    def add(self, cells: Mapping[str, np.ndarray]) -> None:
        """What some windows bring: sums by cell (window, step, node, channel)."""
        for name, cell in cells.items():
            self.steps[name] = self.steps.get(name, 0) + cell.sum(0)
            total = cell.sum(1)
            each = total if name in BY_NODE else total.sum((1, 2), keepdims=True)
            self._windows.setdefault(name, []).append(each)
            if name in FIRST:
                self._first.setdefault(name, []).append(cell[:, 0].copy())

    @property
    def windows(self) -> dict[str, np.ndarray]:
        return {name: np.concatenate(parts) for name, parts in self._windows.items()}

    @property
    def first(self) -> dict[str, np.ndarray]:
        return {name: np.concatenate(parts) for name, parts in self._first.items()}


class Kept:
    """The forecasts and truths of every k-th of some windows, as many as LIMIT allows."""

    def __init__(self, windows: int) -> None:
        self.total, self.every = windows, 0
        self._rows: list[np.ndarray] = []
        self._parts: list[tuple[Forecast, Panel]] = []

    def add(self, first: int, forecast: Forecast, truth: Panel) -> None:
        """Some windows in a row, from the `first` on."""
        self.every = self.every or _spread(self.total, forecast)
        rows = np.arange(-first % self.every, len(forecast.point), self.every)
        if self.every > self.total or not len(rows):
            return
        if self.every > 1:  # copies: a view would hold on to all the others
            forecast = forecast.part(rows)
            truth = replace(truth, **{k: v[rows] for k, v in truth.timed()})
        self._rows.append(first + rows)
        self._parts.append((forecast, truth))

    @property
    def rows(self) -> np.ndarray:
        """Which windows were kept."""
        return np.concatenate([np.zeros(0, int), *self._rows])

    def forecast(self) -> Forecast | None:
        return Forecast.concat([made for made, _ in self._parts]) if self._parts else None

    def truth(self) -> Panel | None:
        """Of the windows that were kept, (window, time, node, target channel)."""
        if not self._parts:
            return None
        panels = [truth for _, truth in self._parts]
        names = [name for name, _ in panels[0].timed()]
        joined = {k: np.concatenate([getattr(p, k) for p in panels]) for k in names}
        return replace(panels[0], **joined)  # type: ignore[arg-type]


def _spread(windows: int, forecast: Forecast) -> int:
    """The least power of two k, such that every k-th window's forecast and truth fit into LIMIT."""
    cells = forecast.point[0].size
    size = windows * cells * (25 + 8 * len(forecast.levels))  # point, mean, truth; mask; quantiles
    every = 1
    while size > every * LIMIT:
        every *= 2
    return every
