"""How much of each frequency a forecast has, beside the truth.

    P = mean over frequencies k ≥ 1 of (|F ŷ|_k − |F y|_k)² / s

F is the unitary Fourier transform over the steps of the horizon; phases don't count, nor does the
level, k = 0. s is the mean of |F y|_k² over training windows. A forecast that errs towards a flat
line for lack of knowledge is priced for what it lacks. Windows of a series with a gap don't count.
Like the spectral losses of Yamamoto, Song & Kim, Parallel WaveGAN, ICASSP (2020), at one resolution
and without logarithms.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor

from stsfm.datasets.windows import RollingWindows
from stsfm.losses.base import Cost, Step, Term
from stsfm.losses.structure.base import sample, step_of

WINDOWS = 1_000  # of training, at most, that the scale is learned from
TINY = 1e-12  # of a power, below which an amplitude has no gradient


@dataclass(frozen=True, kw_only=True)
class Spectral(Term):
    """Amplitudes of the forecast against those of the truth."""

    kind = "misfit"
    scale_: float = 1.0  # of training, learned by `ready`

    def ready(self, windows: RollingWindows) -> Self:
        if windows.horizon < 2:
            raise ValueError("the term spectral needs a horizon of at least 2 steps, got 1")
        rows = np.unique(np.linspace(0, len(windows) - 1, WINDOWS).astype(int))
        future = windows.subset(rows).futures()
        whole = future.mask.all(1)  # (w, n, c)
        power = abs(np.fft.rfft(future.values, axis=1, norm="ortho")[:, 1:]) ** 2
        seen = np.moveaxis(power, 1, -1)[whole]
        scale = float(seen.mean()) if seen.size else 0.0
        return replace(self, scale_=scale if scale > 0 else 1.0)

    def __call__(self, step: Step) -> Cost:
        point, future = step.forecast.point, step.future
        error = (_amplitudes(point) - _amplitudes(future.values)) ** 2 / self.scale_
        whole = future.mask.all(1, keepdim=True)
        return Cost(error, whole.expand(error.shape).to(error.dtype))

    @classmethod
    def zero_case(cls) -> Step:
        """A forecast that is the truth."""
        return step_of({}, point=sample(3, 6, 2, 1))


def _amplitudes(x: Tensor) -> Tensor:
    """(b, h, n, c) → (b, h // 2, n, c), without the level."""
    made = torch.fft.rfft(x, dim=1, norm="ortho")[:, 1:]
    return (made.real**2 + made.imag**2 + TINY).sqrt()
