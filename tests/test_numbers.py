"""docs/numbers.md is the formula of every score: here each is computed again, in plain loops."""

import math
from itertools import product

import numpy as np
import pytest
from pages import Page

from stsfm.backtest import evaluate
from stsfm.datasets.panel import About, Panel
from stsfm.datasets.protocols.rolling import rolling
from stsfm.datasets.transform import LEVELS
from stsfm.losses.metrics import METRICS
from stsfm.models.ar import AR

SEASON, ROWS = 4, 90


@pytest.fixture(scope="module")
def scored():
    """A split with gaps, and an AR scored on it: two nodes, one of them constant, two channels."""
    rng = np.random.default_rng(0)
    values = 20 + 5 * np.sin(np.arange(ROWS) * np.pi / 2)[:, None, None] + rng.random((ROWS, 3, 2))
    values[:, 2] = 7.0
    mask = rng.random(values.shape) > 0.15
    about = About(name="toy", nodes=("a", "b", "flat"), channels=("y", "z"), season=SEASON)
    time = np.arange(ROWS) * 10**9
    panel = Panel(values=values * mask, mask=mask, time=time, about=about)
    split = rolling(panel, horizon=3, val=50, test=70, transform="log")
    return split, evaluate(AR(order="auto"), split, refit=True).test


def cells(scored):
    """(y, ŷ, ȳ, quantiles, node, channel) of every observed cell."""
    _, test = scored
    for at in product(*map(range, test.truth.values.shape)):
        if test.truth.mask[at]:
            forecast = test.forecast
            yield test.truth.values[at], forecast.point[at], forecast.mean[at], \
                dict(zip(LEVELS, forecast.quantiles[at], strict=True)), at[2], at[3]  # fmt: skip


def in_loops(scored) -> dict[str, float]:
    split = scored[0]
    rows = [(y, p, e, q, n, c) for y, p, e, q, n, c in cells(scored)]
    train = split.panel.upto(50)
    scale, level = {}, {}
    for n, c in product(range(3), range(2)):
        y, seen = train.values[:, n, c], train.mask[:, n, c]
        steps = [
            abs(y[t] - y[t - SEASON]) for t in range(SEASON, 50) if seen[t] and seen[t - SEASON]
        ]
        scale[n, c] = sum(steps) / len(steps)
        level[n, c] = sum(y[seen]) / sum(seen)
    transform = split.transform
    shift, width = transform.shift, transform.scale
    z = lambda x, n, c: (math.log(x) - shift[n, c]) / width[n, c]  # noqa: E731
    count = len(rows)
    var = lambda x: sum((each - sum(x) / count) ** 2 for each in x)  # noqa: E731
    errors = sum((y - e) ** 2 for y, _, e, *_ in rows)
    losses = [
        max(tau * (y - q), (tau - 1) * (y - q))
        for y, _, _, qs, _, _ in rows
        for tau, q in qs.items()
    ]
    judged = [abs(y - p) / scale[n, c] for y, p, _, _, n, c in rows if scale[n, c] > 0]
    return {
        "mae": sum(abs(y - p) for y, p, *_ in rows) / count,
        "rmse": math.sqrt(sum((y - e) ** 2 for y, _, e, *_ in rows) / count),
        "mase": sum(judged) / len(judged),
        "wape": sum(abs(y - p) for y, p, *_ in rows) / sum(abs(y) for y, *_ in rows),
        "smape": sum(200 * abs(y - p) / (abs(y) + abs(p)) for y, p, *_ in rows) / count,
        "mape": sum(100 * abs(y - p) / y for y, p, *_ in rows) / count,
        "accuracy": 1 - math.sqrt(errors) / math.sqrt(sum(y**2 for y, *_ in rows)),
        "r2_grand": 1 - errors / var([y for y, *_ in rows]),
        "explained": 1 - var([e - y for y, _, e, *_ in rows]) / var([y for y, *_ in rows]),
        "r2": 1 - sum((y - e) ** 2 for y, _, e, *_ in rows)
        / sum((y - level[n, c]) ** 2 for y, _, _, _, n, c in rows),
        "mae_scaled": sum(abs(z(y, n, c) - z(p, n, c)) for y, p, _, _, n, c in rows) / count,
        "mse_scaled": sum((z(y, n, c) - z(p, n, c)) ** 2 for y, p, _, _, n, c in rows) / count,
        "rmse_scaled": math.sqrt(
            sum((z(y, n, c) - z(p, n, c)) ** 2 for y, p, _, _, n, c in rows) / count
        ),
        "pinball": sum(losses) / len(losses),
        "crps": 2 * sum(losses) / len(losses),
        "cover80": sum(n == 2 or q[0.1] <= y <= q[0.9] for y, _, _, q, n, _ in rows) / count,
        "width80": sum(q[0.9] - q[0.1] for _, _, _, q, _, _ in rows) / count,
    }  # fmt: skip


def test_every_score_is_its_formula(scored):
    wanted = in_loops(scored)
    got = {metric.name: scored[1].scores[metric.name]["pooled"] for metric in METRICS}
    assert set(got) == set(wanted)
    for name, value in wanted.items():
        assert got[name] == pytest.approx(value, rel=1e-9), name


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_score_has_a_line_on_the_page(metric):
    assert f"| {metric.label} |" in Page("docs/numbers.md").text
