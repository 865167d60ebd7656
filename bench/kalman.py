"""Windows with gaps: our batched filter against statsmodels' `apply`, window by window."""

from __future__ import annotations

import numpy as np
from clock import here, paired, report
from statsmodels.tsa.statespace.sarimax import SARIMAX

from stsfm.datasets.panel import About, Panel
from stsfm.models.arima import ARIMA

ROWS, HORIZON, MANY, SAMPLE = 96, 12, 20_000, 200
CASES = {  # order, seasonal order, parameters, the least ratio of theirs to ours
    "ARIMA(2,1,1)": ((2, 1, 1), (0, 0, 0), [0.4, 0.1, -0.3, 0.02], 50),
    "SARIMA(0,1,1)(0,1,1)12": ((0, 1, 1), (0, 1, 1), [-0.4, -0.55, 0.02], 4),
}


def series(rows: int) -> Panel:
    """A random walk of one node, a fifth of its cells missing."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((rows, 1, 1)).cumsum(0)
    values = (values - values.mean()) / values.std()
    mask = rng.random(values.shape) >= 0.2
    about = About(name="walk", nodes=("a",), channels=("y",), season=12)
    return Panel(values=values * mask, mask=mask, time=np.arange(rows), about=about)


def main() -> bool:
    panel, starts, kept = series(MANY + ROWS + HORIZON), np.arange(MANY), []
    past, future = panel.runs(starts, ROWS), panel.runs(starts + ROWS, HORIZON).blank()
    y = np.where(past.mask, past.values, np.nan)[:SAMPLE, :, 0, 0]
    for name, (order, seasonal, params, least) in CASES.items():
        model = ARIMA(order=order, seasonal=seasonal, steps=1)
        model.order_ = np.array([*order, *seasonal, 0]).reshape(1, 1, -1)
        model.params_ = np.reshape(params, (1, 1, -1))
        lags = (*seasonal, 12 if any(seasonal) else 0)
        results = SARIMAX(y[0], order=order, seasonal_order=lags).filter(params)

        def apply(results: SARIMAX = results) -> None:
            for row in y:
                results.apply(row).get_forecast(HORIZON).se_mean  # noqa: B018  it is computed here

        ratio, theirs, ours = paired(
            here(apply), here(lambda model=model: model.predict(past, future)), rounds=3
        )
        more = f"({ours:.2f} s for {MANY} windows; apply would take {theirs * MANY / SAMPLE:.0f} s)"
        what = f"{name} over gaps, times faster than apply"
        kept.append(report(what, ratio * MANY / SAMPLE, least, more=more, least=True))
    return all(kept)


if __name__ == "__main__":
    raise SystemExit(not main())
