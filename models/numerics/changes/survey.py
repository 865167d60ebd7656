"""What every search for changes of level or trend shares: before it, its price, and what follows.

1  a strong season is taken off (season.py)
2  the gate: is one change better than surrogates without any? (gate.py) If not, none is claimed
3  the noise about the segments so far, at first those of the gate's own change; surrogates of it
   set the price of a change; the search finds new segments; until they stay (noise.py, and the
   search's own `price`). So changes that were found no longer pass for memory of the noise. It
   begins with one change, and with the many that the gate saw: these win where they leave no
   memory and one leaves some, for then it was changes that passed for it
4  an interval and a p of each change (intervals.py), and words (words.py)

The gate alone decides whether anything is claimed: the rest sees 5 in 100 series without a change.
Steps 2 and 3 look at the signal: columns without season, standardised (ddof = 1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, Protocol

import numpy as np

from stsfm.datasets.panel import Array, Panel
from stsfm.datasets.season import infer_season
from stsfm.models.analyser import Curve
from stsfm.models.numerics.changes import words
from stsfm.models.numerics.changes.costs import Costs, Kind
from stsfm.models.numerics.changes.gate import Verdict, gate, strongest
from stsfm.models.numerics.changes.intervals import judged
from stsfm.models.numerics.changes.noise import Noise, noise, whitened
from stsfm.models.numerics.changes.season import adjusted
from stsfm.models.segmenter import Segmentation, Track

FEWEST = 10  # values that anything can be said of
EXACT = 1e-6  # of a column's deviation: what is left is taken to be no less
ROUNDS = 6  # of noise, price and search
FACTORS = np.geomspace(0.5, 2, 9)  # of the price, along the path


class End(NamedTuple):
    """Segments that stay: their noise, the prices of a slope and of a change, what was searched."""

    rows: list[int]
    noise: Noise
    slope: float
    price: float
    looked: Array


class Search(Protocol):
    """Where a signal (t, s), seen (t, s), changes; least and kind are those of its segments.

    calibrated  whether its price is set on surrogates
    """

    kind: Kind
    least: int
    calibrated: bool

    def price(self, twins: Array, seen: Array, alpha: float) -> float:
        """Of a change, that a share alpha of signals (batch, t, s) without any would pay."""
        ...

    def rows(self, signal: Array, seen: Array, price: float) -> list[int]:
        """At which something new begins."""
        ...


@dataclass(frozen=True, kw_only=True)
class Survey:
    """How series are prepared, and what a search found in them is judged by."""

    joint: bool | Literal["auto"]
    season: int | Literal["auto", "none"]
    log: bool | Literal["auto"]
    order: int
    memory: float
    whiten: bool
    alpha: float
    surrogates: int
    draws: int
    level: float
    seed: int

    def __post_init__(self) -> None:
        for name, share in (("memory", self.memory), ("alpha", self.alpha), ("level", self.level)):
            if not 0 < share < 1:
                raise ValueError(f"survey.{name} must lie between 0 and 1, got {share}")
        if self.order < 0 or min(self.surrogates, self.draws) < 20:
            raise ValueError(
                "survey: wanted an order of 0 or more, and 20 surrogates and draws or more; got "
                f"{self.order}, {self.surrogates} and {self.draws}"
            )

    def of(self, panel: Panel, search: Search) -> Segmentation:
        """What a search finds in the target series of a panel."""
        panel = panel.history().only_targets()
        names = words.names(panel)
        season = self._season(panel)
        flat = (len(panel), len(names))
        x, seen = panel.values.reshape(flat).astype(float), panel.mask.reshape(flat)
        logs = self._logs(panel, x, seen)
        y = np.log(np.where(seen, x, 1)) if logs else x
        tracks = []
        for group in self._groups(panel.nodes, panel.channels):
            name = words.called([names[s] for s in group], panel, len(names))
            tracks.append(self._track(name, group, y[:, group], seen[:, group], season, search))
        if logs:
            tracks = [replace(track, fitted=np.exp(track.fitted)) for track in tracks]
        return Segmentation(
            names=names,
            tracks=tuple(tracks),
            level=self.level,
            said=words.said(tracks, x, seen, panel, self.level),
            noted=words.noted(tracks, season, logs, self.alpha, self.surrogates, panel,
                              self.draws if search.calibrated else 0),
        )  # fmt: skip

    def _season(self, panel: Panel) -> int:
        if self.season == "none":
            return 1
        if self.season != "auto":
            return self.season
        return panel.about.season or infer_season(panel)

    def _logs(self, panel: Panel, x: Array, seen: Array) -> bool:
        """auto: where the data suggest it, as of a season that grows with the level."""
        wanted = panel.about.suggests.get("transform") == "log" if self.log == "auto" else self.log
        if self.log is True and (x[seen] <= 0).any():
            raise ValueError("survey.log=true needs values above 0; take auto or false")
        return bool(wanted) and not (x[seen] <= 0).any()

    def _groups(self, nodes: int, channels: int) -> list[list[int]]:
        """auto: the channels of a node change together, each node by itself."""
        every = list(range(nodes * channels))
        if self.joint == "auto":
            return [every[k : k + channels] for k in range(0, len(every), channels)]
        return [every] if self.joint else [[s] for s in every]

    def _track(
        self, name: str, group: list[int], x: Array, seen: Array, season: int, search: Search
    ) -> Track:
        """Of one series, or of several together."""
        facts: dict[str, float | int | str] = {"rows": len(x), "season": season}
        some = [s for s in range(x.shape[1]) if len(set(x[seen[:, s], s])) > 1]
        few = int(seen.sum(0).min())
        level = np.where(seen, x, 0).sum(0) / np.maximum(seen.sum(0), 1)
        silent = Track(
            name=name, series=tuple(group), changes=(), signal=np.zeros_like(x),
            fitted=np.broadcast_to(level, x.shape), facts=facts,
        )  # fmt: skip
        if few < max(FEWEST, 3 * search.least) or not some:
            facts["why"] = "it is constant" if few and not some else f"it has only {few} values"
            return silent
        rest = x.copy()
        strengths = [0.0] * x.shape[1]
        for s in some:
            rest[:, s], strengths[s] = adjusted(x[:, s], seen[:, s], season)
        facts["strength"] = max(strengths)
        signal = _standardised(rest, seen)
        verdict = self.admitted(signal[:, some], seen[:, some], search)
        facts |= {"gate": verdict.p, "surrogates": self.surrogates}
        return self._searched(silent, rest, signal, seen, some, verdict, search, facts)

    def admitted(self, signal: Array, seen: Array, search: Search) -> Verdict:
        """What the gate says of a signal (t, s).

        Memory is that of what is left about one line, as it is if nothing changes. A change looks
        like memory of a high order there, and would hide itself: the order is no higher than what
        is left about the strongest change asks for, or 1.
        """
        found = strongest(signal, seen, search.kind, search.least)
        order = self._noise(_left(signal, seen, found[0], "line", 0.0), seen, found[0]).order
        most = min(self.order, max(order, 1))
        about = _left(signal, seen, [], "line", 0.0)
        u = noise(about, seen, [0], most, self.memory, self.seed)
        p = gate(signal, seen, u, search.kind, search.least, self.surrogates, self.seed)
        return Verdict(p, found)

    def _noise(self, left: Array, seen: Array, rows: list[int]) -> Noise:
        return noise(left, seen, [0, *rows], self.order, self.memory, self.seed)

    def _searched(
        self, silent: Track, rest: Array, signal: Array, seen: Array, some: list[int],
        verdict: Verdict, search: Search, facts: dict[str, float | int | str],
    ) -> Track:  # fmt: skip
        """The track with what was found; without, where the gate lets nothing through."""
        own, own_seen = signal[:, some], seen[:, some]
        if verdict.p <= self.alpha:
            ends = [self._settled(own, own_seen, rows, search) for rows in verdict.seen]
            end = ends[ends[0].noise.phi.size > 0 and not ends[1].noise.phi.size]
        else:
            left = _left(own, own_seen, [], search.kind, 0.0)
            end = End([], self._noise(left, own_seen, []), 0.0, 0.0, own)
        rows, u, slope, price = end.rows, end.noise, end.slope, end.price
        facts |= {
            "order": u.order,
            "memory": float(abs(u.phi.sum(1)).max()) if u.phi.size else 0.0,
            "bounded": "yes" if u.bound else "no",
        }
        if rows:
            facts |= {"penalty": price}
        changes = judged(
            own, own_seen, rows, slope, u, kind=search.kind, least=search.least,
            draws=self.draws, level=self.level, seed=self.seed + 2,
        )  # fmt: skip
        scales = _spread(_about_mean(rest, seen), seen)  # those of the signal
        fitted = np.array(silent.fitted)
        for s in some:
            costs = Costs(rest[None, :, s : s + 1], seen[:, s : s + 1],
                        slope * float(scales[s]) ** 2, search.kind)  # fmt: skip
            fitted[:, s] = costs.fitted(rest[:, s : s + 1], seen[:, s : s + 1], rows)[:, 0]
        path = _path(search, end.looked, own_seen, price) if rows else None
        return Track(
            name=silent.name, series=silent.series, changes=changes, signal=signal,
            fitted=fitted, path=path, facts=facts,
        )  # fmt: skip

    def _settled(self, signal: Array, seen: Array, rows: list[int], search: Search) -> End:
        """Noise about the segments, the price on its surrogates, new segments; until they stay."""
        slope = 0.0
        for _ in range(ROUNDS):
            left = _left(signal, seen, rows, search.kind, slope)
            u = self._noise(left, seen, rows)
            scale = np.maximum(_deviation(left, seen), EXACT)
            twins = u.draw(self.draws, len(signal), np.random.default_rng(self.seed + 1)) / scale
            looked = signal / scale
            if self.whiten:
                twins, looked = whitened(twins, u.phi), whitened(looked[None], u.phi)[0]
            price = max(search.price(twins, seen, self.alpha), float(np.log(len(signal))))
            new = search.rows(looked, seen, price)
            slope = price / 2 * float((scale**2).mean())
            if not new or new == rows:
                break
            rows = new
        return End(rows, u, slope, price, looked)


def _path(search: Search, signal: Array, seen: Array, price: float) -> Curve:
    """How many changes are found where each costs less, or more."""
    count = np.array([len(search.rows(signal, seen, price * f)) for f in FACTORS], float)
    return Curve("changes", price * FACTORS, count, count, count)


def _standardised(x: Array, seen: Array) -> Array:
    """Columns (t, s) of mean 0 and deviation 1 (ddof = 1) over what was seen, 0 elsewhere."""
    rest = _about_mean(x, seen)
    spread = _spread(rest, seen)
    return rest / np.where(spread > 0, spread, 1)


def _about_mean(x: Array, seen: Array) -> Array:
    """Columns (t, s) less the mean of what was seen, 0 elsewhere."""
    return np.where(seen, x - np.where(seen, x, 0).sum(0) / np.maximum(seen.sum(0), 1), 0)


def _spread(rest: Array, seen: Array) -> Array:
    """Deviation (s) of columns about their mean (ddof = 1), of what was seen."""
    return np.sqrt((rest**2).sum(0) / np.maximum(seen.sum(0) - 1, 1))


def _left(signal: Array, seen: Array, rows: list[int], kind: Kind, slope: float) -> Array:
    """About the segments, 0 where nothing was seen."""
    costs = Costs(signal[None], seen, slope, kind)
    left = signal - costs.fitted(signal, seen, rows)
    return np.where(seen & (abs(left) > EXACT), left, 0)  # the rest is what rounding leaves


def _deviation(left: Array, seen: Array) -> Array:
    return np.sqrt((left**2).sum(0) / np.maximum(seen.sum(0), 1))
