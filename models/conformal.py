"""Intervals for a model that has none: as wide as its errors were on rows that it had not seen.

    s_i = |y_i − ŷ_i|,  i = 1 … n        of a twin, fitted on the rows before the calibration block
    q(½ ± c/2) = ŷ ± s_(k),  k = ⌈(n + 1) c⌉        s_(k) the k-th smallest; c = 10 % … 90 %

Per step of the horizon, node and channel, in transformed units: the inverse of a log makes the
intervals asymmetric. The block is the last rows of train: an origin at every row, futures wholly
inside. The twin has the hyperparameters of the model and does nothing but be scored there; the
model itself is fitted as it would be without intervals, so no point forecast changes. Refits leave
the half-widths as they are. No future of validation or test is a score; where a model chooses on
validation, its twin chooses there, too. Nodes of which too few cells were observed take the scores
of all nodes.

P(y inside) ≥ c holds where scores are exchangeable. Those of overlapping futures are not, nor those
of a series that changes, nor of a model refitted on more rows than its twin: coverage is measured
(the column cover 80 %), it is not guaranteed.
Vovk, Gammerman & Shafer, Algorithmic Learning in a Random World (2005), §2.2, §4.2; Lei, G'Sell,
Rinaldo, Tibshirani & Wasserman, Distribution-free predictive inference for regression, JASA 113
(2018), algorithm 2.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, final

import numpy as np

from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.transform import LEVELS
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster

MASSES = np.array(LEVELS[len(LEVELS) // 2 + 1 :]) * 2 - 1  # c of the central intervals: 0.1 … 0.9
FEWEST = 9  # scores for the widest of them: ⌈(n + 1) 0.9⌉ ≤ n
SCORES = 16_000_000  # held at once; more origins than that are thinned evenly
FILE = "half_widths.npz"
CITE = "lei2018conformal"


@final
class Conformal(Forecaster):
    """A model and its half-widths, learned from a twin on the last `rows` rows of train."""

    def __init__(self, model: Forecaster, twin: Forecaster, *, rows: int, gap: int) -> None:
        self.model, self.twin = model, twin
        self.rows, self.gap = rows, gap  # `gap` rows before the block are left to neither
        self.cite, self.reads = model.cite, model.reads  # type: ignore[misc]
        self.tags = model.tags | {"intervals"}  # type: ignore[misc]
        self.half_widths_: Array | None = None  # (interval, step, node, channel)
        self.nodes_: tuple[str, ...] = ()  # whose they are
        self.made: dict[str, Any] = {"kind": "none"}

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        self.model.fit(train, val)
        self.reads = self.model.reads
        start = time.perf_counter()
        try:
            self.half_widths_, self.made = self._calibrate(train, val)
            self.nodes_ = train.panel.about.nodes
        except (ValueError, FloatingPointError) as error:  # the model stands without intervals
            self.half_widths_, self.made = None, {"kind": "none", "reason": str(error)}
        self.calibrate_seconds = time.perf_counter() - start
        return self

    def refit(self, development: RollingWindows) -> Self:
        self.model.refit(development)
        return self

    def update(self, windows: RollingWindows) -> Self:
        self.model.update(windows)
        return self

    def lacks(self, offered: frozenset[str]) -> str:
        return self.model.lacks(offered)

    def predict(self, past: Panel, future: Panel) -> Forecast:
        return self._widened(self.model.predict(past, future), past.about.nodes)

    def backtest(self, windows: RollingWindows) -> Forecast:
        return self._widened(self.model.backtest(windows), windows.panel.about.nodes)

    @property
    def cites(self) -> tuple[str, ...]:
        return self.model.cites

    def drawing(self) -> Mapping[str, Any]:
        return self.model.drawing()

    @property
    def parameters(self) -> int:
        return self.model.parameters

    def states(self, windows: RollingWindows) -> Mapping[str, Array]:
        return self.model.states(windows)

    @property
    def report(self) -> dict[str, Any] | None:
        """How the training of the model went."""
        return getattr(self.model, "report", None)

    @property
    def intervals(self) -> dict[str, Any]:
        return self.made

    def save(self, folder: Path) -> None:
        self.model.save(folder)
        if self.half_widths_ is not None:
            held = {"half_widths": self.half_widths_, "nodes": np.array(self.nodes_)}
            np.savez(folder / FILE, allow_pickle=False, **held)

    def load(self, folder: Path) -> Self:
        self.model.load(folder)
        self.reads = self.model.reads
        if (folder / FILE).exists():
            with np.load(folder / FILE, allow_pickle=False) as held:
                self.half_widths_, self.nodes_ = held["half_widths"], tuple(held["nodes"].tolist())
            self.made = {"kind": "conformal"}
        return self

    def _calibrate(
        self, train: RollingWindows, val: RollingWindows
    ) -> tuple[Array, dict[str, Any]]:
        """Half-widths, and what they were made of; ValueError where there is too little for it."""
        end, first = len(train.panel) - self.rows - self.gap, len(train.panel) - self.rows
        block = train.subset(train.origins >= first)
        if len(block) < FEWEST:
            raise ValueError(f"too few residuals: {len(block)}, {FEWEST} are needed")
        origins = train.origins[train.origins + train.horizon <= end]
        self.twin.fit(replace(train, panel=train.panel.upto(max(end, 0)), origins=origins), val)
        frame = block.frame
        most = SCORES // (frame.horizon * frame.nodes * len(frame.targets))
        block = block.subset(slice(None, None, -(-len(block) // max(most, FEWEST))))
        scores = self._scores(block)
        widths, pooled = half_widths(scores)
        of = {"rows": self.rows, "origins": len(block), "pooled_nodes": int(pooled.sum())}
        return widths, {"kind": "conformal", **of, "cite": CITE}

    def _scores(self, block: RollingWindows) -> Array:
        """|y − ŷ| (window, step, node, channel) of the twin; infinite where y was not observed."""
        scores = []
        for part in block.batches(self.twin.reads):
            future, point = part.futures(), self.twin.backtest(part).point
            if not np.isfinite(point).all():
                raise FloatingPointError("the forecasts on the calibration block are not finite")
            scores.append(np.where(future.mask, abs(future.values - point), np.inf))
        return np.concatenate(scores)

    def _widened(self, forecast: Forecast, nodes: tuple[str, ...]) -> Forecast:
        """With quantiles at LEVELS; without, where there are none for some of the nodes."""
        if self.half_widths_ is None or not set(nodes) <= set(self.nodes_):
            return forecast
        widths = self.half_widths_
        if nodes != self.nodes_:
            widths = widths[:, :, [self.nodes_.index(name) for name in nodes]]
        offsets = np.concatenate([-widths[::-1], 0 * widths[:1], widths])  # (level, h, n, c)
        quantiles = np.stack([forecast.point + offset for offset in offsets])
        return replace(forecast, quantiles=np.moveaxis(quantiles, 0, -1), levels=LEVELS)


def half_widths(scores: Array) -> tuple[Array, Array]:
    """Half-widths (interval, step, node, channel) from scores (window, step, node, channel).

    Where fewer than FEWEST of a cell's scores are finite it takes those of all nodes: the second
    answer (node,) says where. ValueError if these are too few as well.
    """
    scarce = np.isfinite(scores).sum(0) < FEWEST  # (step, node, channel)
    widths = _smallest(scores)
    if scarce.any():
        window, step, node, channel = scores.shape
        pooled = np.moveaxis(scores, 2, 1).reshape(window * node, step, 1, channel)
        count = np.isfinite(pooled).sum(0)
        if (scarce & (count < FEWEST)).any():
            raise ValueError(f"too few residuals: {count.min()}, {FEWEST} are needed")
        widths = np.where(scarce, _smallest(pooled), widths)
    return widths, scarce.any((0, 2))


def _smallest(scores: Array) -> Array:
    """The k-th smallest of the n finite scores along the first axis, k = ⌈(n + 1) c⌉."""
    count = np.isfinite(scores).sum(0)
    exact = np.round(MASSES[:, None, None, None] * (count + 1), 9)  # 0.7 · 10 is not above 7
    place = np.ceil(exact).astype(int).clip(1, len(scores)) - 1
    return np.take_along_axis(np.partition(scores, np.unique(place), axis=0), place, axis=0)
