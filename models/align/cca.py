"""What came, regressed on the directions of what was forecast that correlate with it most.

    A_h z = m_y + B_hᵀ W_hᵀ (z − m_x)      W_h (d, k) canonical directions, B_h (k, d) least squares

One map for each step h of the horizon, learned from forecasts of training windows beside what came
(numerics/canonical.py); at full rank without ridge it is least squares of all that came on all that
was forecast. Hotelling, Relations between two sets of variates, Biometrika 28 (1936); Izenman,
Reduced-rank regression for the multivariate linear model, Journal of Multivariate Analysis 5
(1975).
"""

from __future__ import annotations

from typing import Literal, Self, final

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.models.numerics.canonical import Canonical
from stsfm.models.parts import Align

LEAST = 3  # windows, for a variance and a slope


@final
class CCA(Align):
    """Canonical correlation of forecasts and what came."""

    cite = "hotelling1936"
    needs = frozenset({"pairs"})

    def __init__(self, *, dim: int | Literal["all"], ridge: float) -> None:
        if (dim != "all" and dim < 1) or ridge < 0:
            raise ValueError(
                f"wanted dim of at least 1 or all and ridge of at least 0, got {dim} and {ridge}"
            )
        self.dim, self.ridge = dim, ridge

    def fit(self, made: Array, came: Array) -> Self:
        if len(made) < LEAST:
            raise ValueError(f"{len(made)} training windows are too few to align by")
        size = made.shape[-1]
        dim = size if self.dim == "all" else min(self.dim, size)
        self.made_, self.came_ = made.mean(0), came.mean(0)  # (h, d)
        self.maps_ = np.stack(
            [self._map(made[:, h], came[:, h], dim) for h in range(made.shape[1])]
        )
        return self

    def align(self, states: Array) -> Array:
        turned = np.einsum("...hd,hde->...he", states - self.made_, self.maps_)
        return turned + self.came_

    def _map(self, made: Array, came: Array, dim: int) -> Array:
        """(d, d) of one step."""
        found = Canonical.of(made, came, dim=dim, ridge=self.ridge)
        scores = (made - found.mean_x) @ found.x
        return found.x @ np.linalg.lstsq(scores, came - came.mean(0), rcond=None)[0]
