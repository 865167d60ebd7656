"""Optimal segments under a penalty for each change: PELT.

    min over changes τ₁ < … < τ_K of   Σ_k cost(x[τ_k : τ_k+1]) + β K

Killick, Fearnhead & Eckley, Optimal detection of changepoints with a linear computational cost,
Journal of the American Statistical Association 107 (2012). As in ruptures, with every row a
candidate (jump = 1).
"""

from __future__ import annotations

from typing import Literal, final

import numpy as np
import ruptures

from stsfm.datasets.panel import Array, Panel
from stsfm.models.analyser import series_of
from stsfm.models.segmenter import Change, Segmentation, Segmenter, Track


@final
class Pelt(Segmenter):
    """Optimal segments under a penalty for each change."""

    cite = "killick2012"

    def __init__(
        self,
        *,
        joint: bool | Literal["auto"],
        min_size: int,
        penalty: float | Literal["auto"],
        seed: int,
    ) -> None:
        self.joint, self.min_size, self.penalty, self.seed = joint, min_size, penalty, seed

    def segment(self, panel: Panel) -> Segmentation:
        x, names, _, gaps = series_of(panel, len(panel))
        groups = (
            [tuple(range(len(names)))] if self.joint is True else [(s,) for s in range(x.shape[1])]
        )
        tracks = tuple(self._track(x[:, list(group)], group, names) for group in groups)
        said = tuple(
            f"{track.name} changes at rows {', '.join(str(c.row) for c in track.changes)}."
            if track.changes
            else f"No change of {track.name} was found."
            for track in tracks
        )
        return Segmentation(
            names=names, tracks=tracks, level=0.9, said=said, noted=(gaps,) if gaps else ()
        )

    def _track(self, x: Array, series: tuple[int, ...], names: tuple[str, ...]) -> Track:
        signal = (x - x.mean(0)) / x.std(0, ddof=1)
        noise = np.median(abs(np.diff(signal, axis=0)), 0) / 0.954
        penalty = 3 * np.log(len(x)) if self.penalty == "auto" else self.penalty
        search = ruptures.Pelt(model="l2", jump=1, min_size=self.min_size).fit(
            signal / noise.clip(1e-6)
        )
        rows = search.predict(pen=penalty)[:-1]
        edges = [0, *rows, len(x)]
        fitted = np.concatenate(
            [np.broadcast_to(x[a:b].mean(0), x[a:b].shape) for a, b in zip(edges, edges[1:])]
        )
        return Track(
            name=names[series[0]] if len(series) == 1 else "all series",
            series=series,
            changes=tuple(Change(row, row, row) for row in rows),
            signal=signal,
            fitted=fitted,
            facts={"penalty": float(penalty)},
        )
