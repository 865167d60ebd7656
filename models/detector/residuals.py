"""Changes in the errors of a forecaster: where the world stops being as it was learned.

    e_t = x_t − x̂_t(x_{<t})      forecasts one row ahead by what was fitted to the first rows alone
    u_t = (e_t / s,  √|e_t| / s')     watched for its mean: the errors' mean, and their spread
    min over changes of  Σ squared deviations of u from the mean of its segment + β K

β is the greatest gain of a split that chance reaches in `alpha` of all series (numerics/gains.py),
so that a series without a change has one with that probability; segments by PELT, every row a
candidate. Blind to the future by design: the forecaster is fitted to the first rows and never
learns again, and each forecast reads the rows before it alone. It says nothing of changes within
those first rows. A forecaster that adapts (a filter, a short look-back) forgets a change of level
in a few rows, and its errors show it but briefly; one with a fixed mean shows it for good.
Brown, Durbin & Evans, Techniques for testing the constancy of regression relationships over time,
Journal of the Royal Statistical Society B 37 (1975). There recursive residuals are summed; here the
fit stays, and segments are found together.
"""

from __future__ import annotations

from typing import Literal, final

import numpy as np
import ruptures

from stsfm.datasets.panel import Array, Panel
from stsfm.datasets.protocols.rolling import rolling
from stsfm.datasets.split import Split
from stsfm.models.analyser import series_of
from stsfm.models.base import Forecaster
from stsfm.models.numerics.chance import p_value
from stsfm.models.numerics.gains import around, bounds, by_chance, gains, level_fit
from stsfm.models.segmenter import Change, Segmentation, Segmenter, Track

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
        min_size: int,
        alpha: float,
        draws: int,
        level: float,
        seed: int,
    ) -> None:
        for name, share in (("first", first), ("alpha", alpha), ("level", level)):
            if not 0 < share < 1:
                raise ValueError(f"{name} must lie between 0 and 1, got {share}")
        if min_size < 1 or draws < 1:
            raise ValueError(f"wanted min_size and draws of 1 or more, got {min_size} and {draws}")
        self.forecaster, self.first, self.watch, self.min_size = forecaster, first, watch, min_size
        self.alpha, self.draws, self.level, self.seed = alpha, draws, level, seed

    def segment(self, panel: Panel) -> Segmentation:
        x, names, _, gaps = series_of(panel, len(panel))
        start = round(self.first * len(panel))
        split = rolling(panel, horizon=1, val=round(FIT * start), test=start, calibration=0,
                        transform="none")  # fmt: skip
        errors = self._errors(split)  # (row after `start`, s)
        if len(errors) < 2 * self.min_size:
            raise ValueError(
                f"{len(errors)} rows are left behind the first {start}, too few for two segments "
                f"of {self.min_size}; lower detector.first or detector.min_size"
            )
        rng = np.random.default_rng(self.seed)
        tracks = tuple(
            self._track(errors[:, s], x[:, [s]], start, name, s, rng)
            for s, name in enumerate(names)
        )
        return Segmentation(
            names=names,
            tracks=tracks,
            level=self.level,
            said=tuple(_said(track, panel.about.name) for track in tracks),
            noted=(
                f"Fitted to the first {start} of {len(panel)} rows, of which nothing is said; "
                "later rows are forecast one by one, and nothing is learned from them.",
                f"A penalty that chance reaches in {self.alpha:.0%} of series, by {self.draws} "
                "orders of the errors in blocks.".replace("%", " %"),
                *([gaps] if gaps else []),
            ),
        )

    @property
    def cites(self) -> tuple[str, ...]:
        return (self.cite, "killick2012", "antoch2001", "huskova2008", *self.forecaster.cites)

    def _errors(self, split: Split) -> Array:
        """(row, s) of the rows behind the first, in units of their deviation; 0 where missing."""
        model = self.forecaster.fit(split.train, split.val)
        if getattr(model, "seed", None) is None and split.development is not None:
            model.refit(split.development)
        found = []
        for part in split.test.batches(model.reads, 0):
            point = model.backtest(part).point
            future = part.futures()
            found.append(np.where(future.mask, future.values - point, 0)[:, 0])  # (w, 1, n, c)
        errors = np.concatenate(found)
        return errors.reshape(len(errors), -1).astype(float)

    def _track(
        self, e: Array, x: Array, start: int, name: str, s: int, rng: np.random.Generator
    ) -> Track:
        """One series by its errors e (row behind `start`) and values x (t, 1)."""
        u = self._watched(e)
        chance = by_chance(u, self.min_size, self.draws, rng)
        penalty = float(np.quantile(chance, 1 - self.alpha, method="higher"))
        search = ruptures.Pelt(model="l2", jump=1, min_size=self.min_size).fit(u)
        rows = search.predict(pen=penalty)[:-1] if u.any() else []
        changes = []
        for left, row, right in around(rows, len(u)):
            part = u[left:right]
            gain = float(gains(part, self.min_size)[row - left - self.min_size])
            low, high = bounds(part, self.min_size, self.level, self.draws, rng, row - left)
            changes.append(Change(start + row, start + left + low, start + left + high,
                                  p_value(gain, chance)))  # fmt: skip
        signal = np.concatenate([np.zeros(start), e])[:, None]
        memory = float(np.corrcoef(e[1:], e[:-1])[0, 1]) if e.std() else 0.0
        return Track(
            name=name,
            series=(s,),
            changes=tuple(changes),
            signal=signal,
            fitted=level_fit(x, [change.row for change in changes]),
            facts={"penalty": penalty, "first": start, "autocorrelation of errors": memory},
        )

    def _watched(self, e: Array) -> Array:
        """(row, 1 or 2) what is searched: errors, roots of their size, each of deviation 1."""
        parts = {"mean": e, "spread": np.sqrt(abs(e - np.median(e)))}
        chosen = parts.values() if self.watch == "both" else [parts[self.watch]]
        return np.stack([(part - part.mean()) / (part.std() or 1.0) for part in chosen], 1)


def _said(track: Track, data: str) -> str:
    if not track.changes:
        return f"The errors of {track.name} do not change behind the first rows of {data}."
    many = len(track.changes)
    return f"The errors of {track.name} change {'once' if many == 1 else f'{many} times'}."
