"""What every model promises, kept on a toy panel: `stsfm check model=NAME`, and the test suite.

A contract takes a Subject and raises Broken; the first line of its docstring is the promise. One
that a model does not claim to keep raises Unclaimed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np

from stsfm.backtest import evaluate
from stsfm.build import NET_KEYS
from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.protocols.rolling import rolling
from stsfm.identity import parts
from stsfm.models.base import Forecaster
from stsfm.results import reference
from stsfm.subject import HORIZON, ROWS, TEST, VAL, Subject, panel_of, split_of, toy
from stsfm.trust import locate


class Broken(AssertionError):
    """A promise that is not kept, and how that was seen."""


class Unclaimed(Exception):
    """A promise that the model does not make."""


# ---- contracts -----------------------------------------------------------------------------------


def lists_its_keys(subject: Subject) -> None:
    """the YAML lists exactly the constructor's keyword-only arguments, and holds the defaults"""
    config = subject.config
    of_a_net = NET_KEYS if "trainer" in config else ()
    infrastructure = {"_target_", *of_a_net, *(["seed"] if parts(config) else [])}
    parameters = inspect.signature(locate(config["_target_"], "model")).parameters.values()
    keys = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
    _equal(set(config) - infrastructure, keys, "keys of the YAML and of the constructor")
    given = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is not p.empty]
    _hold(not given, f"defaults of {given} belong into the YAML")
    _hold(all(p.kind is not p.VAR_KEYWORD for p in parameters), "**kwargs hide misspelt keys")


def keeps_its_hyperparameters(subject: Subject) -> None:
    """fit returns the model and leaves its hyperparameters as they were"""
    model = subject.make(calibration=0)
    plain = int | float | str | list | tuple
    keep = {k: deepcopy(v) for k, v in vars(model).items() if isinstance(v, plain)}
    _hold(model.fit(subject.split.train, subject.split.val) is model, "fit returns self")
    _equal({k: getattr(model, k) for k in keep}, keep, "hyperparameters")


def forecasts_the_future(subject: Subject) -> None:
    """forecasts are finite and have the shape of the future; quantiles rise, scales are positive"""
    model = subject.fitted
    past, future = subject.split.test.look_back(model.reads)[0]
    made = model.predict(past, future.blank())
    _equal(made.point.shape, future.values.shape, "shape of the forecast")
    _hold(bool(np.isfinite(made.point).all()), "the point forecast is not finite")
    if made.quantiles is not None:
        wanted = (*made.point.shape, len(made.levels))
        _equal(made.quantiles.shape, wanted, "shape of the quantiles")
        _hold(bool((np.diff(made.quantiles) >= 0).all()), "quantiles cross")
    if made.scale is not None:
        _hold(bool((made.scale > 0).all()), "a scale is not positive")


def forecasts_batches_like_singles(subject: Subject) -> None:
    """a batch is its singles"""
    model, windows = subject.fitted, subject.split.test.look_back(subject.fitted.reads)
    past, future = windows.take(np.array([3, 0, 5]))
    batch = model.predict(past, future.blank())
    for row, index in enumerate((3, 0, 5)):
        one = model.predict(windows[index].past, windows[index].future.blank())
        for a, b in _both(batch, one):
            _near(a[row], b, "a window alone and in a batch")


def backtests_as_it_predicts(subject: Subject) -> None:
    """a backtest is its predictions"""
    model, split = subject.fitted, subject.split
    past, future = split.test.look_back(model.reads).take(slice(None))
    for a, b in _both(model.backtest(split.test), model.predict(past, future.blank())):
        _near(a, b, "backtest and predict")


def leaves_its_inputs(subject: Subject) -> None:
    """inputs are left as they were"""
    model, split = subject.fitted, subject.split
    past, future = split.test.look_back(model.reads).take(slice(None))
    arrays = [past.values, past.mask, future.values, split.train.panel.values]
    before = [array.copy() for array in arrays]
    model.predict(past, future.blank())
    model.backtest(split.test)
    _hold(all(map(np.array_equal, before, arrays)), "an input was written to")


def saves_what_it_learned(subject: Subject) -> None:
    """a saved model forecasts the same once it is loaded"""
    model, test = subject.fitted, subject.split.test
    made = model.backtest(test)
    with TemporaryDirectory() as folder:
        model.save(Path(folder))
        loaded = subject.make().load(Path(folder))
        bare = subject.make(calibration=0).load(Path(folder))  # as good, but for the intervals
    for a, b in _both(made, loaded.backtest(test)):
        _near(a, b, "before and after loading", 1e-6)
    _near(bare.backtest(test).point, made.point, "with intervals and without", 1e-6)
    _equal(loaded.parameters, model.parameters, "parameters")


def repeats_its_numbers(subject: Subject) -> None:
    """the same seed gives the same numbers, another one others"""
    split, made = subject.split, subject.fitted.backtest(subject.split.test).point
    again = subject.make().fit(split.train, split.val).backtest(split.test).point
    _hold(np.array_equal(again, made), "fitted twice, it forecasts two things")
    if subject.draws:
        other = subject.make("seed=2").fit(split.train, split.val).backtest(split.test).point
        _hold(not np.array_equal(other, made), "another seed changes nothing")


def is_cited(subject: Subject) -> None:
    """it says where it comes from, in BibTeX"""
    for key in subject.fitted.cites:
        _hold(reference(key).startswith("@"), f"cite {key!r} names no entry")


def reads_gaps(subject: Subject) -> None:
    """missing cells are forecast over, where the tag `missing` claims it"""
    _claimed(subject, "missing")
    panel = toy()
    mask = np.random.default_rng(1).random(panel.mask.shape) > 0.2
    split = split_of(replace(panel, mask=mask, values=panel.values * mask))
    made = subject.make().fit(split.train, split.val).backtest(split.test)
    _hold(bool(np.isfinite(made.point).all()), "over gaps the forecast is not finite")


def takes_new_nodes(subject: Subject) -> None:
    """new nodes are forecast like known ones, where the tag `new_nodes` claims it"""
    _claimed(subject, "new_nodes")
    model = subject.fitted
    past, future = subject.split.test.look_back(model.reads)[3]
    known = model.predict(past, future.blank()).point
    names, rows = ("renamed", "n1", "added"), [0, 1, 0]
    more = [
        replace(
            panel,
            values=panel.values[..., rows, :],
            mask=panel.mask[..., rows, :],
            about=replace(panel.about, nodes=names),
        )
        for panel in (past, future.blank())
    ]
    _near(model.predict(*more).point, known[..., rows, :], "a node under another name", 1e-5)


def takes_covariates_along(subject: Subject) -> None:
    """past-only channels and covariates are taken along; the tag `known` tells who reads them"""
    rng, plain = np.random.default_rng(2), toy()
    values = np.concatenate([plain.values, plain.values + 1, rng.random(plain.values.shape)], -1)
    about = replace(
        plain.about, channels=("y", "x", "z"), targets=("y", "z"), units=(),
        covariates=("hour", "plan"), kinds=("calendar", "planned"),
    )  # fmt: skip
    known = rng.random((ROWS, 1, 2))
    mask = np.ones(values.shape, bool)
    panel = replace(plain, values=values, mask=mask, about=about, known=known)
    split = rolling(panel, horizon=HORIZON, val=VAL, test=TEST)
    model = subject.make().fit(split.train, split.val)
    made = model.backtest(split.test).point
    _equal(made.shape, (len(split.test), HORIZON, 2, 2), "shape of two targets")
    past, future = split.test.look_back(model.reads).take(np.array([1, 4]))
    predicted = model.predict(past, future.blank()).point
    _near(predicted, made[[1, 4]], "backtest and predict")
    other = replace(future.blank(), known=future.known + 1)
    moves = not np.allclose(model.predict(past, other).point, predicted, atol=1e-6)
    _equal("known" in model.tags, moves, "the tag `known` and whether covariates move the forecast")


def is_blind(subject: Subject) -> None:
    """a forecast does not move when all that comes later is other: values, gaps and targets"""
    stays_blind(subject.make)


def is_blind_when_refitted(subject: Subject) -> None:
    """nor does it where the model learns again on the way"""
    calibration = 0 if subject.draws else 25  # around a net, intervals would train it twice
    stays_blind(partial(subject.make, calibration=calibration), refit=9)


CONTRACTS: tuple[Callable[[Subject], None], ...] = (
    lists_its_keys, keeps_its_hyperparameters, forecasts_the_future,
    forecasts_batches_like_singles, backtests_as_it_predicts, leaves_its_inputs,
    saves_what_it_learned, repeats_its_numbers, is_cited, reads_gaps, takes_new_nodes,
    takes_covariates_along, is_blind, is_blind_when_refitted,
)  # fmt: skip


# ---- how they are judged -------------------------------------------------------------------------


def stays_blind(make: Callable[[], Forecaster], refit: int | Literal["never"] = "never") -> None:
    """Poison values and mask after some origins; what was forecast there may not move."""
    panel, rng = toy(), np.random.default_rng(5)
    clean = _through_a_run(panel, make(), refit)
    for index in (0, 7, len(clean) - 1):
        table = panel.values[..., 0].copy()
        later = table[TEST + index :]
        holes = rng.random(later.shape) < 0.3
        later[:] = np.where(holes, np.nan, 1e3 * rng.random(later.shape) + 1)
        table[-1] = 1e3  # without any target the last row would be no part of the protocol
        until = None if refit == "never" else (index // refit + 1) * refit
        moved = _through_a_run(panel_of(table), make(), refit, until)
        _near(moved[index], clean[index], f"origin {index} before and after it was poisoned", 1e-9)


def _through_a_run(
    panel: Panel, model: Forecaster, refit: int | Literal["never"], first: int | None = None
) -> Array:
    """Forecasts in data units through all that a run goes through.

    Of the `first` origins of test only: a refit on poison may be refused.
    """
    split = split_of(panel, refit)
    split = replace(split, test=split.test.subset(slice(first)))
    draws = hasattr(getattr(model, "model", model), "seed")
    scored = evaluate(model, split, refit=not draws).test
    assert scored is not None and scored.forecast is not None  # asked for, and few
    forecast = scored.forecast
    return forecast.point if forecast.quantiles is None else forecast.quantiles


def _both(a: Forecast, b: Forecast) -> list[tuple[Array, Array]]:
    """All that both say; Broken where one says less."""
    pairs = [(a.point, b.point), (a.scale, b.scale), (a.quantiles, b.quantiles)]
    _hold(all((x is None) == (y is None) for x, y in pairs), "one of two gives no distribution")
    return [pair for pair in pairs if pair[0] is not None]


def _claimed(subject: Subject, tag: str) -> None:
    if tag not in subject.fitted.tags:
        raise Unclaimed(tag)


def _hold(kept: bool, words: str) -> None:
    if not kept:
        raise Broken(words)


def _equal(got: object, wanted: object, words: str) -> None:
    _hold(got == wanted, f"{words}: {got} and {wanted}")


def _near(a: Array, b: Array, words: str, tolerance: float = 1e-4) -> None:
    """Equal to a relative tolerance, and a tenth of it about zero."""
    fine = np.allclose(a, b, rtol=tolerance, atol=0.1 * tolerance)
    _hold(fine, f"{words}: they differ by up to {np.max(np.abs(a - b)):.3g}")
