"""Traffic an hour ahead as T-GCN scores it: 80 % train, 20 % test, all steps pooled.

The windows of test are the paper's own: each has its past inside the test part too, and the last
one that would fit is left out. An hour is forecast, and each quarter of an hour has the scores of a
forecast of that length: of its steps, over exactly the windows that the paper gives that horizon.

Where we depart: the paper validates on nothing and reports the epoch that is best on test, which
is here but an option (`oracle`); and it divides by the largest value of all rows, test included,
where we scale by train.
Zhao et al., T-GCN: A Temporal Graph Convolutional Network for Traffic Prediction, IEEE T-ITS 21
(2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from stsfm.datasets.beyond import extended
from stsfm.datasets.calendar import add_calendar
from stsfm.datasets.panel import Panel
from stsfm.datasets.protocols.borders import Ground, rows_of, with_season
from stsfm.datasets.protocols.traffic import an_hour
from stsfm.datasets.split import Split, View
from stsfm.datasets.transform import Scaling

QUARTERS = (15, 30, 45, 60)  # minutes
TRAIN, VAL = 0.8, 0.12  # of all rows; of those of train, the last
ORACLE = (
    "oracle=true: validation is test, so epochs and settings are chosen by the test scores that "
    "are shown, as in the paper; they are not to be had in practice"
)


def tgcn(
    panel: Panel,
    *,
    horizon: int | Literal["auto"] = "auto",
    past: int | Literal["auto"] = "auto",
    scaling: Scaling = "pooled",
    oracle: bool = False,
    calendar: Sequence[str] | Literal["auto"] = (),
) -> Split:
    """80/20 % of the rows, validation on the last 12 % of train.

    horizon   rows to forecast; auto: an hour, with views of its quarters
    past      rows of past that the paper's windows have, which is where test begins, whatever a
              model reads; auto: an hour
    scaling   pooled | standard | none, by the rows of train
    oracle    stop and choose on test, as the paper does: said wherever the numbers stand
    calendar  features of the stamps that are offered to every model

    Models that draw no random numbers are refitted on all of train. Raises ValueError where the
    rows are too few, or where `auto` finds no hour in the stamps.
    """
    panel = panel.history()
    h, back = an_hour(panel, horizon, "horizon"), an_hour(panel, past, "past")
    rows, end = len(panel), int(len(panel) * TRAIN)
    start = end if oracle else end - round(end * VAL)
    quarters = {minutes: n for minutes in QUARTERS if 0 < (n := rows_of(panel, minutes)) <= h}
    windows = lambda steps: max(0, rows - end - back - steps)  # noqa: E731
    origins = end + back + np.arange(windows(min([h, *quarters.values()])))
    beyond = int(origins.max(initial=0)) + h - rows  # of the horizon of the last windows
    panel = extended(panel, beyond) if beyond > 0 else panel
    panel = add_calendar(with_season(panel, start), calendar)
    ground = Ground.of(panel, start, h, scaling=scaling)
    test = ground.at(origins, len(panel))
    views = tuple(View(f"{m} min", (0, n), windows(n)) for m, n in quarters.items())
    chosen = "test, an oracle" if oracle else "validation"
    return ground.split(
        {
            "protocol": "tgcn", "train": [0, start], "val": [end, rows] if oracle else [start, end],
            "test": [end, rows], "past": back, "scaling": scaling,
            "windows": "rows − past − steps of each view",
            "fit": f"nets: train, best epoch on {chosen}; others: refitted on all before test",
        },
        train=ground.cut(1, start),
        val=test if oracle else ground.cut(start, end),
        test=test,
        development=None if oracle else ground.cut(1, end),
        views=views if len(views) > 1 else (),
        metrics=("rmse", "mae", "accuracy", "r2_grand", "explained"),
        warned=(ORACLE,) if oracle else (),
    )  # fmt: skip
