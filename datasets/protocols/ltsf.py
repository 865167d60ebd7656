"""Long-term forecasting as Autoformer, LTSF-Linear and PatchTST score it.

Every column is scaled by its own training rows, and scores are those of scaled data, over all
windows. ETT has borders of its own: 12, 4 and 4 months of 30 days; what lies behind is not used.
Wu et al., Autoformer, NeurIPS 2021 (the borders); Zeng et al., Are Transformers Effective for Time
Series Forecasting?, AAAI 2023 (the tables).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from stsfm.datasets.calendar import add_calendar
from stsfm.datasets.panel import Panel
from stsfm.datasets.protocols.borders import Ground, rows_of, with_season
from stsfm.datasets.split import Split

MONTHS = (12, 16, 20)  # the ends of train, validation and test
MONTH = 30 * 24 * 60  # minutes


def ltsf(
    panel: Panel,
    *,
    horizon: int = 96,
    borders: Literal["auto", "months", "shares"] = "auto",
    drop_last: int = 0,
    calendar: Sequence[str] | Literal["auto"] = (),
) -> Split:
    """All windows of a scaled series; every model is fitted to train alone.

    horizon    rows to forecast: 96, 192, 336 or 720 in the papers
    borders    months: 12/4/4 months of 30 days; shares: 70/10/20 % of the rows; auto: what the
               dataset suggests, else shares
    drop_last  0, or the batch size of published code that left the last, incomplete batch of test
               windows out: tables before 2024 are to be met only so (32 in LTSF-Linear's scripts)
    calendar   features of the stamps that are offered to every model

    Raises ValueError where the rows are too few.
    """
    panel = panel.history()
    if drop_last < 0:
        raise ValueError(f"protocol.drop_last is a batch size, or 0, got {drop_last}")
    kind = panel.about.suggests.get("borders", "shares") if borders == "auto" else borders
    train, val, end = _months(panel) if kind == "months" else _shares(len(panel))
    panel = add_calendar(with_season(panel.upto(end), train), calendar)
    ground = Ground.of(panel, train, horizon, scaling="standard")
    whole = ground.cut(val, end)
    left = len(whole) % drop_last if drop_last else 0
    test = whole.subset(slice(0, len(whole) - left))
    dropped = {"drop_last": f"{left} of {len(whole)} test windows"} if drop_last else {}
    return ground.split(
        {
            "protocol": "ltsf", "train": [0, train], "val": [train, val], "test": [val, end],
            "borders": kind, "scaling": "standard", "scores": "of scaled values",
            "fit": "all models: train; nets: best epoch on validation", **dropped,
        },
        train=ground.cut(1, train),
        val=ground.cut(train, val),
        test=test,
        development=None,
        metrics=("mse_scaled", "mae_scaled"),
        warned=(_warning(left, len(whole), drop_last),) if left else (),
    )  # fmt: skip


def _months(panel: Panel) -> tuple[int, int, int]:
    month = rows_of(panel, MONTH)
    if not month or len(panel) < MONTHS[-1] * month:
        raise ValueError(
            f"protocol.borders=months wants {MONTHS[-1]} months of 30 days in rows of one step, "
            f"and {panel.about.name} has {len(panel)} rows; use protocol.borders=shares"
        )
    first, second, third = (month * many for many in MONTHS)
    return first, second, third


def _shares(rows: int) -> tuple[int, int, int]:
    """70/10/20 %, rounded as Autoformer's loader does: what is left over is validation's."""
    return int(rows * 0.7), rows - int(rows * 0.2), rows


def _warning(left: int, windows: int, batch: int) -> str:
    return (
        f"drop_last={batch}: the last {left} of {windows} test windows are left out, as published "
        "code did whose last batch was incomplete"
    )
