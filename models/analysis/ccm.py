"""Which series drives which: convergent cross mapping, over all ordered pairs.

    ρ(L) = corr(x, x̂),    x̂[t] what M_y[t] tells of x[t] from L rows (numerics/crossmap.py)

If x drives y, the past of y holds what x was: the shadow manifold M_y predicts x, the better the
more rows are in its library. **x drives y if M_y predicts x**: the arrow points from x to y,
against the direction of the prediction. Before it is drawn, three things are asked of a pair:

chance       q < alpha: ρ of all rows is above that of surrogates of x (numerics/chance.py), in
             whose order nothing but the autocorrelation, or the season, is that of x
convergence  of the random libraries of the least size three in four have a lower ρ than all rows
lag          M_y predicts no later x significantly better (Fisher's z, 95 %) than x of its own row
             and before: what y knows ahead of x, it has not from x (Ye et al.)

E of y is the least of 2 … 10 whose forecast of y itself, one row ahead, is within 0.01 of the best.
Strong synchrony, a common driver and a common season can still pass: docs/causal.md has cases.
Sugihara et al., Detecting causality in complex ecosystems, Science 338 (2012). Ye et al.,
Distinguishing time-delayed causal interactions using convergent cross mapping, Scientific Reports 5
(2015). Surrogates of the cause: Deyle et al., Global environmental drivers of influenza, PNAS 113
(2016).
"""

from __future__ import annotations

from typing import Literal, final

import numpy as np

from stsfm.datasets.panel import Array, Panel
from stsfm.models.analyser import Analyser, Analysis, Link, series_of
from stsfm.models.analysis.pairs import COLUMNS, Pair, sentences
from stsfm.models.numerics.chance import discoveries, phase_surrogates, seasonal_surrogates
from stsfm.models.numerics.crossmap import Shadow

DIMS = range(2, 11)  # that E is chosen from; one delay is no manifold
ALIKE = 0.01  # of skill, within which the least E is taken
SMALLEST = 20  # rows of the smallest library, where there are enough
SURROGATES = (100, 1000)  # least and most that auto draws


@final
class CCM(Analyser):
    """Convergent cross mapping between all pairs of series."""

    cite = "sugihara2012"

    def __init__(
        self,
        *,
        dim: int | Literal["auto"],
        tau: int,
        theiler: int | Literal["auto"],
        sizes: int | list[int],
        libraries: int,
        surrogates: int | Literal["auto"],
        surrogate: Literal["auto", "phase", "seasonal"],
        lags: int,
        alpha: float,
        rows: int,
        seed: int,
    ) -> None:
        own = sizes if isinstance(sizes, list) else [sizes]
        least = [("dim", dim, 1), ("tau", tau, 1), ("theiler", theiler, 0), ("lags", lags, 0),
                 ("libraries", libraries, 1), ("surrogates", surrogates, 1),
                 ("rows", rows, 2 * SMALLEST), *[("sizes", size, 2) for size in own]]  # fmt: skip
        for name, value, bound in least:
            if value != "auto" and value < bound:
                raise ValueError(f"{name} must be at least {bound}, got {value}")
        if not 0 < alpha < 1 or not own:
            raise ValueError(f"wanted sizes, and alpha between 0 and 1; got {sizes} and {alpha}")
        self.dim, self.tau, self.theiler, self.sizes = dim, tau, theiler, sizes
        self.libraries, self.surrogates, self.surrogate = libraries, surrogates, surrogate
        self.lags, self.alpha, self.rows, self.seed = lags, alpha, rows, seed

    @property
    def cites(self) -> tuple[str, ...]:
        return (self.cite, "ye2015", "deyle2016", "benjamini1995")

    def analyse(self, panel: Panel) -> Analysis:
        x, names, at, gaps = series_of(panel, self.rows)
        if len(names) < 2:
            raise ValueError(f"cross mapping needs two series, and {names[0]} is alone")
        season = panel.about.season if self._seasonal(panel.about.season) else 1
        others, pairs = self._surrogates(x, season), []  # (s, t, surrogate)
        for effect, name in enumerate(names):
            pairs += self._mapped(effect, self._shadow(x[:, effect], name), x, others)
        for pair, q in zip(pairs, discoveries(np.array([p.p for p in pairs])), strict=True):
            pair.q = float(q)
        pairs.sort(key=lambda pair: (pair.verdict(self.alpha) != "drives", -pair.rho))
        return Analysis(
            columns=COLUMNS,
            rows=tuple(pair.row(names, self.alpha) for pair in pairs),
            said=tuple(sentences(pairs, names, self.alpha, np.corrcoef(x.T))),
            noted=self._notes(season, len(x), others.shape[2], len(pairs), gaps),
            names=names,
            at=at,
            links=tuple(Link(pair.cause, pair.effect, pair.rho) for pair in pairs
                        if pair.verdict(self.alpha) == "drives"),
            directed=True,
            strength="cross-map skill ρ",
            curves=tuple(pair.curve(names) for pair in pairs),
            across="rows of library",
            arrays={
                "pairs": np.array([(pair.cause, pair.effect) for pair in pairs]),
                "sizes": np.array([pair.sizes for pair in pairs]),  # (pair, size)
                "rho": np.array([pair.by_size for pair in pairs]),  # (pair, size, library)
                "lagged": np.array([pair.lagged for pair in pairs]),  # (pair, lag)
            },
        )  # fmt: skip

    def _mapped(self, effect: int, shadow: Shadow, x: Array, others: Array) -> list[Pair]:
        """All causes of one effect, whose manifold is searched once for them all."""
        causes = [cause for cause in range(x.shape[1]) if cause != effect]
        rng, states = np.random.default_rng([self.seed, effect]), len(shadow.states)
        sizes = self._sizes(states, shadow.need)
        found = np.empty((len(sizes), self.libraries, len(causes)))
        for row, size in enumerate(sizes):
            draws = 1 if size == states else self.libraries  # all rows are one library
            for draw in range(draws):
                library = np.sort(rng.choice(states, size, replace=False))
                found[row, draw:] = shadow.skill(x[:, causes], library)
        lags = range(-self.lags, self.lags + 1)
        lagged = np.stack([shadow.skill(x[:, causes], lag=lag) for lag in lags], 1)  # (cause, lag)
        return [
            Pair(
                cause=cause, effect=effect, dim=shadow.dim, sizes=sizes, by_size=found[:, :, k],
                lagged=lagged[k], chance=shadow.skill(others[cause]), states=states,
            ) for k, cause in enumerate(causes)
        ]  # fmt: skip

    def _shadow(self, y: Array, name: str) -> Shadow:
        """The manifold of a series, in the least dimension that forecasts it well."""
        dims = DIMS if self.dim == "auto" else [self.dim]
        fits = [Shadow.of(y, dim, self.tau, self._window(dim)) for dim in dims
                if (dim - 1) * self.tau < len(y)]  # fmt: skip
        fits = [shadow for shadow in fits if len(shadow.states) > 2 * shadow.need]
        if not fits:
            raise ValueError(
                f"{name} has {len(y)} rows, too few for its delays; lower analysis.dim, "
                "analysis.tau or analysis.theiler"
            )
        skill = np.array([shadow.skill(y[:, None], lag=1)[0] for shadow in fits])
        return fits[int(np.argmax(skill >= skill.max() - ALIKE))]

    def _window(self, dim: int) -> int:
        return (dim - 1) * self.tau if self.theiler == "auto" else self.theiler

    def _sizes(self, states: int, need: int) -> list[int]:
        """Rows of libraries, as many for every effect; where not listed, from few to all."""
        if isinstance(self.sizes, list):
            return [min(size, states) for size in self.sizes]
        first = min(max(SMALLEST, need), states // 2)
        return [round(size) for size in np.geomspace(first, states, self.sizes)]

    def _seasonal(self, season: int) -> bool:
        if self.surrogate == "seasonal" and season < 2:
            raise ValueError("surrogate=seasonal needs data with a season; take phase")
        return self.surrogate != "phase" and season > 1

    def _surrogates(self, x: Array, season: int) -> Array:
        """(s, t, surrogate) of every series."""
        rng, count = np.random.default_rng(self.seed), self._count(x.shape[1])
        if season > 1:
            return np.stack([seasonal_surrogates(y, season, count, rng) for y in x.T])
        return np.stack([phase_surrogates(y, count, rng) for y in x.T])

    def _count(self, series: int) -> int:
        """Of surrogates; auto draws enough for one pair alone to be claimed among all."""
        if self.surrogates != "auto":
            return self.surrogates
        few, many = SURROGATES
        return min(max(few, int(np.ceil(series * (series - 1) / self.alpha))), many)

    def _notes(self, season: int, rows: int, count: int, pairs: int, gaps: str) -> tuple[str, ...]:
        kind = f"seasonal surrogates (season {season})" if season > 1 else "phase surrogates"
        alone = pairs / (count + 1)  # the least q of a pair, if no other is above chance
        few = (
            f"{count} surrogates are few for {pairs} pairs: one drive alone could not be claimed "
            f"(q = {min(1.0, alone):.2g}); raise analysis.surrogates."
        )
        notes = (
            "x → y says that x drives y: the shadow manifold of y predicts x.",
            f"ρ is that of all {rows:,} rows, ρ least the mean of {self.libraries} random "
            f"libraries of the least size; chance is the {100 * (1 - self.alpha):g} % quantile "
            f"of {count} {kind} of the cause, p their share that reaches ρ, and q is p over all "
            "ordered pairs (Benjamini–Hochberg).",
            f"Drawn are pairs with q < {self.alpha:g} that converge, and whose manifold knows no "
            "later cause better. No drive found is no proof that there is none; and what is found "
            "may be a common driver, a common season or synchrony.",
            few if alone >= self.alpha else "",
            gaps,
        )
        return tuple(filter(None, notes))
