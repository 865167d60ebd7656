"""Bends of Prophet's trend: the rows where its slope changes by more than a threshold.

    g(t) = (k + a(t)ᵀ δ) t + m + a(t)ᵀ γ,    δⱼ ~ Laplace(0, τ)    a change where |δⱼ| > threshold

in units of the series' greatest size over its whole length, as Prophet scales both. Candidates lie
evenly over the rows; the prior makes most of their δ small, none of them zero, hence a threshold.
Of candidates side by side that pass it, those of one sign are one bend, which lies at the largest.
It sees a trend and seasons: a jump is to it two bends, or none. There are no intervals, and no
chance is computed: the threshold is a habit (0.01 is that of Prophet's own plots), and no test.
Taylor & Letham, Forecasting at scale, The American Statistician 72 (2018).
"""

from __future__ import annotations

from typing import Literal, final

import numpy as np

from stsfm.datasets.panel import Array, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.analyser import series_of
from stsfm.models.prophet import Prophet
from stsfm.models.segmenter import Change, Segmentation, Segmenter, Track


@final
class ProphetDeltas(Segmenter):
    """Bends of the trend that Prophet fits, above a threshold."""

    cite = "taylor2018prophet"

    def __init__(
        self,
        *,
        candidates: int,
        candidate_range: float,
        scale: float,
        threshold: float,
        seasonality: Literal["additive", "multiplicative"],
        seasonality_scale: float,
    ) -> None:
        if candidates < 1 or not 0 < candidate_range <= 1 or scale <= 0 or threshold < 0:
            raise ValueError(
                "wanted candidates of 1 or more, a candidate_range in (0, 1], a scale above 0 and "
                f"a threshold of 0 or more; got {candidates}, {candidate_range}, {scale} and "
                f"{threshold}"
            )
        self.threshold = threshold
        self.prophet = Prophet(
            changepoints=candidates,
            changepoint_range=candidate_range,
            changepoint_scale=scale,
            seasonality=seasonality,
            seasonality_scale=seasonality_scale,
        )

    def segment(self, panel: Panel) -> Segmentation:
        panel = panel.only_targets()
        _, names, _, gaps = series_of(panel, len(panel))
        whole = RollingWindows(panel=panel, origins=np.array([1]), horizon=1)
        self.prophet.fit(whole, whole.subset(slice(0, 0)))
        at = enumerate(np.ndindex(panel.nodes, panel.channels))
        tracks = tuple(self._track(panel, n, c, s, names[s]) for s, (n, c) in at)
        return Segmentation(
            names=names,
            tracks=tracks,
            level=0.9,
            said=tuple(map(_said, tracks)),
            noted=(
                f"A bend is a change of slope above {self.threshold:g} of the series' size over "
                "its length: no test, and no intervals are known. Jumps are not looked for.",
                *([gaps] if gaps else []),
            ),
        )

    def _track(self, panel: Panel, n: int, c: int, s: int, name: str) -> Track:
        stamps, delta = self.prophet.bends(n, c)
        rows = np.searchsorted(panel.time, stamps)
        found = _bends(rows, delta, self.threshold)
        trend = self.prophet.trend(panel, n, c)[:, None]
        seen = np.where(panel.mask[:, n, c], panel.values[:, n, c], trend[:, 0])[:, None]
        largest = float(abs(delta).max()) if len(delta) else 0.0
        return Track(
            name=name,
            series=(s,),
            changes=tuple(Change(row, row, row) for row in found),
            signal=seen,
            fitted=trend,
            facts={"threshold": self.threshold, "candidates": len(delta), "largest": largest},
        )


def _bends(rows: Array, delta: Array, threshold: float) -> list[int]:
    """Rows of the largest of each run of neighbours above the threshold, of one sign."""
    found: list[int] = []
    last: tuple[int, float] | None = None  # where in `delta`, and its value
    for k, change in enumerate(delta):
        if abs(change) <= threshold or rows[k] == 0:
            last = None
            continue
        joins = last is not None and change * last[1] > 0
        if not joins:
            found.append(int(rows[k]))
            last = (k, float(change))
        elif last is not None and abs(change) > abs(last[1]):
            found[-1], last = int(rows[k]), (k, float(change))
    return found


def _said(track: Track) -> str:
    many = len(track.changes)
    if not many:
        return f"The trend of {track.name} does not bend."
    return f"The trend of {track.name} bends {'once' if many == 1 else f'{many} times'}."
