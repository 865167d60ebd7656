"""Linear, AR, ARIMA and ETS: known answers, and agreement with statsmodels and with algebra."""

from __future__ import annotations

import importlib
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from omegaconf import OmegaConf

from stsfm.backtest import backtest
from stsfm.datasets.airline import airline
from stsfm.datasets.panel import About, Panel
from stsfm.datasets.protocols.rolling import rolling
from stsfm.datasets.synthetic import ring, sines
from stsfm.datasets.windows import RollingWindows
from stsfm.losses.metrics import Reference
from stsfm.models.base import Forecaster
from stsfm.models.layers.normalise import centre
from stsfm.models.numerics.ridge import GRID

CONF = Path(__file__).parents[1] / "conf" / "model"
NAMES = ("linear", "ar", "arima", "ets")
RAW = {"transform": "none", "scaling": "none"}


def make(name: str, **changes: Any) -> Forecaster:
    """A model as its YAML file says, with some keys changed."""
    keys = OmegaConf.merge(OmegaConf.load(CONF / f"{name}.yaml"), changes)
    keys.pop("space", None)  # of a search, and no key of the model
    module, cls = keys.pop("_target_").rsplit(".", 1)
    return getattr(importlib.import_module(module), cls)(**keys)


def mae(name: str, keys: dict[str, Any] | None = None, **protocol: Any) -> float:
    """Test MAE on airline, parameters from everything before the test border."""
    split = rolling(airline(), **protocol)
    reference = Reference.of(airline().upto(split.rules["train"][1]))
    model = make(name, **(keys or {})).fit(split.train, split.val).refit(split.development)
    return backtest(model, split.test, split, reference).scores["mae"]["pooled"]


def series(values: Any, mask: Any = None, season: int = 1, **extra: Any) -> Panel:
    """A panel of (time,) or (time, node) values."""
    values = np.asarray(values, float).reshape(len(values), -1, 1)
    mask = np.ones(values.shape, bool) if mask is None else np.reshape(mask, values.shape)
    names = tuple(f"node {n}" for n in range(values.shape[1]))
    about = About(name="toy", nodes=names, channels=("x",), season=season)
    about = replace(about, **extra.pop("about", {}))
    return Panel(values=values * mask, mask=mask, time=np.arange(len(values)), about=about, **extra)


def windows(panel: Panel, horizon: int = 5, first: int = 1) -> RollingWindows:
    return RollingWindows(
        panel=panel, origins=np.arange(first, len(panel) - horizon + 1), horizon=horizon
    )


def walk(rows: int, phi: tuple[float, ...], seed: int = 0, level: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y = np.zeros(rows + 100)
    for t in range(len(phi), len(y)):
        y[t] = np.dot(phi, y[t - len(phi) : t][::-1]) + rng.standard_normal()
    return y[100:] + level


def fitted(name: str, panel: Panel, horizon: int = 5, **keys: Any) -> Forecaster:
    learn = windows(panel, horizon)
    return make(name, **keys).fit(learn, learn.subset(slice(0, 0)))


@pytest.mark.parametrize(
    ("name", "keys", "protocol", "low", "high"),
    [
        ("linear", {}, {}, 20.38, 20.48),
        ("linear", {}, {"transform": "none"}, 15.87, 15.97),
        ("arima", {}, {"test": "1960-01"}, 13.10, 13.40),
        ("arima", {}, {}, 14.82, 15.12),
        ("ets", {"seasonal": "mul"}, {"test": "1960-01", **RAW}, 9.4, 10.6),
        ("ets", {"seasonal": "mul"}, RAW, 19.9, 20.7),
        ("ar", {}, {}, 15.9, 16.1),
    ],
)
def test_known_answers(
    name: str, keys: dict[str, Any], protocol: dict[str, Any], low: float, high: float
) -> None:
    assert low < mae(name, keys, **protocol) < high


def _toy(name: str) -> Panel:
    """Two nodes and two channels, one a target; with gaps where the model can read them."""
    t = np.arange(90)
    rng = np.random.default_rng(3)
    values = np.sin(2 * np.pi * t / 4)[:, None, None] + 0.1 * rng.standard_normal((90, 2, 2))
    values = values.cumsum(0) / 5
    mask = np.ones(values.shape, bool)
    if "missing" in make(name).tags:
        mask = rng.random(values.shape) > (
            0.01 if name == "linear" else 0.15
        )  # it learns from runs
        mask[:7, 1] = False
        mask[60:66, 0] = False
    about = About(name="toy", nodes=("a", "b"), channels=("u", "v"), targets=("v",), season=4)
    return Panel(values=values * mask, mask=mask, time=t, about=about)


@pytest.mark.parametrize("name", NAMES)
def test_one_pass_is_many_predictions(name: str, tmp_path: Path) -> None:
    """Backtest = predict, batched or single, padded or not; and all survives a save."""
    data = windows(_toy(name), first=1)
    model = make(name).fit(data.subset(data.origins < 70), data.subset(slice(0, 0)))
    again = make(name)
    model.save(tmp_path)
    again.load(tmp_path)
    tests = data.subset(np.array([0, 1, 3, 8, 40, 62, 66, 80, 20]))
    once = model.backtest(tests)
    past, future = tests.look_back(model.reads).take(slice(None))
    many = again.predict(past, future.blank())
    assert once.point.shape == (9, 5, 2, 1) and np.isfinite(once.point).all()
    tight = {"rtol": 1e-7, "atol": 1e-7}  # a diffuse start of variance 1e6 costs arima nine digits
    np.testing.assert_allclose(many.point, once.point, **tight)
    for i, window in enumerate(tests.look_back(model.reads)):
        single = again.predict(window.past, window.future.blank())
        np.testing.assert_allclose(single.point, once.point[i], **tight)
        if "intervals" in model.tags:
            np.testing.assert_allclose(single.scale, once.scale[i], **tight)
            np.testing.assert_allclose(many.scale[i], once.scale[i], **tight)


@pytest.mark.parametrize("name", NAMES)
def test_ring_and_constants(name: str) -> None:
    panel = ring(length=160, nodes=8, own=0.5, neighbour=0.4, noise=1.0, seed=0)
    values = panel.values.copy()
    values[:, 3] = 2.5
    split = rolling(replace(panel, values=values), horizon=4)
    model = make(name).fit(split.train, split.val)
    keys, first = dict(vars(model)), model.backtest(split.test)
    model.refit(split.development)
    forecast = split.transform.forecast(model.backtest(split.test))
    assert forecast.point.shape == (len(split.test), 4, 8, 1)
    assert not np.array_equal(model.backtest(split.test).point, first.point)
    assert {k: v for k, v in vars(model).items() if k[-1] != "_"} == {
        k: v for k, v in keys.items() if k[-1] != "_"
    }
    if name != "linear":  # whose one map is shared with the nodes that move
        np.testing.assert_allclose(forecast.point[:, :, 3], 2.5, atol=1e-6)


# linear


def test_centre_speaks_numpy_and_torch() -> None:
    rng = np.random.default_rng(0)
    mask = rng.random((2, 7, 3, 2)) > 0.4
    mask[0, :, 0, 0] = False
    values = rng.standard_normal(mask.shape) * mask
    about = About(name="toy", nodes=("a", "b", "c"), channels=("x", "y"))
    stamps = np.tile(np.arange(7), (2, 1))
    past = Panel(values=values, mask=mask, time=stamps, about=about)
    for how in ("none", "last", "mean"):
        z, level = centre(past, how)
        z_torch, level_torch = centre(past.map(torch.as_tensor), how)
        np.testing.assert_allclose(z_torch.numpy(), z, atol=1e-14)
        np.testing.assert_allclose(level_torch.numpy(), level, atol=1e-14)
        assert level.shape == (2, 1, 3, 2) and (z[~mask] == 0).all()
        for b, n, c in np.ndindex(2, 3, 2):
            seen = values[b, mask[b, :, n, c], n, c]
            wanted = {"none": 0.0, "last": seen[-1:].sum(), "mean": seen.mean() if len(seen) else 0}
            assert level[b, 0, n, c] == pytest.approx(wanted[how])


def test_linear_is_least_squares() -> None:
    """With a covariate that is known ahead, against one dense solve."""
    rng = np.random.default_rng(1)
    known = rng.standard_normal((80, 1, 1))
    y = np.column_stack([walk(80, (0.7,), s) for s in (1, 2)]) + 2 * known[:, 0]
    about = {"covariates": ("u",), "kinds": ("planned",)}
    panel = series(y, known=known, about=about)
    model = fitted("linear", panel, 3, context=4, ridge=0.0)
    rows, targets = [], []
    for origin in range(4, 78):
        for n in range(2):
            last = y[origin - 1, n]
            ahead = known[origin - 4 : origin + 3, 0, 0]  # and what was known of the past
            rows.append([1, *y[origin - 4 : origin, n] - last, *ahead])
            targets.append(y[origin : origin + 3, n] - last)
    weight = np.linalg.lstsq(np.array(rows), np.array(targets), rcond=None)[0]
    np.testing.assert_allclose(model.weight_[0], weight[1:], atol=1e-9)
    np.testing.assert_allclose(model.bias_[0], weight[0], atol=1e-9)


def test_linear_keeps_the_ridge_it_chose() -> None:
    split = rolling(airline())
    model = make("linear", ridge="auto").fit(split.train, split.val)
    chosen = float(model.ridge_)
    assert chosen in GRID and chosen > 0
    assert float(model.refit(split.development).ridge_) == chosen
    big = make("linear", ridge=1e9, normalise="none").fit(split.train, split.val)
    assert abs(big.weight_).max() < 1e-6  # all but the intercept is shrunk away


def test_linear_skips_gaps_series_by_series() -> None:
    y = np.column_stack([np.arange(60.0), np.arange(60.0)])
    mask = np.ones(y.shape, bool)
    mask[::5, 1] = False  # the second node has no complete window at all
    model = fitted("linear", series(y, mask), 3, context=6)
    forecast = model.backtest(windows(series(y), 3, first=6))
    np.testing.assert_allclose(forecast.point[0, :, 0, 0], [6, 7, 8], atol=1e-6)


# autoregression


def test_ar_is_ordinary_least_squares() -> None:
    y = walk(200, (0.6, -0.3, 0.2), level=4.0)
    model = fitted("ar", series(y), order=3)
    design = np.column_stack([np.ones(197), y[2:-1], y[1:-2], y[:-3]])
    weight, rss, *_ = np.linalg.lstsq(design, y[3:], rcond=None)
    np.testing.assert_allclose(model.constant_[0, 0], weight[0], atol=1e-10)
    np.testing.assert_allclose(model.lags_[0, 0], weight[1:], atol=1e-10)
    np.testing.assert_allclose(model.variance_[0, 0], rss[0] / 193, rtol=1e-10)


@pytest.mark.parametrize("gaps", [False, True])
def test_ar_forecasts_as_statsmodels_does(gaps: bool) -> None:
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    y = walk(200, (0.6, -0.3), level=4.0)
    mask = np.ones(200, bool)
    if gaps:
        mask[[100, 150, 197, 199]] = False
    model = fitted("ar", series(y, mask), 5, order=2)
    params = [model.constant_[0, 0], *model.lags_[0, 0], model.variance_[0, 0]]
    reference = SARIMAX(np.where(mask, y, np.nan), order=(2, 0, 0), trend="c")
    wanted = reference.filter(params).get_forecast(8)
    past = series(y, mask)
    forecast = model.predict(past, series(np.zeros(8)).blank())
    np.testing.assert_allclose(forecast.point[:, 0, 0], wanted.predicted_mean, atol=1e-8)
    np.testing.assert_allclose(forecast.scale[:, 0, 0], wanted.se_mean, atol=1e-8)


def test_ar_finds_its_order() -> None:
    y = np.column_stack([walk(600, (0.6, -0.4), seed) for seed in range(6)])
    found = fitted("ar", series(y)).order_
    assert (found >= 2).all() and np.median(found) <= 3
    split = rolling(airline())
    assert make("ar").fit(split.train, split.val).order_[0, 0] >= 12


# ARIMA


def test_airline_model() -> None:
    """Box & Jenkins' θ = 0.40 and Θ = 0.56, which statsmodels and R write with a minus."""
    panel = airline()
    logged = replace(panel, values=np.log(panel.values))
    model = fitted("arima", logged)
    np.testing.assert_allclose(model.params_[0, 0, :2], [-0.4018, -0.5569], atol=1e-3)
    np.testing.assert_allclose(model.params_[0, 0, 2], 0.0013477, rtol=1e-2)
    assert model.converged_.all() and model.parameters == 3
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    options = {"order": (0, 1, 1), "seasonal_order": (0, 1, 1, 12), "simple_differencing": True}
    likelihood = SARIMAX(logged.values[:, 0, 0], **options).loglike(model.params_[0, 0])
    assert likelihood == pytest.approx(244.6965, abs=1e-2)


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("order", [[0, 1, 1], [2, 0, 1]])
def test_arima_forecasts_as_statsmodels_does(gaps: bool, order: list[int]) -> None:
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    logged = np.log(airline().values[:, 0, 0])
    mask = np.ones(144, bool)
    if gaps:
        mask[[20, 21, 50, 100, 101, 102, 118]] = False
    panel = series(logged, mask, season=12)
    model = make("arima", order=order).fit(windows(panel[:108]), windows(panel[:108]))
    forecast = model.backtest(windows(panel, 12))
    options = {"order": order, "seasonal_order": (0, 1, 1, 12), "trend": "n"}
    y = np.where(mask, logged, np.nan)
    results = SARIMAX(y[:108], **options).filter(model.params_[0, 0])
    for origin in (60, 108, 119, 132):
        wanted = results.apply(y[:origin]).get_forecast(12)
        point, scale = forecast.point[origin - 1, :, 0, 0], forecast.scale[origin - 1, :, 0, 0]
        np.testing.assert_allclose(point, wanted.predicted_mean, rtol=0, atol=1e-7)
        np.testing.assert_allclose(scale, wanted.se_mean, rtol=1e-7)


def test_arima_with_a_constant_forecasts_as_statsmodels_does() -> None:
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    y = walk(150, (0.7,), level=5.0)
    model = fitted("arima", series(y), order=[1, 0, 0])
    wanted = SARIMAX(y, order=(1, 0, 0), trend="c").filter(model.params_[0, 0]).get_forecast(6)
    forecast = model.predict(series(y), series(np.zeros(6)).blank())
    np.testing.assert_allclose(forecast.point[:, 0, 0], wanted.predicted_mean, atol=1e-8)
    np.testing.assert_allclose(forecast.scale[:, 0, 0], wanted.se_mean, rtol=1e-8)


def test_arima_finds_its_order() -> None:
    panel = airline()
    logged = replace(panel, values=np.log(panel.values))
    assert fitted("arima", logged, order="auto").order_.tolist() == [[[0, 1, 1, 0, 1, 1, 0]]]
    found = fitted("arima", series(walk(400, (0.6, -0.4))), order="auto").order_[0, 0]
    p, d, q = found[:3]
    assert d == 0 and p + q >= 2 and (found[3:6] == 0).all()


def test_arima_long_seasons_are_quick() -> None:
    panel = sines(length=1000, nodes=3, periods=[24, 168], amplitudes=[1.0, 0.5], noise=0.1, seed=0)
    split = rolling(panel)
    start = time.perf_counter()
    model = make("arima").fit(split.train, split.val)
    model.backtest(split.test)
    assert time.perf_counter() - start < 10
    assert model.order_[0, 0].tolist() == [0, 1, 1, 0, 1, 1, 0]


def test_arima_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted("arima", series(walk(40, (0.9,))), order=[3, 0, 3], steps=2)
    assert capfd.readouterr() == ("", "")


# exponential smoothing


@pytest.mark.parametrize("seasonal", ["add", "mul", "none"])
@pytest.mark.parametrize("damped", [False, True])
def test_ets_forecasts_as_statsmodels_does(seasonal: str, damped: bool) -> None:
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    panel = airline()
    y = pd.Series(panel.values[:120, 0, 0])
    model = fitted("ets", panel[:120], seasonal=seasonal, damped=damped)
    kind = {"seasonal": seasonal, "seasonal_periods": 12} if seasonal != "none" else {}
    reference = ETSModel(y, trend="add", damped_trend=damped, **kind)
    wanted = reference.fit(disp=0)
    steps = model.backtest(windows(panel[:120], 1)).point[:, 0, 0, 0]
    np.testing.assert_allclose(steps, wanted.fittedvalues[1:], atol=1e-8)
    forecast = model.predict(panel[:120], panel[120:144].blank())
    np.testing.assert_allclose(forecast.point[:, 0, 0], wanted.forecast(24), atol=1e-7)
    if seasonal != "mul":
        bounds = wanted.get_prediction(120, 143, method="exact").pred_int()
        width = np.ptp(bounds.to_numpy(), axis=1)
        ours = (forecast.scale / forecast.scale[0])[:, 0, 0]
        np.testing.assert_allclose(ours, width / width[0], rtol=1e-10)


def test_ets_multiplicative_intervals_match_simulation() -> None:
    panel = airline()
    model = fitted("ets", panel[:120], seasonal="mul")
    scale = model.predict(panel[:120], panel[120:144].blank()).scale[:, 0, 0]
    alpha, beta, gamma, phi = model.smoothing_[:, 0, 0]
    state = model._states(panel[:120], np.array([120]), True)
    level, slope, *_ = (x[0, ..., 0, 0] for x in state)
    season = list(np.tile(state[2][0, :, 0, 0], (40_000, 1)).T)
    rng, paths = np.random.default_rng(0), []
    level, slope = np.full(40_000, level), np.full(40_000, slope)
    for _ in range(24):
        before, due = level + phi * slope, season.pop(0)
        y = before * due + model.deviation_[0, 0] * rng.standard_normal(40_000)
        level = before + alpha * (y / due - before)
        slope = phi * slope + beta * (level - before)
        season.append(due + gamma * (y / level - due))
        paths.append(y)
    np.testing.assert_allclose(scale, np.std(paths, axis=1), rtol=0.03)


def test_ets_says_what_it_cannot_do() -> None:
    split = rolling(airline())
    with pytest.raises(ValueError, match=r"protocol\.transform=none protocol\.scaling=none"):
        make("ets", seasonal="mul").fit(split.train, split.val)
    mask = np.arange(50) != 20
    with pytest.raises(ValueError, match="without gaps"):
        fitted("ets", series(np.arange(50), mask))
    with pytest.raises(ValueError, match="24 rows"):
        fitted("ets", series(np.arange(20), season=12))


def test_light_models_import_no_heavy_library() -> None:
    """A table of linear and ar pays for neither statsmodels nor torch."""
    import subprocess
    import sys

    code = (
        "import sys, stsfm.models.linear, stsfm.models.ar;"
        "assert not {'statsmodels', 'scipy', 'pandas', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=CONF.anchor)
