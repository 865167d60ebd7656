"""Rolling origins in the units of the data: the protocol of everyday comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from stsfm.datasets.calendar import add_calendar
from stsfm.datasets.panel import Panel
from stsfm.datasets.protocols.borders import Ground, border, with_season
from stsfm.datasets.split import Split, View
from stsfm.datasets.transform import Power, Scaling

# unless a dataset or a user says otherwise; the horizon is then a season
USUAL = {"val": 0.7, "test": 0.8, "transform": "none"}


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
    folds: int = 1,
    fold: int = 1,
    steps: Sequence[int] = (),
    until: float | int | str | None = None,
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
    folds      how many equal blocks the test rows are cut into, each a task of its own: its
               validation are as many rows before it as `val` … `test` are, its train all before
    fold       which of them, from 1
    steps      steps ahead, from 1, that are scored on their own, beside all together
    until      the first row that is left out, as is all after it: what is chosen on the rows before
               has seen none of them. A fraction, a date or a row number, as of val and test

    A season of 0 is inferred from the training rows, and the horizon after it. Rows after the
    last observed target are no part of the protocol: they are a future to be forecast.
    Raises ValueError when a split is left without a window. Hyndman & Athanasopoulos,
    Forecasting: Principles and Practice, 3rd ed. (2021), §5.10.
    """
    panel, inferred = _before(panel.history(), until), not panel.about.season
    suggests: dict[str, Any] = USUAL | dict(panel.about.suggests)
    chosen: dict[str, Any] = {"horizon": horizon, "val": val, "test": test, "transform": transform}
    chosen = {k: suggests.get(k) if v == "auto" else v for k, v in chosen.items()}
    first_val, first_test, end = _borders(panel, chosen["val"], chosen["test"], folds, fold)
    panel = add_calendar(with_season(panel, first_val - gap), calendar)
    about = panel.about
    if chosen["horizon"] is None:
        chosen["horizon"] = max(1, about.season)
    h, power = int(chosen["horizon"]), chosen["transform"]
    every: Any = 1 if refit == "each_origin" else refit
    counts = [("horizon", h, 1), ("stride", stride, 1), ("gap", gap, 0)]
    counts += [("refit", every, 1)] * (every != "never")
    for name, value, least in counts:
        if value < least:
            raise ValueError(f"protocol.{name} must be at least {least}, got {value}")
    if outside := [step for step in steps if not 1 <= step <= h]:
        raise ValueError(f"protocol.steps are of 1 … {h} rows ahead, got {outside}")
    ends = {"train": first_val - gap, "val": first_test - gap, "test": end}
    block = _calibration(calibration, ends["train"], ends["val"] - first_val)
    ground = Ground.of(panel, ends["train"], h, power=power, scaling=scaling)
    return ground.split(
        {
            "protocol": "rolling", "train": [0, ends["train"]],
            "val": [first_val, ends["val"]], "test": [first_test, ends["test"]],
            "stride": stride, "gap": gap, "calibration": block, "transform": power,
            "scaling": scaling, "refit": every,
            "fit": "nets: train, best epoch on validation; others: refitted before the test border",
            **({"season": f"{about.season} (inferred)"} if inferred else {}),
            **({"fold": f"{fold} of {folds}"} if folds > 1 else {}),
            **({"alone": list(steps)} if steps else {}),
            **({"until": len(panel)} if until is not None else {}),
        },
        train=ground.cut(1, ends["train"]),
        val=ground.cut(first_val, ends["val"], stride),
        test=ground.cut(first_test, ends["test"], stride),
        development=ground.cut(1, ends["val"]),
        views=tuple(View(f"step {step}", (step - 1, step)) for step in steps),
    )  # fmt: skip


def _before(panel: Panel, until: float | int | str | None) -> Panel:
    """The rows before a border; all where there is none."""
    if until is None:
        return panel
    row = border(panel, until)
    if not 0 < row <= len(panel):
        raise ValueError(
            f"protocol.until leaves out the rows from one of the {len(panel)} of "
            f"{panel.about.name} on, got row {row}"
        )
    return panel.upto(row)


def _borders(
    panel: Panel, val: float | int | str, test: float | int | str, folds: int, fold: int
) -> tuple[int, int, int]:
    """The first rows of validation and of test, and the row behind the last."""
    rows, first_val, first_test = len(panel), border(panel, val), border(panel, test)
    if not 0 < first_val < first_test < rows:
        raise ValueError(
            f"borders must rise within the {rows} rows of {panel.about.name}: got validation from "
            f"row {first_val} and test from row {first_test}; set protocol.val and protocol.test"
        )
    if not 1 <= fold <= folds:
        raise ValueError(
            f"protocol.fold is one of 1 … {max(1, folds)} folds, got {fold}; "
            "protocol.folds says how many there are"
        )
    start, end = (first_test + k * (rows - first_test) // folds for k in (fold - 1, fold))
    return first_val + start - first_test, start, end


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
