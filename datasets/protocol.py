"""The rules of a comparison: borders, origins, transform.

    rows  0 ……… train ……… | gap | … validation … | gap | ……… test ……… end

No future crosses a border; a past may reach back over it. Whatever is fitted is fitted on
`train`, or on `development` (everything before the test border) by models that draw no numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from stsfm.datasets.calendar import add_calendar
from stsfm.datasets.panel import Panel
from stsfm.datasets.season import infer_season
from stsfm.datasets.split import Split
from stsfm.datasets.transform import Power, Scaling, Transform
from stsfm.datasets.windows import RollingWindows

VAL = 0.7  # where validation starts, unless a dataset or a user says otherwise


def rolling(
    panel: Panel,
    *,
    horizon: int | Literal["auto"] = "auto",
    val: float | int | str = "auto",
    test: float | int | str = "auto",
    stride: int = 1,
    gap: int = 0,
    calibration: float | int | Literal["auto"] = "auto",
    transform: Power | Literal["auto"] = "auto",
    scaling: Scaling = "standard",
    calendar: Sequence[str] | Literal["auto"] = (),
    refit: int | Literal["never", "each_origin"] = "never",
) -> Split:
    """Rolling origins in the original units: every origin of a split is scored once per stride.

    horizon    rows to forecast; auto: what the dataset suggests, else a season, else 1
    val, test  first row of each split, as a fraction of the rows (0.8), a date ("1958-01") or a
               row number (108); auto: what the dataset suggests, else 0.7 and 0.8
    stride     rows between origins of validation and test; training uses every origin
    gap        rows left out before each border
    calibration  the last rows of train, on which models without a distribution learn intervals: as
               a number or a fraction of train; auto: as many as validation has, at most a quarter
    transform  none | log | boxcox; auto: what the dataset suggests, else none
    scaling    standard (zero mean, unit deviation) | none; of covariates known ahead too
    calendar   features of the stamps that are offered to every model (calendar.py); auto: those
               that fit the sampling step
    refit      never: the fit before a border serves all origins of its split; each_origin: before
               each origin of validation and test a model learns again, from every window whose
               future has ended by then, less `gap`; k: before every k-th. The transform stays

    A season of 0 is inferred from the training rows, and the horizon after it. Rows after the
    last observed target are no part of the protocol: they are a future to be forecast.
    Raises ValueError when a split is left without a window. Hyndman & Athanasopoulos,
    Forecasting: Principles and Practice, 3rd ed. (2021), §5.10.
    """
    panel, inferred = panel.history(), not panel.about.season
    panel = add_calendar(_with_season(panel, val, gap), calendar)
    about = panel.about
    usual = {"horizon": max(1, about.season), "val": VAL, "test": 0.8, "transform": "none"}
    suggests: dict[str, Any] = usual | dict(about.suggests)
    chosen: dict[str, Any] = {"horizon": horizon, "val": val, "test": test, "transform": transform}
    chosen = {k: suggests[k] if v == "auto" else v for k, v in chosen.items()}
    h, power = int(chosen["horizon"]), chosen["transform"]
    every: Any = 1 if refit == "each_origin" else refit
    counts = [("horizon", h, 1), ("stride", stride, 1), ("gap", gap, 0)]
    counts += [("refit", every, 1)] * (every != "never")
    for name, value, least in counts:
        if value < least:
            raise ValueError(f"protocol.{name} must be at least {least}, got {value}")
    rows = len(panel)
    first_val, first_test = border(panel, chosen["val"]), border(panel, chosen["test"])
    if not 0 < first_val < first_test < rows:
        raise ValueError(
            f"borders must rise within the {rows} rows of {about.name}: got validation from row "
            f"{first_val} and test from row {first_test}; set protocol.val and protocol.test"
        )
    ends = {"train": first_val - gap, "val": first_test - gap, "test": rows}
    block = _calibration(calibration, ends["train"], ends["val"] - first_val)
    fitted = Transform.fit(panel.upto(ends["train"]), power=power, scaling=scaling)
    seen, targets = fitted.panel(panel), fitted.only(about.target_index)

    def cut(start: int, stop: int, step: int) -> RollingWindows:
        """Windows whose futures lie in rows [start, stop)."""
        origins = np.arange(start, stop - h + 1, step)
        part = seen.upto(stop)
        return RollingWindows(panel=part, origins=origins, horizon=h, transform=targets)

    split = Split(
        name="rolling",
        panel=panel,
        transform=targets,
        prepare=fitted,
        train=cut(1, ends["train"], 1),
        val=cut(first_val, ends["val"], stride),
        test=cut(first_test, ends["test"], stride),
        development=cut(1, ends["val"], 1),
        rules={
            "protocol": "rolling", "rows": rows, "horizon": h, "train": [0, ends["train"]],
            "val": [first_val, ends["val"]], "test": [first_test, ends["test"]],
            "stride": stride, "gap": gap, "calibration": block, "transform": power,
            "scaling": scaling,
            "mask": "unobserved cells are not scored", "steps": "all steps of the horizon pooled",
            "fit": "nets: train, best epoch on validation; others: refitted before the test border",
            "refit": every,
            **({"season": f"{about.season} (inferred)"} if inferred else {}),
        },
    )  # fmt: skip
    for part in ("train", "val", "test"):
        if not len(getattr(split, part)):
            raise ValueError(
                f"the {part} rows {split.rules[part]} hold no future of {h} rows; "
                "lower protocol.horizon or move protocol.val and protocol.test"
            )
    return split


def _with_season(panel: Panel, val: float | int | str, gap: int) -> Panel:
    """The panel with a season: where nobody said one, what its training rows show."""
    if panel.about.season:
        return panel
    start = panel.about.suggests.get("val", VAL) if val == "auto" else val
    train = panel.upto(max(0, border(panel, start) - gap))
    return replace(panel, about=replace(panel.about, season=infer_season(train)))


def border(panel: Panel, at: float | int | str) -> int:
    """The first row of a split: a fraction of the rows, a row number or a date."""
    if isinstance(at, float) and 0 < at < 1:
        return round(at * len(panel))
    if isinstance(at, int | float) and float(at).is_integer():
        return int(at)
    try:
        date = np.datetime64(str(at), "ns").astype("int64")
    except ValueError:
        raise ValueError(
            f"a border is a fraction (0.8), a date (1958-01) or a row number, got {at!r}"
        ) from None
    return int(np.searchsorted(panel.time, date))


def _calibration(asked: float | int | Literal["auto"], train: int, val: int) -> int:
    """Rows of the calibration block; of `train` rows, where validation has `val`."""
    if asked == "auto":
        return max(0, min(val, train // 4))
    rows = round(asked * train) if 0 < asked < 1 else asked
    if not 0 <= rows < train or rows != int(rows):
        raise ValueError(
            f"protocol.calibration is a fraction of train, or a number of its {train} rows, got "
            f"{asked}; 0 = no intervals"
        )
    return int(rows)
