"""Series with gaps: the batched filter is statsmodels', and every model reads them or says no."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from kinds import ALL_SLOWLY
from statsmodels.tsa.statespace.sarimax import SARIMAX

from stsfm import compose
from stsfm.backtest import evaluate
from stsfm.build import build_model
from stsfm.datasets.panel import About, Panel, Space
from stsfm.datasets.protocols.rolling import rolling
from stsfm.datasets.windows import RollingWindows
from stsfm.models import linear
from stsfm.models.arima import ARIMA
from stsfm.models.linear import Linear

CONTEXT, HORIZON = 60, 6
ORDERS = {  # order, seasonal order, parameters: AR, MA, seasonal MA, σ²
    "ARIMA(2,1,1)": ((2, 1, 1), (0, 0, 0), [0.4, 0.1, -0.3, 0.02]),
    "SARIMA(0,1,1)(0,1,1)12": ((0, 1, 1), (0, 1, 1), [-0.4, -0.55, 0.02]),
}


def learned(order: tuple[int, ...], seasonal: tuple[int, ...], params: list[float]) -> ARIMA:
    """An ARIMA of one series that has these parameters."""
    model = ARIMA(order=order, seasonal=seasonal, steps=1)
    model.order_ = np.array([*order, *seasonal, 0]).reshape(1, 1, -1)
    model.params_ = np.reshape(params, (1, 1, -1))
    return model


def walk(rows: int, missing: float) -> Panel:
    rng = np.random.default_rng(7)
    values = rng.standard_normal((rows, 1, 1)).cumsum(0) / 5
    mask = rng.random(values.shape) >= missing
    about = About(name="walk", nodes=("a",), channels=("y",), season=12)
    return Panel(values=values * mask, mask=mask, time=np.arange(rows), about=about)


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("name", ORDERS)
def test_a_batch_with_gaps_is_filtered_as_statsmodels_does(name: str, missing: float) -> None:
    order, seasonal, params = ORDERS[name]
    panel, starts = walk(140, missing), np.arange(40)
    past, future = panel.runs(starts, CONTEXT), panel.runs(starts + CONTEXT, HORIZON)
    made = learned(order, seasonal, params).predict(past, future.blank())
    lags = (*seasonal, 12 if any(seasonal) else 0)
    for i in starts[::3]:
        y = np.where(past.mask, past.values, np.nan)[i, :, 0, 0]
        y = y[np.isfinite(y).argmax() :]
        theirs = SARIMAX(y, order=order, seasonal_order=lags).filter(params).get_forecast(HORIZON)
        tight = 1e-7 if any(seasonal) else 1e-8  # 13 states start with a variance of 1e6
        np.testing.assert_allclose(made.point[i, :, 0, 0], theirs.predicted_mean, tight, tight)
        np.testing.assert_allclose(made.scale[i, :, 0, 0], theirs.se_mean, rtol=tight)


def test_windows_with_the_same_gaps_share_a_covariance_and_keep_their_values() -> None:
    panel = walk(200, 0.0)
    mask = (np.arange(200) % 5 != 2)[:, None, None]  # windows five rows apart have the same gaps
    panel = Panel(values=panel.values * mask, mask=mask, time=panel.time, about=panel.about)
    starts = np.array([0, 5, 1, 10, 6, 0])
    past, future = panel.runs(starts, CONTEXT), panel.runs(starts + CONTEXT, HORIZON).blank()
    model = learned(*ORDERS["ARIMA(2,1,1)"])
    together = model.predict(past, future)
    for i in range(len(starts)):
        alone = model.predict(past.part((i,)), future.part((i,)))
        np.testing.assert_allclose(together.point[i], alone.point, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(together.scale[i], alone.scale, rtol=1e-8)
    assert abs(together.point[0] - together.point[1]).max() > 1e-3


@pytest.fixture
def holey(monkeypatch: pytest.MonkeyPatch) -> None:
    """`data=airline` without a fifth of its cells; its node has no graph, and needs none."""
    from stsfm.datasets import airline

    whole = airline.airline()
    mask = np.random.default_rng(11).random(whole.mask.shape) >= 0.2
    alone = Space(graph="none")
    panel = replace(whole, mask=mask, values=whole.values * mask, space=alone)
    monkeypatch.setattr(airline, "airline", lambda: panel)
    monkeypatch.setattr(airline.airline, "__module__", airline.__name__)


@pytest.mark.parametrize("name", ALL_SLOWLY)
def test_every_model_reads_the_airline_series_with_holes_or_says_no(desk, holey, name) -> None:
    if name == "prophet":
        pytest.importorskip("prophet")
    config = compose.config([f"model={name}"])["model"]
    model = build_model(config, lambda row: None, {"calibration": 0})
    short = ["trainer.epochs=2"] if hasattr(model, "trainer") else []
    if (model.reads or 0) > 48:  # more than 144 months can teach
        short.append("model.context=24")
    code = desk("run", f"model={name}", *short, "baselines=[]")
    if "equation" in model.needs:  # it follows a law, and these data state none
        assert code == 2 and "given=" in desk.err and not desk.runs()
    elif code == 1 and "frames" in desk.err:  # a single series is too narrow for its states
        assert "more nodes" in desk.err and "model/embedding=delay" in desk.err
    elif code == 1:  # it learns from windows that are whole: here there are too few
        assert f"{name} found no" in desk.err and "without gaps" in desk.err
    elif "missing" in model.tags:
        scores = desk.only(f"/{name}/").scores
        parts = scores["val"], scores["test"]
        found = [part[metric]["pooled"] for part in parts for metric in ("mae", "rmse")]
        assert code == 0 and np.isfinite(found).all()
        assert scores["test"]["mae"]["pooled"] < 250  # the mean of all months is off by 200
    else:
        assert code == 2 and not desk.runs()
        (line,) = desk.err.strip().splitlines()
        assert f"{name} can't read missing cells" in line and "model=arima" in line


def test_linear_learns_each_step_over_gaps_where_too_few_series_are_whole(monkeypatch) -> None:
    panel, origins = walk(150, 0.2), np.arange(12, 140)
    data = RollingWindows(panel=panel, origins=origins, horizon=3)
    monkeypatch.setattr(linear, "CELLS", 400)  # in some chunks
    model = Linear(context=12, ridge=0.0, normalise="last", shared=True)
    model.fit(data, data.subset(slice(0, 0)))
    past, future = data.look_back(12).take(slice(None))
    values, seen = past.values[..., 0, 0], past.mask[..., 0, 0]
    last = np.array([row[at][-1] for row, at in zip(values, seen, strict=True)])
    x = np.where(seen, values - last[:, None], 0)  # a gap stands at the level
    x = np.column_stack([np.ones(len(x)), x])
    for step in range(3):
        at = future.mask[:, step, 0, 0]
        y = (future.values[:, step, 0, 0] - last)[at]
        wanted = np.linalg.lstsq(x[at], y, rcond=None)[0]
        np.testing.assert_allclose(model.weight_[0, :, step], wanted[1:], rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(model.bias_[0, step], wanted[0], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("begins", [124, 130])
@pytest.mark.parametrize("name", ALL_SLOWLY)
def test_a_series_that_begins_within_test_is_unknown_until_then(name: str, begins: int) -> None:
    """Until its first row nothing of it is seen; a refit may have one row to learn from, or six."""
    if name == "prophet":
        pytest.importorskip("prophet")
    config = compose.config([f"model={name}", "trainer.epochs=1", "trainer.update_epochs=1"])
    model = config["model"] | ({"context": 12} if "context" in config["model"] else {})
    made = []
    for level in (5.0, 50.0):
        panel = walk(150, 0.0)
        late = np.where(np.arange(150) >= begins, level + panel.values[:, 0, 0], 0)
        panel = Panel(
            values=np.stack([panel.values[:, 0], late[:, None]], 1),
            mask=np.stack([panel.mask[:, 0], (late != 0)[:, None]], 1),
            time=panel.time,
            space=Space(adjacency=1 - np.eye(2)),
            about=replace(panel.about, nodes=("early", "late")),
        )
        split = rolling(panel, horizon=3, val=100, test=120, refit=5)
        fresh = build_model(model, lambda row: None, split.rules)
        if "missing" not in fresh.tags:
            pytest.skip(f"{name} does not claim to read missing cells")
        if fresh.lacks(frozenset({"graph"})):
            pytest.skip(f"{name} follows a law, and these data state none")
        if name == "prophet":
            with pytest.raises(ValueError, match="2 observed rows of each series"):
                evaluate(fresh, split, refit=True)
            return
        forecast = evaluate(fresh, split, refit="seed" not in model).test.forecast
        assert np.isfinite(forecast.point).all()
        made.append(forecast.point[split.test.origins <= begins])
    np.testing.assert_array_equal(*made)
