"""What was forecast, turned, moved and stretched to lie on what came.

    A_h z = m_y + s_h (z − m_x) Q_h,    min_{Q, s} Σ |y − m_y − s (z − m_x) Q|²,  QᵀQ = I

Q = U Vᵀ of the singular value decomposition ZᵀY = U S Vᵀ, s = tr S / |Z|², over forecasts Z of
training windows and what came, Y, both centred; one map for each step h of the horizon. Shapes stay
what they are, but for their size. Schönemann, A generalized solution of the orthogonal Procrustes
problem, Psychometrika 31 (1966).
"""

from __future__ import annotations

from typing import Self, final

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.models.parts import Align


@final
class Procrustes(Align):
    """Orthogonal alignment of forecasts and what came."""

    cite = "schonemann1966"
    needs = frozenset({"pairs"})

    def __init__(self, *, scale: bool) -> None:
        self.scale = scale

    def fit(self, made: Array, came: Array) -> Self:
        if not len(made):
            raise ValueError("there are no training windows to align by")
        self.made_, self.came_ = made.mean(0), came.mean(0)  # (h, d)
        z, y = (np.moveaxis(x - x.mean(0), 1, 0) for x in (made, came))  # (h, w, d)
        left, sizes, right = np.linalg.svd(z.swapaxes(1, 2) @ y)
        spread = (z**2).sum((1, 2))
        stretch = sizes.sum(1) / np.where(spread > 0, spread, 1) if self.scale else np.ones(len(z))
        self.maps_ = stretch[:, None, None] * (left @ right)  # (h, d, d)
        return self

    def align(self, states: Array) -> Array:
        turned = np.einsum("...hd,hde->...he", states - self.made_, self.maps_)
        return turned + self.came_
