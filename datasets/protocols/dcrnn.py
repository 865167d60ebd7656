"""Traffic an hour ahead as DCRNN scores it: 12 rows in, 12 out, and three single steps told.

Samples (a past of `past` rows and the future behind it) are split 70/10/20 % in order of time. What
is 0 was not measured: it is missing for scaler, loss and metrics alike. A score "15 min" is that of
the step 15 minutes ahead alone, not of all steps up to it.

Where we depart: samples of train and validation whose futures cross a border are left out (11 of
each), and the scale is fitted to what was measured, where the published one counts the zeros in.
Li, Yu, Shahabi & Liu, Diffusion Convolutional Recurrent Neural Network, ICLR 2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from stsfm.datasets.calendar import add_calendar
from stsfm.datasets.panel import Panel
from stsfm.datasets.protocols.borders import Ground, rows_of, with_season
from stsfm.datasets.protocols.traffic import MASKED, measured
from stsfm.datasets.reading.matrix import Zeros
from stsfm.datasets.split import Split, View
from stsfm.datasets.transform import Scaling

TOLD = (15, 30, 60)  # minutes ahead
TRAIN, TEST = 0.7, 0.2  # of all samples


def dcrnn(
    panel: Panel,
    *,
    horizon: int = 12,
    past: int = 12,
    zeros: Zeros = "missing",
    scaling: Scaling = "pooled",
    calendar: Sequence[str] | Literal["auto"] = (),
) -> Split:
    """70/10/20 % of the samples; masked MAE, RMSE and MAPE at 15, 30 and 60 minutes.

    horizon   rows to forecast
    past      rows of past that a sample has, whatever a model reads: they say where the first one
              lies, and so where the borders do
    zeros     missing | observed: what a target of 0 means
    scaling   pooled | standard | none, by the rows of train
    calendar  features of the stamps that are offered to every model

    Raises ValueError where the rows are too few.
    """
    panel = measured(panel.history(), zeros)
    rows = len(panel)
    samples = rows - past - horizon + 1
    first = rows - horizon + 1 - round(samples * TEST)  # row of test
    start = past + round(samples * TRAIN)  # of validation
    if not 0 < past < start < first:
        raise ValueError(
            f"{panel.about.name} has {rows} rows, too few for samples of {past} + {horizon} rows "
            "in three parts; lower protocol.past and protocol.horizon"
        )
    panel = add_calendar(with_season(panel, start), calendar)
    ground = Ground.of(panel, start, horizon, scaling=scaling)
    ahead = {minutes: rows_of(panel, minutes) for minutes in TOLD}
    return ground.split(
        {
            "protocol": "dcrnn", "train": [0, start], "val": [start, first], "test": [first, rows],
            "past": past, "zeros": zeros, "scaling": scaling, "mask": MASKED[zeros],
            "fit": "nets: train, best epoch on validation; others: refitted before the test border",
        },
        train=ground.at(np.arange(past, start - horizon + 1), start),
        val=ground.cut(start, first),
        test=ground.cut(first, rows),
        development=ground.at(np.arange(past, first - horizon + 1), first),
        views=tuple(View(f"{m} min", (n - 1, n)) for m, n in ahead.items() if 0 < n <= horizon),
        metrics=("mae", "rmse", "mape"),
    )  # fmt: skip
