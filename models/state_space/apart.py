"""A state space for each node and target channel, all of the same parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from stsfm.datasets.panel import Array, Forecast, Panel, Space
from stsfm.datasets.windows import RollingWindows
from stsfm.models.learned import Learned
from stsfm.models.state_space.space import StateSpace


class Apart(Learned):
    """Copies of one state space, each of a series; the channels that are no targets have none."""

    reads: int | None = None

    def __init__(self, space: StateSpace) -> None:
        self.space = space
        self.each: list[StateSpace] = []

    def learn(self, train: RollingWindows, val: RollingWindows | None) -> Self:
        again = val is None and bool(self.each)
        series = list(_series(train.panel))
        if not again:
            self._divide(len(series))
        for space, at in zip(self.each, series, strict=True):
            space.learn(_windows(train, at), None if val is None else _windows(val, at))
        self._look_back()
        return self

    def update(self, windows: RollingWindows) -> None:
        for space, at in zip(self.each, _series(windows.panel), strict=True):
            space.update(_windows(windows, at))

    def predict(self, past: Panel, future: Panel) -> Forecast:
        past = past.only_targets()
        made = [
            space.predict(_cut(past[-(space.reads or 0) :], at), _cut(future, at))
            for space, at in zip(self.each, _series(past), strict=True)
        ]
        return _beside(made, future.values.shape)

    def backtest(self, windows: RollingWindows) -> Forecast:
        made = [
            space.backtest(_windows(windows, at))
            for space, at in zip(self.each, _series(windows.panel), strict=True)
        ]
        nodes, channels = windows.panel.nodes, len(windows.panel.about.targets)
        return _beside(made, (len(windows), windows.horizon, nodes, channels))

    def states(self, windows: RollingWindows) -> Mapping[str, Array]:
        """Of the first series: one is enough to look at."""
        return self.each[0].states(_windows(windows, next(_series(windows.panel))))

    @property
    def report(self) -> Mapping[str, Any]:
        return self.each[0].report if self.each else {}

    @property
    def parameters(self) -> int:
        return sum(space.parameters for space in self.each)

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / "learned.npz", allow_pickle=False, series=len(self.each))
        for k, space in enumerate(self.each):
            space.save(folder / f"series_{k}")

    def load(self, folder: Path) -> Self:
        with np.load(folder / "learned.npz", allow_pickle=False) as learned:
            self._divide(int(learned["series"]))
        for k, space in enumerate(self.each):
            space.load(folder / f"series_{k}")
        self._look_back()
        return self

    def _divide(self, many: int) -> None:
        self.each = [self.space.twin(f"{k + 1}/{many}") for k in range(many)]

    def _look_back(self) -> None:
        rows = [space.reads for space in self.each]
        self.reads = None if None in rows else max(row for row in rows if row is not None)


At = tuple[slice, slice]  # node and channel


def _series(panel: Panel) -> Iterator[At]:
    """Of each node each target channel."""
    for n in range(panel.nodes):
        for c in range(len(panel.about.targets)):
            yield slice(n, n + 1), slice(c, c + 1)


def _cut(panel: Panel, at: At) -> Panel:
    """A series alone, with the covariates of its node."""
    panel, (node, channel) = panel.only_targets(), at
    about = replace(
        panel.about,
        nodes=panel.about.nodes[node],
        channels=panel.about.channels[channel],
        targets=panel.about.targets[channel],
        units=panel.about.units[channel],
        static={},
    )
    known = panel.known if panel.known.shape[-2] == 1 else panel.known[..., node, :]
    return replace(
        panel,
        values=panel.values[..., node, channel],
        mask=panel.mask[..., node, channel],
        known=known,
        privileged=None,
        about=about,
        space=Space(),
    )


def _windows(windows: RollingWindows, at: At) -> RollingWindows:
    return replace(windows, panel=_cut(windows.panel, at), transform=windows.transform.at(*at))


def _beside(made: list[Forecast], shape: tuple[int, ...]) -> Forecast:
    """Forecasts of series, (*b, h, 1, 1) each, as one of `shape` (*b, h, n, c)."""
    points = np.stack([forecast.point[..., 0, 0] for forecast in made], -1)
    return Forecast(point=points.reshape(shape))
