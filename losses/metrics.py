"""Metrics: additive sums per window, step, node and channel; then a finish over any group of them.

RMSE, R², WAPE and MASE are no means of cells: averaging them over batches is a common error.
Here a metric only ever adds, and divides once at the end, so no batch size can change it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from stsfm.datasets.panel import Array, Panel
from stsfm.datasets.storage.rows import chunks
from stsfm.datasets.transform import LEVELS
from stsfm.losses.base import Step
from stsfm.losses.probabilistic import pinball

Sums = Mapping[str, np.ndarray]
NAN = float("nan")


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What scores are measured against, from the observed training rows in data units.

    scale  (node, channel)  MAE of the seasonal naive forecast; NaN where it is 0 or unknown
    level  (node, channel)  mean
    """

    scale: Array
    level: Array

    @classmethod
    def of(cls, train: Panel) -> Reference:
        season = train.about.season
        added: list[Array] = [0, 0, 0.0, 0.0]
        for rows in chunks(train.values):  # each with the season before it
            start = max(rows.start, season)
            part = train[slice(start - season, rows.stop)].only_targets()
            y, seen = part.values, part.mask
            both = seen[season:] & seen[:-season]
            moved = abs(y[season:] - y[:-season]) * both
            own = train[rows].only_targets()
            more = own.mask.sum(0), both.sum(0), own.values.sum(0, float), moved.sum(0, float)
            added = [a + b for a, b in zip(added, more, strict=True)]
        seen, count, level, total = added
        scale = np.where((count > 0) & (total > 0), total / np.maximum(count, 1), NAN)
        return cls(scale=scale, level=level / np.maximum(seen, 1))


def sums(step: Step, reference: Reference) -> dict[str, np.ndarray]:
    """Additive sums of a step in data units, each (window, step, node, channel)."""
    forecast, y, seen = step.forecast, step.future.values, step.future.mask
    mean = forecast.point if forecast.mean is None else forecast.mean
    error = abs(forecast.point - y)
    size = abs(forecast.point) + abs(y)
    scaled = step.transform.forward(forecast.point) - step.transform.forward(y, seen)
    judged = seen & np.isfinite(reference.scale)
    out = {
        "count": seen,
        "absolute": error,
        "residual": y - forecast.point,
        "squared": (mean - y) ** 2,
        "truth": abs(y),
        "total": y,
        "power": y**2,
        "bias": mean - y,
        "percent": np.where(y > 0, 100 * error / np.where(y > 0, y, 1), 0),
        "unpercented": y <= 0,
        "relative": np.where(size > 0, 200 * error / np.where(size > 0, size, 1), 0),
        "deviation": (y - reference.level) ** 2,
        "scaled_absolute": abs(scaled),
        "scaled_squared": scaled**2,
        "mase_count": judged,
        "mase": np.where(judged, error / reference.scale, 0),
    }
    if forecast.quantiles is not None:
        out |= _distribution(forecast.quantiles, forecast.levels, y)
    return {name: np.where(seen, value, 0).astype(float) for name, value in out.items()}


def _distribution(quantiles: Array, levels: tuple[float, ...], y: Array) -> dict[str, Array]:
    """CRPS as twice the mean pinball loss over LEVELS, coverage and width at 80 %.

    Fewer levels give a smaller mean, so only forecasts at all of LEVELS have a CRPS.
    """
    at = {level: quantiles[..., k] for k, level in enumerate(levels)}
    out = {}
    if set(LEVELS) <= set(levels):
        each = (pinball(at[level][..., None], y, (level,))[..., 0] for level in LEVELS)
        out["crps"] = 2 * sum(each) / len(LEVELS)  # one at a time: many cells have many quantiles
    if {0.1, 0.9} <= set(levels):
        slack = 1e-9 * abs(y)  # a log and back may move a bound by as much
        covered = (at[0.1] <= y + slack) & (y - slack <= at[0.9])
        out |= {"covered": covered, "width": at[0.9] - at[0.1]}
    return out


@dataclass(frozen=True, kw_only=True)
class Metric:
    """How sums become a score. `unit` is "data" for the units of the data."""

    name: str
    label: str
    formula: str
    finish: Callable[[Sums], Any]
    unit: str = ""
    better: Literal["low", "high", ""] = "low"  # "": neither, it is judged beside another
    requires: str = "count"  # the sum without which there is no score

    def __call__(self, sums: Sums) -> float | None:
        """The score of all the cells in `sums`; None where the forecast has no such quality."""
        if self.requires not in sums:
            return None
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(self.finish({name: value.sum() for name, value in sums.items()}))


def _about_mean(squares: Any, total: Any, count: Any) -> Any:
    """Σ(x − mean)² from Σx² and Σx."""
    return squares - total**2 / count


METRICS = (
    Metric(name="mae", label="MAE", unit="data", formula="Σ|ŷ−y| / n",
           finish=lambda s: s["absolute"] / s["count"]),
    Metric(name="rmse", label="RMSE", unit="data", formula="√(Σ(ȳ−y)² / n), ȳ the predictive mean",
           finish=lambda s: np.sqrt(s["squared"] / s["count"])),
    Metric(name="mase", label="MASE", formula="mean of |ŷ−y| / MAE of seasonal naive on train",
           finish=lambda s: s["mase"] / s["mase_count"]),
    Metric(name="wape", label="WAPE", formula="Σ|ŷ−y| / Σ|y|",
           finish=lambda s: s["absolute"] / s["truth"]),
    Metric(name="smape", label="sMAPE %", formula="mean of 200 |ŷ−y| / (|ŷ|+|y|)",
           finish=lambda s: s["relative"] / s["count"]),
    Metric(name="mape", label="MAPE %", formula="mean of 100 |ŷ−y| / y; undefined with any y ≤ 0",
           finish=lambda s: s["percent"] / s["count"] if s["unpercented"] == 0 else NAN),
    Metric(name="r2", label="R²", better="high",
           formula="1 − Σ(ȳ−y)² / Σ(y−m)², m each node's train mean",
           finish=lambda s: 1 - s["squared"] / s["deviation"]),
    Metric(name="r2_grand", label="R² (grand mean)", better="high",
           formula="1 − Σ(ȳ−y)² / Σ(y−m)², m the mean of all y scored",
           finish=lambda s: 1 - s["squared"] / _about_mean(s["power"], s["total"], s["count"])),
    Metric(name="explained", label="explained variance", better="high",
           formula="1 − Var(ȳ−y) / Var(y)",
           finish=lambda s: 1 - _about_mean(s["squared"], s["bias"], s["count"])
           / _about_mean(s["power"], s["total"], s["count"])),
    Metric(name="accuracy", label="accuracy", better="high", formula="1 − √Σ(ȳ−y)² / √Σy²",
           finish=lambda s: 1 - np.sqrt(s["squared"] / s["power"])),
    Metric(name="mae_scaled", label="MAE (scaled)", formula="Σ|T(ŷ)−T(y)| / n, T the transform",
           finish=lambda s: s["scaled_absolute"] / s["count"]),
    Metric(name="mse_scaled", label="MSE (scaled)", formula="Σ(T(ŷ)−T(y))² / n, T the transform",
           finish=lambda s: s["scaled_squared"] / s["count"]),
    Metric(name="rmse_scaled", label="RMSE (scaled)", formula="√(Σ(T(ŷ)−T(y))² / n)",
           finish=lambda s: np.sqrt(s["scaled_squared"] / s["count"])),
    Metric(name="crps", label="CRPS", unit="data", formula="2 × mean pinball loss over 0.05 … 0.95",
           finish=lambda s: s["crps"] / s["count"], requires="crps"),
    Metric(name="pinball", label="pinball", unit="data", formula="mean over 0.05 … 0.95; CRPS / 2",
           finish=lambda s: s["crps"] / s["count"] / 2, requires="crps"),
    Metric(name="cover80", label="cover 80 %", better="",
           formula="share of y in the 10 % … 90 % quantiles",
           finish=lambda s: s["covered"] / s["count"], requires="covered"),
    Metric(name="width80", label="width 80 %", better="", unit="data",
           formula="mean of q90 − q10",
           finish=lambda s: s["width"] / s["count"], requires="width"),
)  # fmt: skip
METRIC = {metric.name: metric for metric in METRICS}
