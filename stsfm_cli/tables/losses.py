"""What a row lost at each origin, so that its mean is the very score that the table shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stsfm.tables.row import Row

if TYPE_CHECKING:
    from stsfm.record import Record

# metric → the sums of windows.npz whose ratio it is; RMSE is the root of `squared`, R² is none
RATIOS = {
    "mae": ("absolute", "count"),
    "mase": ("mase", "mase_count"),
    "wape": ("absolute", "truth"),
    "smape": ("relative", "count"),
    "squared": ("squared", "count"),
    "mae_scaled": ("scaled_absolute", "count"),
    "mse_scaled": ("scaled_squared", "count"),
    "crps": ("crps", "count"),
    "pinball": ("crps", "count"),
    "cover80": ("covered", "count"),
    "width80": ("width", "count"),
}
ROOTS = {"rmse": "squared", "rmse_scaled": "mse_scaled"}  # metric → what it is the root of
HALVED = ("pinball",)  # CRPS is twice the mean pinball loss


@dataclass(frozen=True, eq=False)
class Losses:
    """The loss of a row at each origin: the mean over its steps and nodes, then over seeds."""

    origins: np.ndarray  # (n,) the row of the data at which each forecast begins
    values: np.ndarray  # (n,) in the unit of the metric; NaN where nothing was observed
    horizon: int


def losses(row: Row, split: str, metric: str) -> Losses | None:
    """The losses of a row on `val` or `test`; None where none of its runs has such sums."""
    kept = [one for record in row.records if (one := _of(record, split, metric)) is not None]
    if not kept or len(kept) < len(row.records):
        return None
    origins = kept[0][0]
    values = np.mean([values for _, values in kept], axis=0)
    return Losses(origins, values, row.records[0].status["horizon"])


def _of(record: Record, split: str, metric: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Origins and losses of one run."""
    above, below = RATIOS.get(metric, ("", ""))
    sums = record.arrays("windows.npz")
    if not {f"{split}_{above}", f"{split}_{below}", f"{split}_origins"} <= sums.keys():
        return None
    observed = "count" if below == "truth" else below  # no demand at an origin was observed, too
    names = (above, below, observed)
    errors, cells, seen = (sums[f"{split}_{name}"].sum((1, 2)) for name in names)
    if not cells.sum():
        return None
    values = at_origins(errors, cells, seen > 0)
    return sums[f"{split}_origins"], values / (2 if metric in HALVED else 1)


def at_origins(errors: np.ndarray, cells: np.ndarray, seen: np.ndarray | None = None) -> np.ndarray:
    """The loss of each origin (n,) from its sum of errors (n,) and its observed cells (n,).

    A score pools cells: R = Σa / Σc over origins, with a the sum of errors at an origin and c its
    observed cells. The loss of an origin is R + (a − R·c) / mean(c), the linearised ratio (Cochran
    1977, §6.3): just a / c where all is observed, and else of mean R and of the right variance.
    Origins at which nothing was observed are NaN, and leave that mean as it is. Where `cells` are
    sizes and not counts, as for WAPE, they may be 0 at origins that were observed: `seen` says it.
    """
    pooled, seen = errors.sum() / cells.sum(), cells > 0 if seen is None else seen
    return np.where(seen, pooled + (errors - pooled * cells) / cells[seen].mean(), np.nan)


def sampling_error(row: Row, metric: str) -> float | None:
    """The standard error of a test score over origins; None where it can't be told honestly.

    That of a root follows from that of the squared error, by its slope.
    """
    from stsfm.significance import sampling_error as of_mean

    lost = losses(row, "test", ROOTS.get(metric, metric))
    error = None if lost is None else of_mean(lost.values, lost.origins, lost.horizon)
    if lost is None or error is None or metric not in ROOTS:
        return error
    return error / (2 * float(np.sqrt(np.nanmean(lost.values))) or np.inf)
