"""What is said of an ordered pair of series: of one that may drive the other (ccm.py)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.models.analyser import Curve, listed
from stsfm.models.numerics.chance import p_value

CONVERGED = 0.75  # of the smallest libraries have a lower ρ than all rows
CLEAR = 1.645  # standard errors of a difference that is significant, one-sided at 95 %
ONE = 0.95  # correlation of two series that nearly move as one
COLUMNS = (
    "cause", "effect", "ρ", "ρ least", "rows least", "chance", "p", "q", "lag", "E", "verdict",
)  # fmt: skip


@dataclass(kw_only=True)
class Pair:
    """An ordered pair, and what was found of it."""

    cause: int
    effect: int
    dim: int  # E of the effect
    sizes: list[int]
    by_size: Array  # ρ (size, library)
    lagged: Array  # ρ of all rows at each lag, −lags … lags
    chance: Array  # ρ of all rows of each surrogate
    states: int
    q: float = 1.0

    @property
    def rho(self) -> float:
        return float(self.lagged[len(self.lagged) // 2])

    @property
    def p(self) -> float:
        return p_value(self.rho, self.chance)

    @property
    def lag(self) -> int:
        """Of the best skill."""
        return int(self.lagged.argmax()) - len(self.lagged) // 2

    @property
    def late(self) -> bool:
        """Does the effect know a later cause significantly better than one of its row or before?"""
        now = len(self.lagged) // 2
        if not now:
            return False
        z = np.arctanh(self.lagged.clip(-0.9999, 0.9999))
        clear = CLEAR * (2 / max(1, self.states - 3)) ** 0.5
        return bool(z[now + 1 :].max() - z[: now + 1].max() > clear)

    def verdict(self, alpha: float) -> str:
        if self.q >= alpha or self.rho <= 0:
            return "not above chance"
        if (self.by_size[0] < self.rho).mean() < CONVERGED:
            return "does not converge"
        return "may be synchrony" if self.late else "drives"

    def row(self, names: tuple[str, ...], alpha: float) -> tuple[str | int | float | None, ...]:
        """As COLUMNS name it."""
        chance = float(np.quantile(self.chance, 1 - alpha))
        return (names[self.cause], names[self.effect], self.rho, float(self.by_size[0].mean()),
                self.sizes[0], chance, self.p, self.q, self.lag, self.dim,
                self.verdict(alpha))  # fmt: skip

    def curve(self, names: tuple[str, ...]) -> Curve:
        """ρ over the size of the library: the mean of the random ones, and 90 % of them."""
        low, high = np.quantile(self.by_size, [0.05, 0.95], axis=1)
        name = f"{names[self.cause]} → {names[self.effect]}"
        return Curve(name, np.array(self.sizes), self.by_size.mean(1), low, high)


def sentences(
    pairs: list[Pair], names: tuple[str, ...], alpha: float, together: Array
) -> list[str]:
    """What was found in words; of pairs not found, which and why."""
    said = []
    for pair in pairs:
        if pair.verdict(alpha) == "drives":
            x, y = names[pair.cause], names[pair.effect]
            said.append(
                f"{x} drives {y}: the manifold of {y} predicts {x}, ρ {pair.rho:.2f} against "
                f"{pair.by_size[0].mean():.2f} from {pair.sizes[0]} rows (q = {pair.q:.2g})."
            )
    whys = {
        "may be synchrony": "the effect knows the cause's future best, which may be synchrony",
        "does not converge": "the skill does not converge",
        "not above chance": "the skill is not above chance",
    }
    for verdict, why in whys.items():
        rest = [f"{names[pair.cause]} → {names[pair.effect]}" for pair in pairs
                if pair.verdict(alpha) == verdict]  # fmt: skip
        if rest:
            said.append(f"No drive is claimed where {why}: {listed(rest)}.")
    for a, b in np.argwhere(np.triu(abs(together) > ONE, 1)):
        said.append(
            f"{names[a]} and {names[b]} nearly move as one (correlation {together[a, b]:.2f}): "
            "cross mapping cannot tell which drives the other."
        )
    return said
