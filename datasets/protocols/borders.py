"""What protocols share: borders, seasons of training rows, windows between borders, a Split.

    rows  0 ……… train ……… | gap | … validation … | gap | ……… test ……… end

No future crosses a border; a past may reach back over it. Whatever is fitted is fitted on
`train`, or on `development` (everything before the test border) by models that draw no numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from stsfm.datasets.panel import Array, Panel
from stsfm.datasets.season import infer_season
from stsfm.datasets.split import Split, View
from stsfm.datasets.transform import Power, Scaling, Transform
from stsfm.datasets.windows import RollingWindows

MINUTE = 60 * 10**9  # ns
SHARED = {
    "stride": 1, "gap": 0, "calibration": 0, "transform": "none", "refit": "never",
    "mask": "unobserved cells are not scored", "steps": "all steps of the horizon pooled",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """A panel, the transform that its first rows gave, and the windows cut from it."""

    panel: Panel  # data units
    fitted: Transform
    horizon: int

    @classmethod
    def of(
        cls, panel: Panel, train: int, horizon: int, *, power: Power = "none", scaling: Scaling
    ) -> Self:
        """Fit the transform to the `train` first rows."""
        fitted = Transform.fit(panel.upto(train), power=power, scaling=scaling)
        return cls(panel=panel, fitted=fitted, horizon=horizon)

    def cut(self, start: int, stop: int, stride: int = 1) -> RollingWindows:
        """Windows whose futures lie in the rows [start, stop)."""
        return self.at(np.arange(start, stop - self.horizon + 1, stride), stop)

    def at(self, origins: Array, stop: int) -> RollingWindows:
        """Windows at some origins, of the first `stop` rows."""
        return RollingWindows(
            panel=self._seen.upto(stop),
            origins=origins,
            horizon=self.horizon,
            transform=self._targets,
        )

    def split(
        self,
        rules: Mapping[str, Any],
        *,
        train: RollingWindows,
        val: RollingWindows,
        test: RollingWindows,
        development: RollingWindows | None,
        views: tuple[View, ...] = (),
        metrics: tuple[str, ...] = (),
        warned: tuple[str, ...] = (),
    ) -> Split:
        """The split; ValueError where a part is left without a window."""
        for part, windows in (("train", train), ("val", val), ("test", test)):
            if not len(windows):
                raise ValueError(
                    f"the {part} rows {rules[part]} hold no future of {self.horizon} rows; "
                    "lower protocol.horizon or move protocol.val and protocol.test"
                )
        panel = self.panel.history()  # a protocol may have put rows behind it
        return Split(
            name=rules["protocol"],
            panel=panel,
            transform=self._targets,
            prepare=self.fitted,
            train=train,
            val=_public(val),
            test=_public(test),
            development=development,
            rules={**SHARED, "rows": len(panel), "horizon": self.horizon, **rules},
            views=views,
            metrics=metrics,
            warned=warned,
        )

    @cached_property
    def _seen(self) -> Panel:
        return self.fitted.panel(self.panel)

    @cached_property
    def _targets(self) -> Transform:
        return self.fitted.only(self.panel.about.target_index)


def _public(windows: RollingWindows) -> RollingWindows:
    """The windows without what only training may see."""
    if windows.panel.privileged is None:
        return windows
    return replace(windows, panel=replace(windows.panel, privileged=None))


def border(panel: Panel, at: float | int | str) -> int:
    """The first row of a split: a fraction of the rows, a row number or a date."""
    if isinstance(at, float) and 0 < at < 1:
        return round(at * len(panel))
    if isinstance(at, int | float) and float(at).is_integer():
        return int(at)
    try:
        date = np.datetime64(str(at), "ns").astype("int64")
    except ValueError:
        raise ValueError(
            f"a border is a fraction (0.8), a date (1958-01) or a row number, got {at!r}"
        ) from None
    return int(np.searchsorted(panel.time, date))


def with_season(panel: Panel, train: int) -> Panel:
    """The panel with a season: where nobody said one, what its `train` first rows show."""
    if panel.about.season:
        return panel
    season = infer_season(panel.upto(max(0, train)))
    return replace(panel, about=replace(panel.about, season=season))


def rows_of(panel: Panel, minutes: int) -> int:
    """How many rows a time has; 0 where it is no whole number of them, or rows have no dates."""
    step, time = np.diff(panel.time), minutes * MINUTE
    even = panel.about.step and len(step) and (step == step[0]).all()
    return int(time // step[0]) if even and time % step[0] == 0 else 0
