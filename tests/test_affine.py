"""Windows without gaps go through one affine map, which is what the filter makes of them."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.tsa.statespace.sarimax import SARIMAX
from statsmodels.tsa.statespace.structural import UnobservedComponents

from stsfm.datasets.panel import About, Panel
from stsfm.models.arima import ARIMA
from stsfm.models.kalman import Kalman
from stsfm.models.numerics import affine

ROWS, HORIZON, MANY, SEASON = 40, 5, 90, 4
VARIANCES = [0.05, 0.04, 0.001, 0.02]
CASES = {  # order, seasonal order, parameters
    "ARIMA(2,1,1)": ((2, 1, 1), (0, 0, 0), [0.4, 0.1, -0.3, 0.02]),
    "SARIMA(1,0,1)(0,1,1)4": ((1, 0, 1), (0, 1, 1), [0.4, -0.3, -0.55, 0.02]),
    "bsm": (None, None, VARIANCES),
}


def models(name: str):
    """Ours and statsmodels', of the same parameters."""
    order, seasonal, params = CASES[name]
    if order is None:
        ours = Kalman(structure="bsm", factors=1, lags=1, steps=1)
        ours.mean_, ours.scale_ = np.zeros((1, 1)), np.ones((1, 1))
        ours.season_, ours.params_ = np.int64(SEASON), np.array([params])
        return ours, lambda y: UnobservedComponents(y, level="lltrend", seasonal=SEASON)
    ours = ARIMA(order=order, seasonal=seasonal, steps=1)
    ours.order_ = np.array([*order, *seasonal, 0]).reshape(1, 1, -1)
    ours.params_ = np.reshape(params, (1, 1, -1))
    lags = (*seasonal, SEASON if any(seasonal) else 0)
    return ours, lambda y: SARIMAX(y, order=order, seasonal_order=lags)


def windows() -> tuple[Panel, Panel]:
    rows = MANY + ROWS + HORIZON
    values = np.random.default_rng(2).standard_normal((rows, 1, 1)).cumsum(0) / 3
    about = About(name="walk", nodes=("a",), channels=("y",), season=SEASON)
    mask = np.ones(values.shape, bool)
    panel = Panel(values=values, mask=mask, time=np.arange(rows), about=about)
    starts = np.arange(MANY)
    return panel.runs(starts, ROWS), panel.runs(starts + ROWS, HORIZON).blank()


@pytest.mark.parametrize("name", CASES)
def test_a_map_forecasts_as_the_filter_does_and_as_statsmodels(monkeypatch, name: str) -> None:
    ours, theirs = models(name)
    past, future = windows()
    runs = []
    through = affine.through
    module = f"stsfm.models.{type(ours).__name__.lower()}.through"
    watched = lambda run, values, mask, size: through(  # noqa: E731
        lambda v, m: runs.append(len(v)) or run(v, m), values, mask, size
    )
    monkeypatch.setattr(module, watched)
    made = ours.predict(past, future)
    assert sum(runs) == ROWS + 1, "one filter for each row, and none for a window"
    for part in (slice(0, 30), slice(30, 60)):  # too few for a map
        filtered = ours.predict(past.part(part), future.part(part))
        np.testing.assert_allclose(made.point[part], filtered.point, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(made.scale[part], filtered.scale, rtol=1e-12)
    results = theirs(past.values[0, :, 0, 0]).filter(CASES[name][2])
    for i in range(0, MANY, 30):
        ahead = results.apply(past.values[i, :, 0, 0]).get_forecast(HORIZON)
        np.testing.assert_allclose(made.point[i, :, 0, 0], ahead.predicted_mean, 1e-7, 1e-7)
        np.testing.assert_allclose(made.scale[i, :, 0, 0], ahead.se_mean, rtol=1e-7)
