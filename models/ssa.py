"""The windows of a series lie near a few directions, and so must those that end in its future.

    s[t] ≈ V Vᵀ s[t],    ŷ[t+1] = (I − Π Πᵀ)⁻¹ Π Uᵀ (y[t], …, y[t−W+2])
    k = 1:  ŷ[t+1] = Rᵀ (y[t], …, y[t−W+2]),    R = Σᵢ πᵢ Uᵢ / (1 − ν²),   ν² = Σᵢ πᵢ²

s (W k) are the last W rows, newest first, V (W k, rank) the first right singular vectors of all
such windows of train; Π is their newest block and U the others. Each series has its own V, or
`joint` stacks all (multichannel SSA). A series of rank r, such as r/2 waves, is continued exactly,
by rank = r. `stable` moves growing roots onto the unit circle, for ν² near 1 makes them grow;
ν² = 1 is refused. rank = auto is, for each series, the least error on validation, over horizons.
window = auto is two seasons, 24 rows at least, and no more than a third of train. Gaps of train are
filled by iteration, those of a past by the recurrence. Golyandina, Nekrutkin & Zhigljavsky,
Analysis of Time Series Structure: SSA and Related Techniques (2001), §2.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self, final

import numpy as np

from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster
from stsfm.models.numerics.delays import delayed
from stsfm.models.numerics.gaps import means
from stsfm.models.numerics.hankel import components, directions, recurrence, without_gaps
from stsfm.models.numerics.recurrence import (
    Recurrence,
    bounded,
    companion,
    errors,
    grouped,
    held_out,
)

RANKS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 20, 24, 30, 40)  # where validation chooses
SHORTEST = 24  # rows of an automatic window


@final
class SSA(Forecaster):
    """Singular spectrum analysis, continued by its recurrence."""

    cite = "golyandina2001"
    classes = frozenset({"state-space"})
    tags = frozenset({"missing"})

    def __init__(
        self,
        *,
        window: int | Literal["auto"],
        rank: int | Literal["auto"],
        joint: bool,
        stable: bool,
    ) -> None:
        if window != "auto" and window < 2:
            raise ValueError(f"window must be at least 2 or auto, got {window}")
        if rank != "auto" and rank < 1:
            raise ValueError(f"rank must be at least 1 or auto, got {rank}")
        self.window = window
        self.rank = rank
        self.joint = joint
        self.stable = stable

    @property
    def cites(self) -> tuple[str, ...]:
        return (self.cite, "broomhead1986")

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        series = train.panel.only_targets()
        self.window_ = np.int64(self._window(len(series), series.about.season))
        groups = 1 if self.joint else series.values[0].size
        self.rank_ = np.full(groups, 1 if self.rank == "auto" else self.rank)
        if self.rank == "auto":
            self.rank_ = self._choose(train, val)
        return self.refit(train)

    def refit(self, development: RollingWindows) -> Self:
        self.mean_, bases, self.singular_ = self._spectra(development.panel)
        steps = self._steps(bases, self.rank_)
        if not np.isfinite(steps).all():
            raise ValueError(
                f"ssa of rank {self.rank_.max()} with a window of {self.window_} rows has nothing "
                "to continue by (ν² = 1); lower model.rank"
            )
        self.transition_ = steps
        kept = np.arange(bases.shape[-1]) < self.rank_[:, None]
        self.basis_ = (bases * kept[:, None])[..., : int(self.rank_.max())]  # (g, W k, rank)
        self.reads = 2 * (int(self.window_) - 1)  # half of them to fill the gaps of the others
        return self

    def predict(self, past: Panel, future: Panel) -> Forecast:
        return self._system(self.transition_).forecast(past.only_targets(), future, self.mean_)

    def load(self, folder: Path) -> Self:
        super().load(folder)
        self.reads = 2 * (int(self.window_) - 1)
        return self

    @property
    def parameters(self) -> int:
        return int(self.basis_.shape[1] * self.rank_.sum())

    def states(self, windows: RollingWindows) -> Mapping[str, Array]:
        """Of the first series, or of all where they are joint."""
        window, basis = int(self.window_), self.basis_[0][:, : int(self.rank_[0])]
        rows = self._system(self.transition_).filled(windows.panel.only_targets(), self.mean_)[
            0, 0
        ]  # (t, k)
        parts = components(rows, basis)[..., 0]
        made = grouped(self.backtest(windows).point, len(self.rank_))[0]
        before = windows.origins[:, None] - np.arange(window - 1, 0, -1)
        both = np.concatenate([rows[before.clip(0)], made], 1)
        return {
            "z": delayed(rows, window) @ basis,
            "first_row": np.int64(window - 1),
            "z_ahead": delayed(both, window) @ basis,
            "eigenvalues": np.linalg.eigvals(self.transition_[0]).astype(complex),
            "singular_values": self.singular_[0],
            "components": np.concatenate([parts, rows[None, :, 0] - parts.sum(0, keepdims=True)]),
        }

    # ---- what is learned -------------------------------------------------------------------------

    def _system(self, transition: Array) -> Recurrence:
        size = transition.shape[-1]
        inward = np.broadcast_to(np.eye(size), transition.shape)
        return Recurrence(inward, transition, inward[:, : size // (int(self.window_) - 1)])

    def _window(self, rows: int, season: int) -> int:
        most = rows // 3
        if self.window == "auto":
            return max(2, min(most, max(2 * season, SHORTEST)))
        if self.window > rows // 2:
            raise ValueError(
                f"a window of {self.window} rows needs {2 * self.window} rows to learn from, got "
                f"{rows}; lower model.window"
            )
        return self.window

    def _spectra(self, panel: Panel) -> tuple[Array, Array, Array]:
        """Means (n, c), directions (g, W k, m) and singular values (g, m) of every group."""
        series, window = panel.only_targets(), int(self.window_)
        mean = means(series)
        rows = grouped(series.values, len(self.rank_))[:, 0]
        seen = grouped(series.mask, len(self.rank_))[:, 0]
        whole = [without_gaps(y, known, window) for y, known in zip(rows, seen, strict=True)]
        bases, singular = zip(*(directions(y, window) for y in whole), strict=True)
        return mean, np.stack(bases), np.stack(singular)

    def _steps(self, bases: Array, ranks: Array) -> Array:
        """F (g, m, m) of directions (g, W k, m) at ranks (g,); NaN where there is none."""
        series = bases.shape[1] // int(self.window_)
        size = bases.shape[1] - series
        found = np.full((len(bases), size, size), np.nan)
        for g, (basis, rank) in enumerate(zip(bases, ranks, strict=True)):
            step = recurrence(basis[:, :rank], series)
            if step is not None:
                found[g] = bounded(companion(step)) if self.stable else companion(step)
        return found

    def _choose(self, train: RollingWindows, val: RollingWindows) -> Array:
        """Of each group the rank of least error on validation, (g,)."""
        learned, scored = held_out(train, val)
        mean, bases, _ = self._spectra(learned)
        ranks = [rank for rank in RANKS if rank <= bases.shape[-1] // 2] or [1]
        found = []
        for rank in ranks:
            steps = self._steps(bases, np.full(len(bases), rank))
            none = ~np.isfinite(steps).all((1, 2))
            off = errors(self._system(np.nan_to_num(steps)), scored, mean)
            found.append(np.where(none, np.inf, off))
        return np.array(ranks)[np.argmin(found, 0)]
