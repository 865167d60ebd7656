"""The curved surface on which a flow settles, and the polynomial flow on it.

    s[t] = (x[t], …, x[t−p+1]),    z = Vᵀ (s − m),    x ≈ Π(z),    z[t+1] = R(z[t])

The slowest modes of a decaying flow span, at its equilibrium, a plane, and beyond it the spectral
submanifold that is tangent to the plane, to which all else decays. s (p D) are the last frames, V
(p D, dim) the first right singular vectors of train, its tangent space; Π, the surface, and R, the
flow for a row, are polynomials of up to `order` and `flow`, by ridge regression with all terms, a
constant too: m is the mean of train, not the equilibrium. z is scaled by the largest |z| of train,
and kept within it, for polynomials blow up outside of what they were fitted to. Fit it on rows from
which transients have gone. Gaps of train are filled by iteration (hankel.py), those of a past by
the last value. delays = auto is a season of at most 24 rows, or 2 dim + 1.
Haller & Ponsioen, Nonlinear normal modes and spectral submanifolds, Nonlinear Dyn. 86 (2016);
Cenedese et al., Data-driven modeling and prediction of non-linearizable dynamics via spectral
submanifolds, Nat. Commun. 13 (2022), which we follow without their normal form, and with a map for
a row in place of a vector field.
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
from stsfm.models.numerics.gaps import carried, means
from stsfm.models.numerics.hankel import without_gaps
from stsfm.models.numerics.polynomials import Polynomial, powers
from stsfm.models.numerics.recurrence import grouped

LONGEST = 24  # the longest season that automatic delays cover


@final
class SpectralSubmanifold(Forecaster):
    """A polynomial manifold of delayed frames and its polynomial flow."""

    cite = "haller2016ssm"
    classes = frozenset({"physics", "state-space"})
    tags = frozenset({"missing"})

    def __init__(
        self, *, dim: int, delays: int | Literal["auto"], order: int, flow: int, ridge: float
    ) -> None:
        for name, value in (("dim", dim), ("order", order), ("flow", flow)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if delays != "auto" and delays < 1:
            raise ValueError(f"delays must be at least 1 or auto, got {delays}")
        if ridge < 0:
            raise ValueError(f"ridge must be at least 0, got {ridge}")
        self.dim = dim
        self.delays = delays
        self.order = order
        self.flow = flow
        self.ridge = ridge

    @property
    def cites(self) -> tuple[str, ...]:
        return (self.cite, "cenedese2022ssmlearn")

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        series = train.panel.only_targets()
        delays = self.delays
        if delays == "auto":
            season = series.about.season
            delays = season if 2 * self.dim < season <= LONGEST else 2 * self.dim + 1
        most = delays * series.values[0].size
        if self.dim > most or len(series) < delays + 2:
            raise ValueError(
                f"dim {self.dim} of {delays} delays wants {delays + 2} rows of {self.dim} numbers, "
                f"got {len(series)} of {most}; lower model.dim or model.delays"
            )
        self.delays_ = np.int64(delays)
        self._look_back()
        self.level_ = means(series).reshape(-1)  # where nothing was observed yet, (D,)
        rows, seen = grouped(series.values, 1)[0, 0], grouped(series.mask, 1)[0, 0]  # (t, D)
        states = delayed(without_gaps(rows, seen, delays), delays)  # (t, p D)
        self.mean_ = states.mean(0)
        self.singular_, right = np.linalg.svd(states - self.mean_, full_matrices=False)[1:]
        z = (states - self.mean_) @ right[: self.dim].T
        reach = abs(z).max(0)
        self.basis_ = right[: self.dim].T / np.where(reach > 0, reach, 1.0)  # V over |z| of train
        z = (states - self.mean_) @ self.basis_
        newest = states[:, : rows.shape[1]]
        self.surface_ = Polynomial.of(z, newest, self.order, self.ridge).weights  # Π
        self.flow_ = Polynomial.of(z[:-1], z[1:], self.flow, self.ridge).weights  # R
        return self

    def predict(self, past: Panel, future: Panel) -> Forecast:
        rows = carried(past.only_targets(), self.level_)  # (*b, t, D)
        newest = delayed(rows[..., -int(self.delays_) :, :], int(self.delays_))
        newest = newest.reshape(-1, newest.shape[-1])  # (b, p D)
        surface = Polynomial(powers(self.dim, self.order), self.surface_)
        made = surface(self._ahead((newest - self.mean_) @ self.basis_, len(future)))
        return Forecast(point=made.reshape(future.values.shape))

    def load(self, folder: Path) -> Self:
        super().load(folder)
        self._look_back()
        return self

    @property
    def parameters(self) -> int:
        return int(self.basis_.size + self.surface_.size + self.flow_.size)

    def states(self, windows: RollingWindows) -> Mapping[str, Array]:
        delays = int(self.delays_)
        rows = carried(windows.panel.only_targets(), self.level_)
        z = (delayed(rows, delays) - self.mean_) @ self.basis_
        flow = Polynomial(powers(self.dim, self.flow), self.flow_)
        seen = {
            "z": z,
            "first_row": np.int64(delays - 1),
            "z_ahead": self._ahead(z[windows.origins.clip(delays) - delays], windows.horizon),
            "singular_values": self.singular_,
        }
        if (rest := flow.equilibrium()) is not None:
            seen["eigenvalues"] = np.linalg.eigvals(flow.slope(rest)).astype(complex)
        return seen

    def _ahead(self, z: Array, horizon: int) -> Array:
        """(b, d) → (b, horizon, d), within what train has seen."""
        flow, found = Polynomial(powers(self.dim, self.flow), self.flow_), []
        for _ in range(horizon):
            z = flow(z.clip(-1, 1)).clip(-1, 1)
            found.append(z)
        return np.stack(found, 1)

    def _look_back(self) -> None:
        self.reads = int(self.delays_)
