"""How often tests call equally good models different, in %, at a nominal 5 %; and their power.

Prints the tables of docs/significance.md: python size.py, four minutes on one core.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.stats import ttest_1samp

from stsfm.significance import compare, confidence_set, skill_interval
from stsfm.significance.bootstrap import Blocks
from stsfm.significance.dm import diebold_mariano
from stsfm.significance.origins import disjoint

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import worlds

DRAWS = 4000
SHIFT = 3.5  # true standard errors between the models whose difference is to be found
SIZES = [
    (10, 1),
    (25, 1),
    (100, 1),
    (400, 1),
    (25, 12),
    (100, 12),
    (109, 12),
    (400, 12),
    (400, 96),
    (865, 96),
]
WORLDS = (worlds.overlap, worlds.heavy, worlds.random_walk, worlds.persistent, worlds.skewed)
Test = Callable[[np.ndarray, int], list[float | None]]  # (draws, n), horizon → p-values


def table(d: np.ndarray, horizon: int) -> list[float | None]:
    """What stsfm does."""
    even, origins = np.zeros(d.shape[1]), np.arange(d.shape[1])
    return [compare(one, even, origins, horizon).p for one in d]


def corrected(d: np.ndarray, horizon: int) -> list[float | None]:
    """Harvey, Leybourne & Newbold (1997); None where the variance is negative."""
    return [diebold_mariano(one, horizon, check=False).p for one in d]


def apart(d: np.ndarray, horizon: int) -> list[float | None]:
    """Student's t on origins whose futures do not overlap."""
    some = d[:, disjoint(np.arange(d.shape[1]), horizon)]
    return ttest_1samp(some, 0, axis=1).pvalue.tolist() if some.shape[1] > 1 else [None] * len(d)


def resampled(d: np.ndarray, horizon: int, draws: int = 499) -> list[float | None]:
    """Moving blocks of a horizon, quantiles of the means as they are."""
    blocks = Blocks.of(np.arange(d.shape[1]), horizon)
    found: list[float | None] = []
    for one in d[: DRAWS // 4]:
        means = np.concatenate([part.mean(-1) for part in blocks.resample(one, draws, seed=0)])
        tail = float((means - one.mean() >= abs(one.mean())).mean())
        found.append(2 * min(tail, 1 - tail))
    return found


TESTS: dict[str, Test] = {
    "the table's": table, "DM–HLN": corrected, "t, disjoint": apart, "plain blocks": resampled,
}  # fmt: skip


def share(p: list[float | None]) -> str:
    """Rejections in %, and how many were refused where some were."""
    made = [value for value in p if value is not None]
    refused = 1 - len(made) / len(p)
    if not made:
        return "refused"
    words = f"{100 * np.mean([value < 0.05 for value in made]):.1f}"
    return words + (f" ({100 * refused:.1f} refused)" if refused else "")


def sizes() -> None:
    """For each test a table of rejections, by world; then their power, under a difference."""
    cells: dict[str, list[str]] = {name: [] for name in (*TESTS, "power: the table's", "power: t")}
    for n, horizon in SIZES:
        rows: dict[str, list[str]] = {name: [] for name in cells}
        for world in WORLDS:
            d = world(np.random.default_rng(n + horizon), DRAWS, n, horizon)
            moved = d + SHIFT * d.mean(1).std()
            for name, test in TESTS.items():
                rows[name].append(share(test(d, horizon)))
            rows["power: the table's"].append(share(table(moved, horizon)))
            rows["power: t"].append(share(apart(moved, horizon)))
        independent = len(disjoint(np.arange(n), horizon))
        for name, row in rows.items():
            cells[name].append(f"| {n} | {horizon} | {independent} | {' | '.join(row)} |")
    head = " | ".join(world.__name__.replace("_", " ") for world in WORLDS)
    for name, lines in cells.items():
        print(f"\n**{name}**\n\n| n | h | independent | {head} |\n|{'--:|' * (3 + len(WORLDS))}")
        print("\n".join(lines))


def others() -> None:
    """Strides, gaps, nodes; intervals of skill; the model confidence set."""
    rng = np.random.default_rng(0)
    even = np.zeros(500)
    kept = {
        "every 5th row": np.arange(0, 500, 5),
        "60 % of rows": np.sort(rng.permutation(500)[:300]),
    }
    for name, origins in kept.items():
        d = worlds.overlap(rng, DRAWS, 500, 12)[:, origins]
        p = [compare(one, even[origins], origins, 12).p for one in d]
        print(f"- origins at {name} of 500, h = 12: {share(p)} %")
    p, pooled = [], []
    for _ in range(DRAWS // 500):
        d = worlds.nodes(rng, 500, 100)
        p += table(d.mean(2), 1)
        pooled += ttest_1samp(d.reshape(len(d), -1), 0, axis=1).pvalue.tolist()
    print(f"- 50 nodes, ρ = 0.3, n = 100: {share(p)} %; nodes as if independent: {share(pooled)} %")
    for n, horizon in ((25, 1), (100, 1), (109, 12), (400, 12)):
        origins, missed, lost = np.arange(n), 0, 0
        draws = DRAWS // 4
        for _ in range(draws):
            a, b = np.exp(worlds.overlap(rng, 2, n, horizon) / 2)
            found = skill_interval(0.8 * a, b, origins, horizon)
            missed += not found.low <= 0.2 <= found.high
            five = worlds.overlap(rng, 5, n, horizon) + rng.standard_normal(n)
            lost += len(confidence_set(five, origins, horizon).members) < 5
        skill, out = (f"{100 * k / draws:.1f} %" for k in (missed, lost))
        print(f"- n = {n}, h = {horizon}: skill outside its interval in {skill}, a confidence set")
        print(f"  that leaves out any of five equal models in {out}")
        sys.stdout.flush()


if __name__ == "__main__":
    others()
    sizes()
