"""The linear map that best moves a frame to the next one, by its leading modes.

    s[t+1] ≈ A s[t],    X₂ ≈ A X₁,    X₁ = U Σ Wᵀ,    Ã = Uᵀ X₂ W Σ⁻¹,    ŷ[t+h] = C U Ãʰ Uᵀ s[t]

s (delays · D) are the last rows of all D series, newest first: delays = 1 is dynamic mode
decomposition, more is its higher order kind, which sees waves in a single series. X₁, X₂ hold the
windows of train and those a row later, side by side; U are the first `rank` left singular vectors,
and C reads the newest row. The eigenvalues of Ã (rank, rank) are those of the flow, for a row.
`stable` moves those that grow onto the unit circle. There is no constant: the mean of train is 0
once transformed. rank = auto is the least error on validation, over horizons. Gaps of train are
filled by iteration (hankel.py), a gap of a past stands at the map's own forecast.
Schmid, Dynamic mode decomposition of numerical and experimental data, J. Fluid Mech. 656 (2010);
Le Clainche & Vega, Higher order dynamic mode decomposition, SIAM J. Appl. Dyn. Syst. 16 (2017).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self, final

import numpy as np

from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster
from stsfm.models.numerics.delays import delayed
from stsfm.models.numerics.gaps import means
from stsfm.models.numerics.hankel import without_gaps
from stsfm.models.numerics.recurrence import (
    Recurrence,
    bounded,
    errors,
    grouped,
    held_out,
)
from stsfm.models.numerics.signs import signs

RANKS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 20, 24, 30, 40, 50)  # where validation chooses


@final
class DMD(Forecaster):
    """Dynamic mode decomposition, of one row or of several."""

    cite = "schmid2010dmd"
    classes = frozenset({"state-space"})
    tags = frozenset({"missing"})

    def __init__(self, *, delays: int, rank: int | Literal["auto", "all"], stable: bool) -> None:
        if delays < 1:
            raise ValueError(f"delays must be at least 1, got {delays}")
        if isinstance(rank, int) and rank < 1:
            raise ValueError(f"rank must be at least 1, auto or all, got {rank}")
        self.delays = delays
        self.rank = rank
        self.stable = stable
        self.reads = 2 * delays  # half of them to fill the gaps of the others

    @property
    def cites(self) -> tuple[str, ...]:
        return (self.cite, "leclainche2017hodmd")

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        rank = self._choose(train, val) if self.rank == "auto" else self.rank
        self.rank_ = np.int64(np.iinfo(np.int64).max if rank == "all" else rank)
        return self.refit(train)

    def refit(self, development: RollingWindows) -> Self:
        series = development.panel.only_targets()
        self.mean_ = means(series)
        spectrum = self._spectrum(series)
        self.singular_ = spectrum[1]
        system = self._system(*spectrum, int(self.rank_))
        self.basis_, self.transition_ = system.inward[0].T, system.transition[0]
        return self

    def predict(self, past: Panel, future: Panel) -> Forecast:
        return self._found.forecast(past.only_targets(), future, self.mean_)

    @property
    def parameters(self) -> int:
        return int(self.basis_.size + self.transition_.size)

    def states(self, windows: RollingWindows) -> Mapping[str, Array]:
        rows = self._found.filled(windows.panel.only_targets(), self.mean_)[0, 0]  # (t, D)
        z = delayed(rows, self.delays) @ self.basis_
        steps = [z[windows.origins.clip(self.delays) - self.delays]]
        for _ in range(windows.horizon):
            steps.append(steps[-1] @ self.transition_.T)
        return {
            "z": z,
            "first_row": np.int64(self.delays - 1),
            "z_ahead": np.stack(steps[1:], 1),
            "eigenvalues": np.linalg.eigvals(self.transition_).astype(complex),
            "singular_values": self.singular_,
        }

    @property
    def _found(self) -> Recurrence:
        newest = self.basis_[None, : self.mean_.size]
        return Recurrence(self.basis_.T[None], self.transition_[None], newest)

    def _spectrum(self, series: Panel) -> tuple[Array, Array, Array, Array]:
        """U (delays D, m), σ (m,), Wᵀ (m, K) of X₁, and X₂ (delays D, K)."""
        if len(series) <= self.delays:
            raise ValueError(
                f"dmd of {self.delays} delays needs more rows to learn from than {len(series)}; "
                "lower model.delays"
            )
        rows, seen = grouped(series.values, 1)[0, 0], grouped(series.mask, 1)[0, 0]  # (t, D)
        states = delayed(without_gaps(rows, seen, self.delays), self.delays).T
        u, singular, w = np.linalg.svd(states[:, :-1], full_matrices=False)
        return u * signs(u), singular, w * signs(u)[:, None], states[:, 1:]

    def _system(self, u: Array, singular: Array, w: Array, moved: Array, rank: int) -> Recurrence:
        """The map at a rank, lowered to that of the rows themselves."""
        least = singular[0] * max(len(u), w.shape[1]) * np.finfo(float).eps
        rank = max(1, min(rank, int((singular > least).sum())))
        u, inverse = u[:, :rank], w[:rank].T / np.maximum(singular[:rank], np.finfo(float).tiny)
        transition = u.T @ (moved @ inverse)
        transition = bounded(transition) if self.stable else transition
        return Recurrence(u.T[None], transition[None], u[None, : len(u) // self.delays])

    def _choose(self, train: RollingWindows, val: RollingWindows) -> int:
        """The rank of least error on validation."""
        panel, scored = held_out(train, val)
        series = panel.only_targets()
        mean = means(series)
        spectrum = self._spectrum(series)
        most = len(spectrum[1])
        ranks = sorted({min(rank, most) for rank in RANKS})
        found = [errors(self._system(*spectrum, rank), scored, mean)[0] for rank in ranks]
        return ranks[int(np.argmin(found))]
