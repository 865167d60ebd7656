"""Models in closed form over space and time: known answers by hand, by algebra, by statsmodels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stsfm import compose
from stsfm.build import build_model
from stsfm.datasets.ablation import ablated
from stsfm.datasets.panel import About, Panel, Space
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster
from stsfm.models.layers.moments import of_windows, sliding
from stsfm.models.layers.ridge import Moments

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
