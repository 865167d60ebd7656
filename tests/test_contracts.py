"""Every conf/model/*.yaml is a promise, kept on a toy panel. A new model is tested by existing."""

import inspect
from copy import deepcopy
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from stsfm import compose
from stsfm.backtest import evaluate
from stsfm.build import NET_KEYS, build_model, locate
from stsfm.datasets.panel import About, Forecast, Panel
from stsfm.datasets.protocol import rolling
from stsfm.datasets.split import Split
from stsfm.datasets.transform import Transform
from stsfm.datasets.windows import RollingWindows
from stsfm.identity import targets
from stsfm.models.base import Forecaster
from stsfm.results import reference

CONF = Path(__file__).parents[1] / "conf"
EXTRAS = {"prophet": "prophet"}  # model → the package without which it is refused
NAMES = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            name in EXTRAS and find_spec(EXTRAS[name]) is None,
            reason=f"pip install 'stsfm[{name}]' to test it",
        ),
    )
    for name in sorted(file.stem for file in (CONF / "model").glob("[!_]*.yaml"))
]
QUICK = ["trainer.epochs=3", "trainer.lr=0.01"]
SEASON, HORIZON, ROWS = 6, 4, 150


def read(path: Path) -> Panel:
    """A file as users have them: numbers, and empty cells where nothing was observed."""
    values = np.genfromtxt(path, delimiter=",", ndmin=2)[:, :, None]
    mask = np.isfinite(values)
    names = tuple(f"n{i}" for i in range(values.shape[1]))
    return Panel(
        values=np.where(mask, values, 0),
        mask=mask,
        time=np.arange(len(values)) * 10**9,
        about=About(name="toy", nodes=names, channels=("y",), season=SEASON),
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    rng, t = np.random.default_rng(0), np.arange(ROWS)[:, None]
    values = (
        10 + np.sin(2 * np.pi * t / SEASON + np.arange(2)) + 0.1 * rng.standard_normal((ROWS, 2))
    )
    path = tmp_path_factory.mktemp("toy") / "toy.csv"
    np.savetxt(path, values + 0.01 * t, delimiter=",")
    return path


def split_of(panel: Panel, refit: int | str = "never") -> Split:
    return rolling(panel, horizon=HORIZON, val=100, test=125, transform="log", refit=refit)


def config_of(name: str, *overrides: str) -> dict:
    config = compose.config([f"model={name}", *QUICK, *overrides])["model"]
    if "context" in config:
        config["context"] = 12
    return config


def make(name: str, *overrides: str, calibration: int = 25) -> Forecaster:
    """As a run makes it: one without a distribution is given intervals."""
    rules = {"calibration": calibration, "gap": 0}
    return build_model(config_of(name, *overrides), lambda row: None, rules)


def deterministic(name: str) -> bool:
    return "seed" not in config_of(name)


@pytest.fixture(scope="module", params=NAMES)
def fitted(request, file):
    split = split_of(read(file))
    return request.param, make(request.param).fit(split.train, split.val), split


@pytest.mark.parametrize("name", NAMES)
def test_yaml_lists_exactly_the_constructors_keys(name):
    config = config_of(name)
    own = {
        key for key in config if key not in ("_target_", *(NET_KEYS if "trainer" in config else ()))
    }
    signature = inspect.signature(locate(config["_target_"], "model"))
    keys = {p.name: p for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY}
    assert own == set(keys)
    assert not [p for p in keys.values() if p.default is not p.empty], "defaults live in the YAML"
    assert not [p for p in signature.parameters.values() if p.kind is p.VAR_KEYWORD]


@pytest.mark.parametrize("group", ["data", "protocol", "loss", "trainer", "hardware"])
def test_the_other_groups_list_exactly_the_arguments_too(group):
    for choice in sorted(file.stem for file in (CONF / group).glob("[!_]*.yaml")):
        config = compose.config([f"{group}={choice}"])[group]
        for target in targets(config):
            if target == config["_target_"] and group != "loss":
                keys = inspect.signature(locate(target, group)).parameters.values()
                wanted = {p.name for p in keys if p.kind is p.KEYWORD_ONLY}
                assert set(config) - {"_target_"} == wanted, choice


def test_fit_returns_the_model_and_keeps_its_hyperparameters(fitted, file):
    name, _, split = fitted
    model, before = make(name, calibration=0), vars(make(name, calibration=0))
    keep = {
        k: deepcopy(v) for k, v in before.items() if isinstance(v, int | float | str | list | tuple)
    }
    assert model.fit(split.train, split.val) is model
    assert {k: getattr(model, k) for k in keep} == keep


def test_forecasts_have_the_shape_of_the_future_and_are_finite(fitted):
    _, model, split = fitted
    past, future = split.test.look_back(model.reads)[0]
    forecast = model.predict(past, future.blank())
    assert forecast.point.shape == future.values.shape
    assert np.isfinite(forecast.point).all()
    assert forecast.scale is not None or forecast.quantiles is not None
    if forecast.quantiles is not None:
        assert forecast.quantiles.shape == (*forecast.point.shape, len(forecast.levels))
        assert (np.diff(forecast.quantiles) >= 0).all()
    if forecast.scale is not None:
        assert (forecast.scale > 0).all()


def distribution(a: Forecast, b: Forecast) -> list[tuple[np.ndarray, np.ndarray]]:
    """What both say beside their points."""
    pairs = [(a.scale, b.scale), (a.quantiles, b.quantiles)]
    assert all((x is None) == (y is None) for x, y in pairs)
    assert not all(x is None for x, _ in pairs)
    return [(x, y) for x, y in pairs if x is not None]


def test_a_batch_is_its_singles(fitted):
    _, model, split = fitted
    windows = split.test.look_back(model.reads)
    past, future = windows.take(np.array([3, 0, 5]))
    batch = model.predict(past, future.blank())
    for row, index in enumerate((3, 0, 5)):
        one = model.predict(windows[index].past, windows[index].future.blank())
        np.testing.assert_allclose(batch.point[row], one.point, rtol=1e-4, atol=1e-5)
        for a, b in distribution(batch, one):
            np.testing.assert_allclose(a[row], b, rtol=1e-4, atol=1e-5)


def test_a_backtest_is_its_predictions(fitted):
    _, model, split = fitted
    past, future = split.test.look_back(model.reads).take(slice(None))
    predicted, passed = model.predict(past, future.blank()), model.backtest(split.test)
    np.testing.assert_allclose(passed.point, predicted.point, rtol=1e-4, atol=1e-5)
    for a, b in distribution(passed, predicted):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_inputs_are_left_as_they_were(fitted):
    _, model, split = fitted
    past, future = split.test.look_back(model.reads).take(slice(None))
    before = [
        past.values.copy(),
        past.mask.copy(),
        future.values.copy(),
        split.train.panel.values.copy(),
    ]
    model.predict(past, future.blank())
    model.backtest(split.test)
    after = [past.values, past.mask, future.values, split.train.panel.values]
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_saved_model_forecasts_the_same(fitted, tmp_path):
    name, model, split = fitted
    model.save(tmp_path)
    loaded = make(name).load(tmp_path)
    made, again = model.backtest(split.test), loaded.backtest(split.test)
    for a, b in ((made.point, again.point), *distribution(made, again)):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    bare = make(name, calibration=0).load(tmp_path)  # as good, but for the intervals
    np.testing.assert_allclose(bare.backtest(split.test).point, made.point, rtol=1e-6)
    assert loaded.parameters == model.parameters


def test_the_same_seed_gives_the_same_numbers(fitted):
    name, model, split = fitted
    again = make(name).fit(split.train, split.val)
    np.testing.assert_array_equal(
        again.backtest(split.test).point, model.backtest(split.test).point
    )
    if not deterministic(name):
        other = make(name, "seed=2").fit(split.train, split.val)
        assert (other.backtest(split.test).point != model.backtest(split.test).point).any()


def test_it_is_cited(fitted):
    _, model, _ = fitted
    assert reference(model.cite).startswith("@")


def test_missing_cells_are_forecast_over_where_that_is_claimed(fitted, file):
    name, model, _ = fitted
    if "missing" not in model.tags:
        pytest.skip(f"{name} does not claim to read missing cells")
    panel = read(file)
    mask = np.random.default_rng(1).random(panel.mask.shape) > 0.2
    split = split_of(replace(panel, mask=mask, values=panel.values * mask))
    made = make(name).fit(split.train, split.val).backtest(split.test)
    assert np.isfinite(made.point).all()


def test_new_nodes_are_forecast_like_known_ones_where_that_is_claimed(fitted):
    name, model, split = fitted
    if "new_nodes" not in model.tags:
        pytest.skip(f"{name} does not claim to forecast nodes that it has not seen")
    past, future = split.test.look_back(model.reads)[3]
    known = model.predict(past, future.blank()).point
    more = [
        replace(
            panel,
            values=panel.values[..., [0, 1, 0], :],
            mask=panel.mask[..., [0, 1, 0], :],
            about=replace(panel.about, nodes=("renamed", "n1", "added")),
        )
        for panel in (past, future.blank())
    ]
    point = model.predict(*more).point
    np.testing.assert_allclose(point, known[..., [0, 1, 0], :], rtol=1e-5, atol=1e-6)


def test_covariates_and_past_only_channels_are_taken_along(fitted, file):
    """Two of three channels are forecast, one is past-only; two covariates are known ahead."""
    name, _, _ = fitted
    rng, plain = np.random.default_rng(2), read(file)
    values = np.concatenate([plain.values, plain.values + 1, rng.random(plain.values.shape)], -1)
    about = replace(
        plain.about, channels=("y", "x", "z"), targets=("y", "z"), units=(),
        covariates=("hour", "plan"), kinds=("calendar", "planned"),
    )  # fmt: skip
    panel = Panel(
        values=values, mask=values == values, time=plain.time, about=about,
        known=rng.random((ROWS, 1, 2)),
    )  # fmt: skip
    split = rolling(panel, horizon=HORIZON, val=100, test=125)
    model = make(name).fit(split.train, split.val)
    made = model.backtest(split.test).point
    assert made.shape == (len(split.test), HORIZON, 2, 2) and np.isfinite(made).all()
    past, future = split.test.look_back(model.reads).take(np.array([1, 4]))
    predicted = model.predict(past, future.blank()).point
    np.testing.assert_allclose(predicted, made[[1, 4]], rtol=1e-4, atol=1e-5)
    other = replace(future.blank(), known=future.known + 1)
    moves = not np.allclose(model.predict(past, other).point, predicted, atol=1e-6)
    assert moves == ("known" in model.tags), "the tag says whether it reads what is known ahead"


# ---- blind: a forecast at t does not move when the file is poisoned from t on --------------------


def forecasts(
    path: Path, model: Forecaster, refit: int | str, first: int | None = None
) -> np.ndarray:
    """From the file to forecasts in data units, through everything that a run goes through.

    The `first` origins of test only: a refit on poison may be refused.
    """
    split = split_of(read(path), refit)
    split = replace(split, test=split.test.subset(slice(first)))
    draws = hasattr(getattr(model, "model", model), "seed")
    forecast = evaluate(model, split, refit=not draws).test.forecast
    return forecast.point if forecast.quantiles is None else forecast.quantiles


def assert_blind(make_model, path: Path, folder: Path, refit: int | str = "never") -> None:
    """Poison values and mask after some origins; what was forecast there may not move."""
    clean = forecasts(path, make_model(), refit)
    table, first = np.genfromtxt(path, delimiter=","), 125
    rng = np.random.default_rng(5)
    for index in (0, 7, len(clean) - 1):
        poisoned = table.copy()
        later = poisoned[first + index :]
        later[:] = np.where(
            rng.random(later.shape) < 0.3, np.nan, 1e3 * rng.random(later.shape) + 1
        )
        poisoned[-1] = 1e3  # without any target the last row would be no part of the protocol
        np.savetxt(folder / "poisoned.csv", poisoned, delimiter=",")
        until = None if refit == "never" else (index // refit + 1) * refit  # the next refit
        moved = forecasts(folder / "poisoned.csv", make_model(), refit, until)
        np.testing.assert_allclose(moved[index], clean[index], rtol=1e-9, err_msg=f"origin {index}")


@pytest.mark.parametrize("refit", ["never", 9])
@pytest.mark.parametrize("name", NAMES)
def test_forecasts_are_blind_to_what_comes_later(name, refit, file, tmp_path):
    assert_blind(lambda: make(name, "trainer.update_epochs=1"), file, tmp_path, refit)


class Cheat(Forecaster):
    """Looks at the value that it is to forecast."""

    cite = "none"
    reads = 1

    def fit(self, train, val):
        return self

    def predict(self, past, future):
        return Forecast(
            point=np.repeat(past.values[..., -1:, :, :], future.values.shape[-3], axis=-3)
        )

    def backtest(self, windows):
        rows = windows.origins[:, None] + np.arange(windows.horizon)
        return Forecast(point=windows.panel.values[rows])


class MaskCheat(Cheat):
    """Looks only at which cells will be observed."""

    def backtest(self, windows):
        rows = windows.origins[:, None] + np.arange(windows.horizon)
        return Forecast(point=windows.panel.mask[rows] * 1.0)


class OneStepCheat(Cheat):
    """Sees a single row too many."""

    def backtest(self, windows):
        last = windows.panel.values[windows.origins][:, None]
        return Forecast(point=np.repeat(last, windows.horizon, axis=1))


@pytest.mark.parametrize("cheat", [Cheat, MaskCheat, OneStepCheat])
def test_a_planted_cheat_is_caught(cheat, file, tmp_path):
    with pytest.raises(AssertionError, match="origin"):
        assert_blind(cheat, file, tmp_path)


def test_a_refit_that_sees_a_row_too_many_is_caught(file, tmp_path, monkeypatch):
    honest = RollingWindows.upto
    monkeypatch.setattr(RollingWindows, "upto", lambda self, row: honest(self, row + 1))
    with pytest.raises(AssertionError, match="origin"):
        assert_blind(lambda: make("linear"), file, tmp_path, refit=9)


def test_a_transform_fitted_on_everything_is_caught(file, tmp_path, monkeypatch):
    """A leak outside the models is found by the same poison."""
    whole = Transform.fit

    def leaky(train, **rules):
        base = train.values.base if train.values.base is not None else train.values
        mask = base != 0
        everything = replace(
            train, values=base, mask=mask, time=np.arange(len(base)),
            known=np.zeros((len(base), 1, 0)),
        )  # fmt: skip
        return whole(everything, **rules)

    monkeypatch.setattr(Transform, "fit", leaky)
    with pytest.raises(AssertionError, match="origin"):
        assert_blind(lambda: make("gru"), file, tmp_path)
