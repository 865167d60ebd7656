"""A line and a few waves through the last rows, drawn on.

    ŷ[t+h] = c + d h + Σⱼ aⱼ cos 2πfⱼh + bⱼ sin 2πfⱼh                             per node, channel

The frequencies f (harmonics) are fitted on train (numerics/harmonics.py): true waves are continued
exactly, however long, where the bins of a transform would leak. c, d, a and b are least squares on
what was observed of the last `context` rows, so that a forecast is a linear map of a window.
A frequency below a cycle in `context` rows is left to the line. harmonics = auto is, for each
series, the least error on validation, of at most eight and an eighth of the context.
Bloomfield, Fourier Analysis of Time Series: An Introduction, 2nd ed. (2000), §3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self, final

import numpy as np

from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster
from stsfm.models.numerics.harmonics import columns, waves
from stsfm.models.numerics.recurrence import held_out

MOST = 8  # waves
CELLS = 4_000_000  # of the maps held at once
LEAST = 1e-9  # of the largest singular value of a window's columns, below which none counts


@final
class Fourier(Forecaster):
    """Fitted harmonics and a trend."""

    cite = "bloomfield2000"
    classes = frozenset({"direct"})
    tags = frozenset({"missing"})

    def __init__(
        self, *, context: int, harmonics: int | Literal["auto"], trend: Literal["level", "line"]
    ) -> None:
        if context < 8:
            raise ValueError(f"context must be at least 8 rows, got {context}")
        if harmonics != "auto" and not 0 <= harmonics <= context // 4:
            raise ValueError(
                f"harmonics must be auto or 0 … {context // 4}, a quarter of context, got "
                f"{harmonics}"
            )
        self.context = context
        self.harmonics = harmonics
        self.trend = trend
        self.reads = context

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        if self.harmonics == "auto":
            self.harmonics_ = self._choose(train, val)
        else:
            self.harmonics_ = np.full(train.panel.only_targets().values.shape[1:], self.harmonics)
        return self.refit(train)

    def refit(self, development: RollingWindows) -> Self:
        found = self._waves(development.panel, int(self.harmonics_.max()))
        self.frequencies_ = np.zeros((*self.harmonics_.shape, int(self.harmonics_.max())))
        for at in np.ndindex(*self.harmonics_.shape):
            many = int(self.harmonics_[at])
            self.frequencies_[at][:many] = found[at][many]
        return self

    def predict(self, past: Panel, future: Panel) -> Forecast:
        made = self._continue(past.only_targets(), len(future), self._found())
        return Forecast(point=made.reshape(future.values.shape))

    @property
    def parameters(self) -> int:
        return int(self.harmonics_.sum())

    def states(self, windows: RollingWindows) -> Mapping[str, Array]:
        """Of the first series: its line, its waves and what is left, by least squares."""
        series, (first, *_) = windows.panel.only_targets(), self._found().values()
        seen, many = series.mask[:, 0, 0], len(first)
        basis = columns(np.arange(float(len(series))), first, line=self._line, unit=len(series))
        y = series.values[:, 0, 0]
        parts = (basis * np.linalg.lstsq(basis[seen], y[seen], rcond=LEAST)[0]).T
        level, cosines, sines = np.split(parts, [len(parts) - 2 * many, len(parts) - many])
        both = np.concatenate([level.sum(0, keepdims=True), cosines + sines])
        turn = np.exp(2j * np.pi * first)
        return {
            "components": np.concatenate([both, np.where(seen, y - both.sum(0), 0.0)[None]]),
            "eigenvalues": np.concatenate([np.ones(1 + self._line), turn, turn.conj()]),
        }

    @property
    def _line(self) -> bool:
        return self.trend == "line"

    def _found(self) -> dict[tuple[int, ...], Array]:
        """The frequencies of every series."""
        every = np.ndindex(*self.harmonics_.shape)
        return {at: self.frequencies_[at][: int(self.harmonics_[at])] for at in every}

    def _waves(self, panel: Panel, most: int) -> dict[tuple[int, ...], list[Array]]:
        """Of every series the frequencies of 0, 1 … `most` waves."""
        series, found = panel.only_targets(), {}
        for at in np.ndindex(*series.values.shape[1:]):
            y, seen = series.values[:, *at], series.mask[:, *at]
            found[at] = waves(y, seen, most, 1 / self.context, line=self._line)
        return found

    def _choose(self, train: RollingWindows, val: RollingWindows) -> Array:
        """How many waves of each series have the least error on validation, (n, c)."""
        learned, scored = held_out(train, val)
        most = min(MOST, self.context // 8)
        found, shape = self._waves(learned, most), learned.only_targets().values.shape[1:]
        total = np.zeros((most + 1, *shape))
        for part in scored.batches(self.context):
            past, future = part.look_back(self.context).take(slice(None))
            for many in range(most + 1):
                waves = {at: levels[many] for at, levels in found.items()}
                made = self._continue(past.only_targets(), scored.horizon, waves)
                total[many] += ((made - future.values) ** 2 * future.mask).sum((0, 1))
        return total.argmin(0)

    def _continue(self, past: Panel, horizon: int, found: Mapping[tuple[int, ...], Array]) -> Array:
        """Pasts (*b, t, n, c) by frequencies of every series → (b, h, n, c)."""
        values, mask = (x.reshape(-1, *x.shape[-3:]) for x in (past.values, past.mask))
        time = np.arange(-values.shape[1], horizon, dtype=float)  # the origin is 0
        made = np.empty((len(values), horizon, *values.shape[-2:]))
        for (n, c), frequencies in found.items():
            basis = columns(time, frequencies, line=self._line, unit=self.context)
            before, after = basis[:-horizon], basis[-horizon:]
            kinds, kind = np.unique(mask[:, :, n, c], axis=0, return_inverse=True)
            size = max(1, CELLS // basis.size)
            parts = [kinds[i : i + size, :, None] * before for i in range(0, len(kinds), size)]
            maps = np.concatenate([after @ np.linalg.pinv(x, rcond=LEAST) for x in parts])
            y, kind = values[:, :, n, c], kind.reshape(-1)
            if len(kinds) == 1:
                made[..., n, c] = y @ maps[0].T
            else:
                made[..., n, c] = (maps[kind] @ y[..., None])[..., 0]
        return made
