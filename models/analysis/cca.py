"""How much two groups of series share: canonical correlations, on rows they were not found on.

    ρ_k = corr(X a_k, Y b_k),    a_k, b_k the directions of numerics/canonical.py

X and Y hold the series of two groups, each with its `lags` last rows. Directions are found on the
first rows and correlated on the last `held_out` of them, whose ρ is what is reported: on the rows
that directions are found on it rises with every series that is added. p compares the first ρ with
that of shifted rows of Y, which keep their autocorrelation; q is p over all pairs of groups
(Benjamini–Hochberg). A correlation has no direction: links have no arrows.
Hotelling, Relations between two sets of variates, Biometrika 28 (1936).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Literal, final

import numpy as np

from stsfm.datasets.panel import Array, Panel
from stsfm.models.analyser import Analyser, Analysis, Link, listed, series_of
from stsfm.models.numerics.canonical import Canonical
from stsfm.models.numerics.chance import discoveries, p_value, shifts
from stsfm.models.numerics.crossmap import correlation
from stsfm.models.numerics.delays import delayed

LEAST = 10  # rows that directions are found on, and that they are held out on
COLUMNS = ("group", "and", "component", "ρ held out", "ρ found on", "chance", "p", "q", "verdict")


@final
class CCA(Analyser):
    """Canonical correlations between groups of nodes or channels."""

    cite = "hotelling1936"

    def __init__(
        self,
        *,
        groups: Mapping[str, list[str]] | Literal["auto"],
        dim: int,
        lags: int,
        ridge: float,
        held_out: float,
        shifts: int,
        alpha: float,
        rows: int,
        seed: int,
    ) -> None:
        for name, value in (("dim", dim), ("lags", lags), ("shifts", shifts), ("rows", rows)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if ridge < 0 or not 0 < held_out < 1 or not 0 < alpha < 1:
            raise ValueError(
                "wanted ridge of 0 or more, held_out and alpha between 0 and 1; got "
                f"{ridge}, {held_out} and {alpha}"
            )
        self.groups, self.dim, self.lags, self.ridge = groups, dim, lags, ridge
        self.held_out, self.shifts, self.alpha = held_out, shifts, alpha
        self.rows, self.seed = rows, seed

    @property
    def cites(self) -> tuple[str, ...]:
        return (self.cite, "benjamini1995")

    def analyse(self, panel: Panel) -> Analysis:
        x, names, at, gaps = series_of(panel, self.rows)
        groups = self._members(panel, names, at)
        blocks = [delayed(x[:, members], self.lags) for members in groups.values()]
        border = round(len(blocks[0]) * (1 - self.held_out))
        if min(border, len(blocks[0]) - border) < LEAST:
            raise ValueError(
                f"{len(blocks[0])} rows leave {border} to find directions on and "
                f"{len(blocks[0]) - border} to hold out, and {LEAST} of each are needed"
            )
        pairs = list(combinations(range(len(groups)), 2))
        rng = np.random.default_rng(self.seed)
        found = [self._pair(blocks[a], blocks[b], border, rng) for a, b in pairs]
        q = discoveries(np.array([p_value(held[0], chance) for held, _, chance in found]))
        rows, links, said, apart = [], [], [], []
        titles = list(groups)
        for (a, b), (held, learned, chance), adjusted in zip(pairs, found, q, strict=True):
            share = adjusted < self.alpha and held[0] > 0
            p, bound = p_value(held[0], chance), float(np.quantile(chance, 1 - self.alpha))
            for k in range(len(held)):
                judged = (bound, p, float(adjusted), "share" if share else "not above chance")
                rows.append((titles[a], titles[b], k + 1, float(held[k]), float(learned[k]),
                             *(judged if k == 0 else (None, None, None, ""))))  # fmt: skip
            if share:
                links.append(Link(a, b, float(held[0])))
                said.append(
                    f"{titles[a]} and {titles[b]} share a component: held-out ρ {held[0]:.2f}, by "
                    f"chance up to {bound:.2f} (q = {adjusted:.2g})."
                )
            else:
                apart.append(f"{titles[a]} and {titles[b]}")
        if apart:
            said.append(f"No shared component is claimed of {listed(apart)}.")
        return Analysis(
            columns=COLUMNS,
            rows=tuple(rows),
            said=tuple(said),
            noted=self._notes(border, len(blocks[0]), gaps),
            names=tuple(titles),
            at=tuple(at[members[0]] for members in groups.values()),
            links=tuple(links),
            directed=False,
            strength="held-out canonical correlation ρ",
            arrays={"pairs": np.array(pairs), "held_out": np.array([f[0] for f in found]),
                    "learned": np.array([f[1] for f in found]),
                    "chance": np.array([f[2] for f in found])},
        )  # fmt: skip

    def _pair(
        self, x: Array, y: Array, border: int, rng: np.random.Generator
    ) -> tuple[Array, Array, Array]:
        """ρ held out and ρ learned, (k), and the first ρ held out of shifted rows, (shift)."""
        held, learned = self._rho(x, y, border)
        moved = shifts(len(y), self.shifts, min(len(y) // 10, len(y) // 2), rng)
        chance = np.array([self._rho(x, np.roll(y, by, 0), border)[0][0] for by in moved])
        return held, learned, chance

    def _rho(self, x: Array, y: Array, border: int) -> tuple[Array, Array]:
        dim = min(self.dim, x.shape[1], y.shape[1])
        made = Canonical.of(x[:border], y[:border], dim=dim, ridge=self.ridge)
        both = (made.scores(x[rows], y[rows]) for rows in (slice(border, None), slice(border)))
        held, learned = (np.pad(correlation(a, b), (0, dim - a.shape[1])) for a, b in both)
        return held, learned

    def _members(
        self, panel: Panel, names: tuple[str, ...], at: tuple[int, ...]
    ) -> dict[str, list[int]]:
        """Group → its series. auto: a group for each channel, or of one channel for each node."""
        about, groups = panel.about, self.groups
        if groups == "auto":
            several = len(about.targets) > 1
            titles = about.targets if several else about.nodes
            groups = {title: [title] for title in titles}
        series = list(np.ndindex(len(about.nodes), len(about.targets)))
        found: dict[str, list[int]] = {}
        for title, wanted in groups.items():
            for word in wanted:
                of = [k for k, (n, c) in enumerate(series)
                      if word in (about.nodes[n], about.targets[c], names[k])]  # fmt: skip
                if not of:
                    raise ValueError(f"groups: no node and no channel is called {word!r}")
                found.setdefault(title, []).extend(of)
        if len(found) < 2:
            raise ValueError("two groups are needed: analysis.groups={a:[n1,n2],b:[n3]}")
        return found

    def _notes(self, border: int, rows: int, gaps: str) -> tuple[str, ...]:
        note = (
            f"Directions are found on the first {border:,} of {rows:,} rows and held out on the "
            f"rest; chance is the {100 * (1 - self.alpha):g} % quantile of {self.shifts} shifts of "
            "one group, p their share that reaches ρ, and q is p over all pairs of groups "
            "(Benjamini–Hochberg).",
            "What two groups share may come from a third, or from a common trend or season.",
        )
        return (*note, gaps) if gaps else note
