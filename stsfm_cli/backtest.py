"""A model over windows: fitted by the rules, forecast once in data units, then scored."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.split import Split
from stsfm.datasets.windows import RollingWindows
from stsfm.losses.base import Step
from stsfm.losses.metrics import METRICS, Metric, Reference, sums
from stsfm.models.base import Forecaster
from stsfm.refits import Refits, often
from stsfm.sums import Kept, Tally, pieces
from stsfm.views import Views


@dataclass(frozen=True, kw_only=True)
class Backtest:
    """The scores of one model over one split, and what they were made of."""

    scores: dict[str, Any]  # metric → {pooled, step: [horizon], node: [node], view: {name: …}}
    windows: dict[str, np.ndarray]  # sum → (window, node | 1, channel | 1), summed over steps
    steps: dict[str, np.ndarray]  # sum → (step, node, channel), summed over windows
    first: dict[str, np.ndarray]  # residual and count of the first step (window, node, channel)
    rows: np.ndarray  # the windows whose forecasts were kept: all, every k-th or none
    truth: Panel | None  # (window, time, node, target channel) of those, data units
    forecast: Forecast | None
    seconds: float  # spent forecasting


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """A model that was fitted and scored on validation and test."""

    val: Backtest
    test: Backtest | None  # None where only validation was asked for
    fitted_to: str
    fit_seconds: float
    calibrate_seconds: float  # spent on intervals, beside those


def evaluate(model: Forecaster, split: Split, *, refit: bool, test: bool = True) -> Evaluation:
    """Fit on train, score validation; `refit` before the test border, score test if it is asked.

    Models that draw no random numbers are refitted, nets keep the weights of their best validation
    epoch; where the protocol asks for refits, all learn on as it says. Nothing here touches the
    test rows before the last line that scores them.
    """
    reference = Reference.of(split.panel.upto(len(split.train.panel)))
    start = time.perf_counter()
    model.fit(split.train, split.val)
    calibrate = model.calibrate_seconds
    seconds = time.perf_counter() - start - calibrate
    refits = Refits(model, split.rules)
    val = backtest(model, split.val, split, reference, refits)
    development = split.development if refit and test else None
    if development is not None and not refits.every:
        start = time.perf_counter()
        model.refit(development)
        seconds += time.perf_counter() - start
    tested = backtest(model, split.test, split, reference, refits) if test else None
    fitted_to = "train" if development is None else "train + val"
    if refits.every:
        fitted_to = f"up to {often(split.rules['refit'])}"
    seconds += refits.seconds
    return Evaluation(
        val=val, test=tested, fitted_to=fitted_to, fit_seconds=seconds, calibrate_seconds=calibrate
    )


def backtest(
    model: Forecaster,
    windows: RollingWindows,
    split: Split,
    reference: Reference,
    refits: Refits | None = None,
    *,
    batch: int = 0,
) -> Backtest:
    """Forecast every window and score it; `batch` windows at a time (0 = as many as fit)."""
    transform, tally, kept = split.transform, Tally(), Kept(len(windows))
    first, seconds, views = 0, 0.0, Views(split.views)
    runs = refits.runs(windows) if refits else [windows]
    for part in (part for run in runs for part in run.batches(model.reads, batch)):
        start = time.perf_counter()
        made = model.backtest(part)
        seconds += time.perf_counter() - start
        for piece in pieces(made):
            start = time.perf_counter()
            with np.errstate(over="ignore"):  # what overflows is refused below
                forecast = transform.forecast(made.part(piece))
            seconds += time.perf_counter() - start
            _check_finite(forecast)
            truth = split.truth(part.subset(piece)).futures()
            step = Step(past=None, future=truth, forecast=forecast, transform=transform)
            added = sums(step, reference)
            views.add(added)
            tally.add(added)
            kept.add(first + piece.start, forecast, truth)
        first += len(part)
    return Backtest(
        scores={metric.name: score(metric, tally.steps, views) for metric in METRICS},
        windows=tally.windows,
        steps=tally.steps,
        first=tally.first,
        rows=kept.rows,
        truth=kept.truth(),
        forecast=kept.forecast(),
        seconds=seconds,
    )


def _check_finite(forecast: Forecast) -> None:
    """A forecast that is not finite has no score, and is no result."""
    held = [forecast.point, forecast.mean, forecast.quantiles]
    fine = [np.isfinite(x).reshape(len(x), -1).all(-1) for x in held if x is not None]
    bad = ~np.logical_and.reduce(fine)
    if bad.any():
        raise FloatingPointError(
            f"the forecasts of {bad.sum()} of {len(bad)} windows are not finite; "
            "lower trainer.lr, or use protocol.transform=none"
        )


def score(
    metric: Metric, steps: dict[str, np.ndarray], views: Views | None = None
) -> dict[str, Any] | None:
    """A metric over all cells, per step, node and view; None where it has no meaning."""
    if (pooled := metric(steps)) is None:
        return None
    horizon, nodes = steps["count"].shape[:2]
    return {
        "pooled": pooled,
        "step": [metric({k: v[h] for k, v in steps.items()}) for h in range(horizon)],
        "node": [metric({k: v[:, n] for k, v in steps.items()}) for n in range(nodes)],
        **({"view": views.of(metric)} if views and views.views else {}),
    }
