"""Many windows: our batched filter, and the affine map that it is where windows have no gaps,
against statsmodels' `apply`, window by window."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from clock import here, paired, report
from statsmodels.tsa.statespace.sarimax import SARIMAX
from statsmodels.tsa.statespace.structural import UnobservedComponents

from stsfm.datasets.panel import About, Panel
from stsfm.models.arima import ARIMA
from stsfm.models.base import Forecaster
from stsfm.models.kalman import Kalman

ROWS, HORIZON, MANY, SAMPLE = 96, 12, 20_000, 200
CASES = {  # order, seasonal order, parameters, the least ratio of theirs to ours: gaps, none
    "ARIMA(2,1,1)": ((2, 1, 1), (0, 0, 0), [0.4, 0.1, -0.3, 0.02], (50, 50)),
    "SARIMA(0,1,1)(0,1,1)12": ((0, 1, 1), (0, 1, 1), [-0.4, -0.55, 0.02], (4, 50)),
}
BSM = [0.05, 0.04, 0.001, 0.02]  # variances of noise, level, slope and season


def series(rows: int, missing: float) -> Panel:
    """A random walk of one node, a share of its cells missing."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((rows, 1, 1)).cumsum(0)
    values = (values - values.mean()) / values.std()
    mask = rng.random(values.shape) >= missing
    about = About(name="walk", nodes=("a",), channels=("y",), season=12)
    return Panel(values=values * mask, mask=mask, time=np.arange(rows), about=about)


def arima(order: Sequence[int], seasonal: Sequence[int], params: Sequence[float]) -> ARIMA:
    model = ARIMA(order=order, seasonal=seasonal, steps=1)
    model.order_ = np.array([*order, *seasonal, 0]).reshape(1, 1, -1)
    model.params_ = np.reshape(params, (1, 1, -1))
    return model


def structural() -> Kalman:
    model = Kalman(structure="bsm", factors=1, lags=1, steps=1)
    model.mean_, model.scale_ = np.zeros((1, 1)), np.ones((1, 1))
    model.season_, model.params_ = np.int64(12), np.array([BSM])
    return model


def ratio(name: str, model: Forecaster, theirs: Any, params: Any, gaps: bool, least: float) -> bool:
    """A line: windows forecast by the model, and by `theirs`, made of a series, at `params`."""
    panel, starts = series(MANY + ROWS + HORIZON, 0.2 * gaps), np.arange(MANY)
    past, future = panel.runs(starts, ROWS), panel.runs(starts + ROWS, HORIZON).blank()
    y = np.where(past.mask, past.values, np.nan)[:SAMPLE, :, 0, 0]
    results = theirs(y[0]).filter(params)

    def apply() -> None:
        for row in y:
            results.apply(row).get_forecast(HORIZON).se_mean  # noqa: B018  it is computed here

    found, them, us = paired(here(apply), here(lambda: model.predict(past, future)), rounds=3)
    more = f"({us:.2f} s for {MANY} windows; apply would take {them * MANY / SAMPLE:.0f} s)"
    what = f"{name} {'over gaps' if gaps else 'without gaps'}, times faster than apply"
    return report(what, found * MANY / SAMPLE, least, more=more, least=True)


def main() -> bool:
    kept = []
    for name, (order, seasonal, params, least) in CASES.items():
        lags = (*seasonal, 12 if any(seasonal) else 0)
        theirs = partial(SARIMAX, order=order, seasonal_order=lags)
        for gaps, bound in zip((True, False), least, strict=True):
            kept.append(ratio(name, arima(order, seasonal, params), theirs, params, gaps, bound))
    theirs = partial(UnobservedComponents, level="lltrend", seasonal=12)
    kept.append(ratio("kalman bsm 12", structural(), theirs, BSM, False, 50))
    return all(kept)


if __name__ == "__main__":
    raise SystemExit(not main())
