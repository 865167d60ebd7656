"""Changes in the errors of a forecaster: where the world stops being as it was learned.

    e_t = x_t − x̂_t(x_{<t})      forecasts one row ahead, by what was fitted to the first rows alone
    u_t = (e_t, √|e_t|)           whose means are the errors' mean and their spread
    min over changes of  Σ squared deviations of u from the mean of its segment + β K

The segments are found, gated and judged as those of `pelt` (models/numerics/changes/), on errors in
place of the series. It is blind to the future by design: the forecaster is fitted to the first rows
and never learns again, and each forecast reads but the rows before it. It says nothing of changes
within those first rows. A forecaster that adapts (a filter, a short look-back) forgets a change of
level in a few rows, and its errors show it but briefly; one with a fixed mean shows it for good.
Brown, Durbin & Evans, Techniques for testing the constancy of regression relationships over time,
Journal of the Royal Statistical Society B 37 (1975). There recursive residuals are summed; here the
fit stays, and segments are found together.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, final

import numpy as np

from stsfm.datasets.panel import About, Panel
from stsfm.datasets.protocols.rolling import rolling
from stsfm.datasets.split import Split
from stsfm.models.base import Forecaster
from stsfm.models.detector.pelt import Pelt
from stsfm.models.numerics.changes import words
from stsfm.models.numerics.changes.costs import Costs
from stsfm.models.numerics.changes.survey import Survey
from stsfm.models.segmenter import Segmentation, Segmenter, Track

FIT = 0.8  # of the first rows that the forecaster learns from; it chooses on the others


@final
class Residuals(Segmenter):
    """Changes in the one-step errors of a forecaster that was fitted to the first rows."""

    cite = "brown1975"

    def __init__(
        self,
        *,
        forecaster: Forecaster,
        first: float,
        watch: Literal["mean", "spread", "both"],
        least: int,
        penalty: float,
        survey: Survey,
    ) -> None:
        if not 0 < first < 1:
            raise ValueError(f"first must lie between 0 and 1, got {first}")
        self.forecaster, self.first, self.watch = forecaster, first, watch
        self.search = Pelt(kind="mean", least=least, penalty=penalty, survey=survey)

    def segment(self, panel: Panel) -> Segmentation:
        panel = panel.history()
        start = round(self.first * len(panel))
        if len(panel) - start < 2 * self.search.least:
            raise ValueError(
                f"{len(panel) - start} rows are left behind the first {start}, too few for two "
                f"segments of {self.search.least}; lower detector.first or detector.least"
            )
        errors = self._errors(panel, start)
        found = self.search.segment(self._watched(errors))
        tracks = tuple(self._track(track, panel, errors, start) for track in found.tracks)
        return Segmentation(
            names=words.names(panel.only_targets()),
            tracks=tracks,
            level=found.level,
            said=tuple(map(_said, tracks)),
            noted=(
                f"The forecaster was fitted to the first {start} of {len(panel)} rows, of which "
                "nothing is said; later rows are forecast one by one, and nothing is learned from "
                "them.",
                *found.noted[:-1],
            ),
        )

    @property
    def cites(self) -> tuple[str, ...]:
        return (self.cite, *self.search.cites, *self.forecaster.cites)

    def _errors(self, panel: Panel, start: int) -> Panel:
        """(row behind the first, s, 1) in units of the deviation within the first; a node each."""
        split = rolling(panel, horizon=1, val=round(FIT * start), test=start, calibration=0,
                        transform="none")  # fmt: skip
        model = self._fitted(split)
        errors, masks = [], []
        for part in split.test.batches(model.reads, 0):
            future = part.futures()
            point = model.backtest(part).point
            errors.append(np.where(future.mask, future.values - point, 0))  # (w, 1, n, c)
            masks.append(future.mask)
        names = words.names(panel.only_targets())
        values, mask = (np.concatenate(x).reshape(-1, len(names), 1) for x in (errors, masks))
        about = About(name=panel.about.name, nodes=names, channels=("error",), season=1)
        return Panel(values=values.astype(float), mask=mask, time=panel.time[start:], about=about)

    def _fitted(self, split: Split) -> Forecaster:
        """One that draws no numbers learns from all of the first rows, keeping what it chose."""
        model = self.forecaster.fit(split.train, split.val)
        draws = getattr(model, "seed", None) is not None
        return model if draws or split.development is None else model.refit(split.development)

    def _watched(self, errors: Panel) -> Panel:
        """What is searched, a channel each: errors, and roots of their size about the median."""
        e, seen = errors.values, errors.mask
        middle = np.array([np.median(e[seen[:, s, 0], s, 0]) for s in range(errors.nodes)])
        size = np.where(seen, np.sqrt(abs(e - middle[:, None])), 0)
        parts = {"mean": e, "spread": size}
        chosen = tuple(parts) if self.watch == "both" else (self.watch,)
        return replace(
            errors,
            values=np.concatenate([parts[name] for name in chosen], -1),
            mask=np.repeat(seen, len(chosen), -1),
            about=replace(errors.about, channels=chosen, targets=(), units=()),
        )

    def _track(self, found: Track, panel: Panel, errors: Panel, start: int) -> Track:
        """As it was found in errors, in rows and series of the panel."""
        targets = panel.only_targets()
        channels = 2 if self.watch == "both" else 1
        series = tuple(sorted({s // channels for s in found.series}))
        changes = tuple(
            c._replace(row=c.row + start, low=c.low + start, high=c.high + start)
            for c in found.changes
        )
        x, seen = (a.reshape(len(panel), -1)[:, series] for a in (targets.values, targets.mask))
        levels = Costs(x[None], seen, 0.0, "mean").fitted(x, seen, [c.row for c in changes])
        quiet = np.zeros((start, len(series)))
        return replace(
            found,
            name=errors.about.nodes[series[0]] if len(series) == 1 else "all series",
            series=series,
            changes=changes,
            signal=np.concatenate([quiet, errors.values[:, series, 0]]),
            fitted=levels,
            facts={**found.facts, "first": start},
        )


def _said(track: Track) -> str:
    if not track.changes:
        return f"The errors of {track.name} do not change behind the first rows."
    many = len(track.changes)
    return f"The errors of {track.name} change {'once' if many == 1 else f'{many} times'}."
