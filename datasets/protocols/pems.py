"""Traffic flow as the papers on PEMS03, 04, 07 and 08 score it: means over all of an hour ahead.

Rows are split 60/20/20 % in order of time. The windows of validation and test lie in their part
with their pasts, so that the first `past` rows of a part are forecast by nobody. What is 0 is
missing for scaler, loss and metrics alike, as in BasicTS; code of 2019 left zeros out of MAPE only.
Guo et al., ASTGCN, AAAI 2019 (the data); Song et al., STSGCN, AAAI 2020 (borders and tables).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from stsfm.datasets.calendar import add_calendar
from stsfm.datasets.panel import Panel
from stsfm.datasets.protocols.borders import Ground, with_season
from stsfm.datasets.protocols.traffic import MASKED, measured
from stsfm.datasets.reading.matrix import Zeros
from stsfm.datasets.split import Split
from stsfm.datasets.transform import Scaling

TRAIN, VAL = 0.6, 0.8  # where they end


def pems(
    panel: Panel,
    *,
    horizon: int = 12,
    past: int = 12,
    zeros: Zeros = "missing",
    scaling: Scaling = "pooled",
    calendar: Sequence[str] | Literal["auto"] = (),
) -> Split:
    """60/20/20 % of the rows; masked MAE, RMSE and MAPE over all steps of the horizon.

    horizon   rows to forecast
    past      rows of past that the papers' windows have, whatever a model reads
    zeros     missing | observed: what a target of 0 means
    scaling   pooled | standard | none, by the rows of train
    calendar  features of the stamps that are offered to every model

    Raises ValueError where the rows are too few.
    """
    panel = measured(panel.history(), zeros)
    rows = len(panel)
    train, val = int(rows * TRAIN), int(rows * VAL)
    panel = add_calendar(with_season(panel, train), calendar)
    ground = Ground.of(panel, train, horizon, scaling=scaling)
    return ground.split(
        {
            "protocol": "pems", "train": [0, train], "val": [train, val], "test": [val, rows],
            "past": past, "zeros": zeros, "scaling": scaling, "mask": MASKED[zeros],
            "fit": "nets: train, best epoch on validation; others: refitted before the test border",
        },
        train=ground.cut(1, train),
        val=ground.cut(train + past, val),
        test=ground.cut(val + past, rows),
        development=ground.cut(1, val),
        metrics=("mae", "rmse", "mape"),
    )  # fmt: skip
