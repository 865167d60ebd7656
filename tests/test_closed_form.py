"""Figures that others published, or that algebra gives, on the data of the papers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stsfm import compose
from stsfm.build import build_model
from stsfm.datasets.panel import About, Panel, Space
from stsfm.datasets.transform import Transform
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster

DATA = Path(__file__).parents[2] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the data of the papers is not here")
MINUTE = 60 * 10**9


def make(name: str, **keys: Any) -> Forecaster:
    config = compose.config([f"model={name}"])["model"]
    return build_model(config | keys, lambda row: None, {"calibration": 0})


def panel(values: Any, start: str, minutes: int, **extra: Any) -> Panel:
    names = tuple(f"n{i}" for i in range(values.shape[1]))
    first = int(np.datetime64(start, "ns").astype("int64"))
    return Panel(
        values=values[..., None],
        mask=np.ones((*values.shape, 1), bool),
        time=first + np.arange(len(values)) * minutes * MINUTE,
        about=About(name="known", nodes=names, channels=("y",)),
        **extra,
    )


def cut(panel: Panel, fitted: Transform, horizon: int, first: int, last: int) -> RollingWindows:
    """Windows whose futures lie in rows [first, last)."""
    origins = np.arange(first, last - horizon + 1)
    return RollingWindows(panel=panel.upto(last), origins=origins, horizon=horizon,
                          transform=fitted)  # fmt: skip


@pytest.mark.parametrize(
    ("normalise", "mse", "mae"), [("none", 0.3702, 0.3915), ("last", 0.3696, 0.3913)]
)
def test_linear_and_nlinear_on_etth1(normalise: str, mse: float, mae: float) -> None:
    """336 → 96 of Zeng et al. in closed form, λ by validation, on scaled values."""
    rows = np.genfromtxt(DATA / "ett/ETTh1.csv", delimiter=",", skip_header=1)[:14400, 1:]
    raw = panel(rows, "2016-07-01", 60)
    fitted = Transform.fit(raw.upto(8640))
    borders = ((1, 8640), (8640, 11520), (11520, 14400))
    train, val, test = (cut(fitted.panel(raw), fitted, 96, *b) for b in borders)
    model = make("linear", context=336, ridge="auto", normalise=normalise).fit(train, val)
    error = model.backtest(test).point - test.futures().values
    assert len(test) == 2785
    assert (error**2).mean() == pytest.approx(mse, abs=5e-4)
    assert abs(error).mean() == pytest.approx(mae, abs=5e-4)


@pytest.fixture(scope="module")
def los_loop() -> Panel:
    """Speeds of 207 detectors; 80 % of the rows are for training."""
    speed, graph = (
        np.loadtxt(DATA / "los_loop" / name, delimiter=",", skiprows=skip)
        for name, skip in (("los_speed.csv", 1), ("los_adj.csv", 0))
    )
    return panel(speed, "2012-03-01", 5, space=Space(adjacency=graph))


def scores(raw: Panel, model: Forecaster, horizon: int) -> list[tuple[float, float]]:
    """RMSE and MAE in mph at each quarter of an hour, all steps up to it; λ by validation."""
    border, rows = int(0.8 * len(raw)), len(raw)
    start = border - round(0.12 * border)
    fitted = Transform.fit(raw.upto(border))
    borders = ((1, start), (start, border), (1, border), (border + 12, rows - 1))
    train, val, both, test = (cut(fitted.panel(raw), fitted, horizon, *b) for b in borders)
    point = model.fit(train, val).refit(both).backtest(test).point
    error = fitted.inverse(point) - fitted.inverse(test.futures().values)
    upto = (error[:, :steps] for steps in range(3, horizon + 1, 3))
    return [(float((e**2).mean() ** 0.5), float(abs(e).mean())) for e in upto]


def test_an_autoregression_of_each_sensor_on_los_loop(los_loop: Panel) -> None:
    model = make("linear", context=12, ridge=0.0, normalise="none", shared=False)
    (quarter,) = scores(los_loop, model, 3)
    assert quarter == pytest.approx((5.3104, 3.0671), abs=2e-3)


def test_spatial_ridge_on_los_loop(los_loop: Panel) -> None:
    found = [rmse for rmse, _ in scores(los_loop, make("spatial_ridge"), 12)]
    assert (np.array(found) < [5.05, 5.80, 6.25, 6.60]).all(), found
