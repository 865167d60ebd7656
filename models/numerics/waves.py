"""What a stamp says of the day: waves of the time of day, on weekends others than on workdays.

    c(t) = [w, r, r w],    w = √2 [sin 2πkd, cos 2πkd], k = 1 … harmonics,    r = 1 on a weekend

d is the share of the day that has passed. Only what training shows is told apart: the day where its
rows hold two of them, weekends where they hold a day of both kinds.
"""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from stsfm.datasets.about import DAY
from stsfm.datasets.panel import Array
from stsfm.datasets.windows import RollingWindows
from stsfm.models.numerics.clock import weekday

SATURDAY = 5


class Waves(NamedTuple):
    """How finely a day is told apart."""

    harmonics: int
    weekends: int  # 1 where they have waves of their own

    @classmethod
    def of(cls, windows: RollingWindows, harmonics: int) -> Self:
        """With up to so many harmonics, where the panel of the windows holds enough days."""
        step, rows = windows.frame.step, len(windows.panel)
        day = DAY // step if step else 0  # rows
        if not harmonics or day < 3 or rows < 2 * day:
            return cls(0, 0)
        resting = int((weekday(windows.panel.time) >= SATURDAY).sum())
        return cls(min(harmonics, (day - 1) // 2), int(min(resting, rows - resting) >= day))

    def at(self, time: Array) -> Array:
        """c at stamps (…), (…, feature); the slowest waves come first."""
        angle = 2 * np.pi * (time % DAY / DAY)[..., None] * np.arange(1, self.harmonics + 1)
        waves = np.stack([np.sin(angle), np.cos(angle)], -1).reshape(*time.shape, -1) * 2**0.5
        if not self.weekends:
            return waves
        resting = (weekday(time) >= SATURDAY)[..., None]
        return np.concatenate([waves, resting, resting * waves], -1)
