"""Models in closed form over space and time: known answers by hand, by algebra, by statsmodels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stsfm import compose
from stsfm.build import build_model
from stsfm.datasets.ablation import ablated
from stsfm.datasets.about import GRAPHS
from stsfm.datasets.panel import About, Panel, Space
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster
from stsfm.models.numerics.moments import of_windows, sliding
from stsfm.models.numerics.ridge import Moments

HOUR = 3600 * 10**9
MONDAY = int(np.datetime64("2024-01-01", "ns").astype("int64"))


def make(name: str, **keys: Any) -> Forecaster:
    config = compose.config([f"model={name}"])["model"]
    return build_model(config | keys, lambda row: None, {"calibration": 0})


def table(values: Any, mask: Any = None, step: int = HOUR, **extra: Any) -> Panel:
    """A panel of (time, node) values from a Monday's midnight."""
    values = np.asarray(values, float)[..., None]
    mask = np.ones(values.shape, bool) if mask is None else np.reshape(mask, values.shape)
    about = About(name="toy", nodes=tuple(f"n{i}" for i in range(values.shape[1])), channels=("y",))
    time = MONDAY + np.arange(len(values)) * step
    return Panel(values=values * mask, mask=mask, time=time, about=about, **extra)


def windows(panel: Panel, horizon: int, first: int = 1) -> RollingWindows:
    origins = np.arange(first, len(panel) - horizon + 1)
    return RollingWindows(panel=panel, origins=origins, horizon=horizon)


def fitted(name: str, panel: Panel, horizon: int, **keys: Any) -> Forecaster:
    learn = windows(panel, horizon)
    return make(name, **keys).fit(learn, learn.subset(slice(0, 0)))


# ---- moments and ridge ---------------------------------------------------------------------------


def test_moments_slide() -> None:
    rng = np.random.default_rng(0)
    signals = rng.standard_normal((3, 40))
    for length in (1, 7, 40):
        each = [
            np.concatenate([[1], signals[:, o : o + length].ravel()]) for o in range(41 - length)
        ]
        wanted = np.transpose(each) @ each
        np.testing.assert_allclose(sliding(signals, length), wanted, atol=1e-12)


def test_moments_of_windows_step_over_gaps() -> None:
    rng = np.random.default_rng(1)
    mask = rng.random((60, 2)) > 0.05
    panel = table(rng.standard_normal((60, 2)), mask)
    starts = np.r_[3:30, 35:50]
    for n, got in enumerate(of_windows(panel, starts, 4, centred=False)):
        rows = [np.r_[1, panel.values[s : s + 4, n, 0]] for s in starts if mask[s : s + 4, n].all()]
        np.testing.assert_allclose(got, np.transpose(rows) @ rows, atol=1e-12)


def test_ridge_of_moments_is_ridge_of_rows() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((2, 50, 4)), rng.standard_normal((2, 50, 3))
    ones = np.concatenate([np.ones((2, 50, 1)), x], -1)
    moments, prior = Moments.of(ones, y), rng.standard_normal((1, 5, 3))
    for ridge, towards in ((0.0, None), (0.3, None), (0.3, prior)):
        maps = moments.solve(ridge, towards)
        for part in range(2):
            a, b = x[part] - x[part].mean(0), y[part] - y[part].mean(0)
            start = 0 if towards is None else prior[0, 1:]
            strength = ridge * 50 * a.var(0).mean()
            wanted = start + np.linalg.solve(
                a.T @ a + strength * np.eye(4), a.T @ (b - a @ (start + np.zeros((4, 3))))
            )
            np.testing.assert_allclose(maps[part, 1:], wanted, atol=1e-12)
        left = ((y - ones @ maps) ** 2).sum(1)
        np.testing.assert_allclose(moments.error(maps), left, rtol=1e-12)
    none = Moments.of(0 * ones, 0 * y)
    np.testing.assert_array_equal(none.solve(0.1, prior), np.repeat(prior, 2, 0))


# ---- linear --------------------------------------------------------------------------------------


@pytest.mark.parametrize("normalise", ["none", "last", "mean"])
def test_a_map_of_its_own_is_least_squares_of_that_series(normalise: str) -> None:
    rng = np.random.default_rng(3)
    y = rng.standard_normal((120, 2)).cumsum(0)
    keys = {"context": 5, "ridge": 0.0, "normalise": normalise}
    own = fitted("linear", table(y), 3, shared=False, **keys)
    assert "new_nodes" not in own.tags
    made = own.backtest(windows(table(y), 3, first=5)).point
    for n in range(2):
        alone = fitted("linear", table(y[:, [n]]), 3, shared=True, **keys)
        wanted = alone.backtest(windows(table(y[:, [n]]), 3, first=5)).point
        np.testing.assert_allclose(made[:, :, [n]], wanted, atol=1e-9)
    x = np.stack([y[o - 5 : o] for o in range(5, 118)])  # (window, lag, node)
    level = {"none": 0 * x[:, :1], "last": x[:, -1:], "mean": x.mean(1, keepdims=True)}[normalise]
    target = np.stack([y[o : o + 3] for o in range(5, 118)]) - level
    for n in range(2):
        rows = np.column_stack([np.ones(113), (x - level)[..., n]])
        wanted = rows @ np.linalg.lstsq(rows, target[..., n], rcond=None)[0] + level[..., n]
        np.testing.assert_allclose(made[:, :, n, 0], wanted, atol=1e-9)


def test_a_node_never_seen_leaves_the_others_alone() -> None:
    y = np.random.default_rng(4).standard_normal((90, 2)).cumsum(0)
    dead = np.ones((90, 2), bool)
    dead[:, 1] = False
    keys = {"context": 4, "shared": False, "normalise": "none"}
    made = fitted("linear", table(y, dead), 2, **keys).backtest(windows(table(y), 2, first=4))
    alone = fitted("linear", table(y[:, :1]), 2, **keys)
    wanted = alone.backtest(windows(table(y[:, :1]), 2, first=4)).point
    np.testing.assert_allclose(made.point[:, :, :1], wanted, atol=1e-9)
    assert (made.point[:, :, 1] == 0).all()  # the mean of train, in the transform's units


# ---- historical average --------------------------------------------------------------------------


def test_historical_average_by_hand() -> None:
    """Two weeks and a day in rows of 12 hours: means of a slot, of a time of day, of a series."""
    y = np.arange(30.0)[:, None]
    mask = np.ones((30, 1), bool)
    mask[[3, 17]] = False  # every Tuesday noon
    mask[[4]] = False  # the first Wednesday midnight
    mask[[8]] = False  # the first Friday midnight …
    mask[[22]] = False  # … and the second
    model = fitted("historical_average", table(y, mask, 12 * HOUR), 2)
    assert model.profile_.shape == (14, 1, 1)
    noon = [r for r in range(1, 30, 2) if mask[r, 0]]
    midnight = [r for r in range(0, 30, 2) if mask[r, 0]]
    wanted = {0: (0 + 14 + 28) / 3, 3: np.mean(noon), 4: 18.0, 8: np.mean(midnight), 13: 20.0}
    for slot, value in wanted.items():
        assert model.profile_[slot, 0, 0] == pytest.approx(value)
    ahead = table(np.zeros((44, 1)), step=12 * HOUR)[slice(42, 44)]  # a Monday
    made = model.predict(table(y)[-1:], ahead.blank()).point
    np.testing.assert_allclose(made[:, 0, 0], [wanted[0], (1 + 15 + 29) / 3])


def test_historical_average_of_a_time_of_day_never_seen_is_the_mean() -> None:
    mask = (np.arange(48) % 24 != 5)[:, None]
    model = fitted("historical_average", table(np.arange(48.0)[:, None], mask), 1)
    assert model.profile_[5, 0, 0] == pytest.approx(np.arange(48)[mask[:, 0]].mean())
    assert model.profile_[6 * 24 + 7, 0, 0] == pytest.approx((7 + 31) / 2)  # a Sunday


# ---- spatial ridge -------------------------------------------------------------------------------


def follower(rows: int = 400, seed: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Five nodes; each takes what the next but one had, as the graph (node, node) says."""
    rng = np.random.default_rng(seed)
    ring = np.roll(np.eye(5), 2, axis=1)  # i → i + 2
    y = np.zeros((rows, 5))
    for t in range(1, rows):
        y[t] = 0.8 * ring @ y[t - 1] + rng.standard_normal(5)
    return y, ring


def rmse(panel: Panel, **keys: Any) -> float:
    """Of the last quarter, one step ahead."""
    learn, test = windows(panel.upto(300), 1), windows(panel, 1, first=300)
    model = make("spatial_ridge", **keys).fit(learn, learn.subset(slice(0, 0)))
    error = model.backtest(test).point - test.futures().values
    return float((error**2).mean() ** 0.5)


def test_spatial_ridge_gains_from_the_graph_and_from_no_other() -> None:
    y, ring = follower()
    panel = table(y, space=Space(adjacency=ring))
    keys = {"context": 2, "orders": 1, "neighbours": 1}
    found = {g: rmse(ablated(panel, g), **keys) for g in GRAPHS}
    assert found["given"] < 1.12  # the noise alone is 1.04
    assert found["learned"] == pytest.approx(found["given"], abs=0.02)
    assert min(found["none"], found["shuffled"]) > 1.2 * found["given"]


def test_spatial_ridge_is_least_squares_on_own_and_diffused_values() -> None:
    """At λ = 0, against a dense solve; P and its transpose once and twice."""
    y, ring = follower(120)
    ring[0, 1] = 1.0  # rows no longer sum to 1
    panel = table(y, space=Space(adjacency=ring), step=HOUR // 100)
    learn = windows(panel, 2)
    model = make("spatial_ridge", context=2, orders=2, ridge=0.0)
    made = model.fit(learn, learn.subset(slice(0, 0))).backtest(windows(panel, 2, first=2)).point
    forward, back = (w / w.sum(1, keepdims=True) for w in (ring, ring.T))
    spread = [np.eye(5), forward, forward @ forward, back, back @ back]
    for n in range(5):
        rows = np.array(
            [
                np.concatenate([[1], *((y[o - 2 : o] @ p.T)[:, n] for p in spread)])
                for o in range(2, 119)
            ]
        )
        target = np.stack([y[o : o + 2, n] for o in range(2, 119)])
        wanted = rows @ np.linalg.lstsq(rows, target, rcond=None)[0]
        np.testing.assert_allclose(made[:, :, n, 0], wanted, atol=1e-7)


def test_spatial_ridge_averages_over_the_neighbours_that_were_observed() -> None:
    y, ring = follower(120)
    ring[0, 1] = 3.0
    panel = table(y, space=Space(adjacency=ring))
    model = make("spatial_ridge", context=1, orders=1)
    model.fit(windows(panel, 1), windows(panel, 1))
    mask = np.ones((1, 5), bool)
    mask[0, 2] = False
    past = table(y[:1] * mask, mask)
    forward, backward = model._diffused(past)  # (n, c, t)
    assert forward[0, 0, 0] == pytest.approx(y[0, 1])  # of 1 and 2, of which 2 is missing
    assert forward[1, 0, 0] == pytest.approx(y[0, 3])
    assert backward[4, 0, 0] == 0  # of 2 alone


def test_spatial_ridge_learns_the_day_and_the_weekend() -> None:
    hours = np.arange(24 * 28)
    resting = (hours // 24 % 7 >= 5)[:, None]
    wave = np.sin(2 * np.pi * hours / 24)[:, None]
    y = np.where(resting, 0.3 * wave, wave + np.sign(wave)) + np.array([[0.0, 1.0]])
    noise = np.random.default_rng(9).standard_normal(y.shape)
    panel = table(y + 0.1 * noise)
    learn, test = windows(panel.upto(24 * 21), 3), windows(panel, 3, first=24 * 21)
    errors = {}
    for harmonics in (0, 8):
        model = make("spatial_ridge", harmonics=harmonics).fit(learn, learn.subset(slice(0, 0)))
        errors[harmonics] = abs(model.backtest(test).point - test.futures().values).mean()
    assert errors[8] < 0.2 < 0.5 * errors[0] + 0.1
    few = windows(panel.upto(40), 3)  # less than two days
    assert make("spatial_ridge").fit(few, few.subset(slice(0, 0))).clock_.tolist() == [0, 0]


# ---- vector autoregression -----------------------------------------------------------------------


def swinging(rows: int = 300, size: int = 3) -> np.ndarray:
    rng = np.random.default_rng(5)
    lags = 0.5 * np.eye(size) + 0.2 * np.roll(np.eye(size), 1, 0), -0.2 * np.eye(size)
    y = np.zeros((rows, size))
    for t in range(2, rows):
        y[t] = 1 + y[t - 1] @ lags[0] + y[t - 2] @ lags[1] + rng.standard_normal(size)
    return y


def test_var_is_that_of_statsmodels() -> None:
    from statsmodels.tsa.api import VAR

    y = swinging()
    model = fitted("var", table(y), 4, order=2, ridge=0.0)
    wanted = VAR(y).fit(2)
    np.testing.assert_allclose(model.constant_, wanted.intercept, atol=1e-10)
    np.testing.assert_allclose(model.lags_.swapaxes(1, 2), wanted.coefs, atol=1e-10)
    made = model.predict(table(y)[-4:], table(y)[:4].blank()).point[..., 0]
    np.testing.assert_allclose(made, wanted.forecast(y[-2:], 4), atol=1e-10)


def test_var_is_the_same_in_any_coordinates() -> None:
    y, turn = swinging(), np.random.default_rng(6).standard_normal((3, 3))
    plain, turned = (
        fitted("var", table(x), 3, order=2, ridge=0.0).backtest(windows(table(x), 3, 4)).point
        for x in (y, y @ turn)
    )
    np.testing.assert_allclose(plain[..., 0] @ turn, turned[..., 0], atol=1e-11)


def test_var_learns_no_more_lags_than_its_rows_can_bear() -> None:
    assert fitted("var", table(swinging(100)), 3, order=12, ridge=0.0).order_ == 3
    assert fitted("var", table(swinging(100)), 3, order=12, ridge=0.1).order_ == 12
    with pytest.raises(ValueError, match=r"needs 30 rows .* got 29; set model.ridge above 0"):
        fitted("var", table(swinging(29)), 3, order=1, ridge=0.0)


def test_var_fills_a_gap_with_its_own_forecast() -> None:
    y = swinging()
    model = fitted("var", table(y), 3, order=2, ridge=0.0)
    mask = np.ones((4, 3), bool)
    mask[3, 1] = False
    gap = table(y[:4] * mask, mask)
    made = model.predict(gap, table(y[:3]).blank()).point
    filled = y[:4].copy()
    filled[3, 1] = model.predict(table(y[:3]), table(y[:1]).blank()).point[0, 1, 0]
    wanted = model.predict(table(filled), table(y[:3]).blank()).point
    np.testing.assert_allclose(made, wanted, atol=1e-12)
    holes = np.random.default_rng(7).random(y.shape) > 0.1
    whole = [t for t in range(2, 300) if holes[t - 2 : t + 1].all()]
    x = np.column_stack([np.ones(len(whole)), *(y[np.array(whole) - k] for k in (1, 2))])
    wanted = np.linalg.lstsq(x, y[whole], rcond=None)[0]
    learned = fitted("var", table(y, holes), 3, order=2, ridge=0.0)
    np.testing.assert_allclose(learned.constant_, wanted[0], atol=1e-10)


# ---- support vector regression -------------------------------------------------------------------


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_svr_is_that_of_scikit_learn(kernel: str) -> None:
    from sklearn import svm

    y = np.sin(np.arange(90.0) / 3)[:, None] + 0.1 * swinging(90)[:, :2]
    keys = {"context": 3, "strength": 1.0, "margin": 0.05}
    model = fitted("svr", table(y), 2, kernel=kernel, rows=1000, **keys)
    x = np.concatenate([np.stack([y[o - 3 : o, n] for o in range(3, 89)], 0) for n in range(2)])
    order = np.arange(172).reshape(2, 86).T.ravel()  # window by window, as the model takes them
    x = x[order]
    made = model.backtest(windows(table(y), 2, first=3)).point
    for step in range(2):
        target = np.stack([y[3 + step : 89 + step, n] for n in range(2)]).ravel()[order]
        machine = svm.SVR(kernel=kernel, C=1.0, epsilon=0.05, gamma="scale")
        wanted = machine.fit(x, target).predict(x).reshape(86, 2)
        np.testing.assert_allclose(made[:, step, :, 0], wanted, atol=1e-9)


def test_svr_learns_from_a_part_that_lies_evenly() -> None:
    y = np.arange(1000.0)[:, None] + [[0.0, 0.25, 0.5, 0.75]]
    learn = windows(table(y), 1)
    model = make("svr", context=1, rows=100)
    first, _ = model._examples(learn)
    again, _ = make("svr", context=1, rows=100)._examples(learn)
    np.testing.assert_array_equal(first, again)
    assert len(first) == 100
    assert (np.histogram(first, 10, (0, 1000))[0] >= 8).all()  # of time
    assert (np.unique(first % 1, return_counts=True)[1] >= 15).all()  # and of the nodes
