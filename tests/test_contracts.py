"""Every conf/model/*.yaml is a promise, kept on a toy panel. A new model is tested by existing."""

import contextlib
import inspect
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from kinds import MODELS, ONE_OF_EACH

from stsfm import compose
from stsfm.contracts import CONTRACTS, Broken, Unclaimed, stays_blind
from stsfm.datasets.panel import Forecast
from stsfm.datasets.transform import Transform
from stsfm.datasets.windows import RollingWindows
from stsfm.identity import targets
from stsfm.models.base import Forecaster
from stsfm.subject import Subject
from stsfm.trust import locate

CONF = Path(__file__).parents[1] / "conf"
SLOW = {"is_blind", "is_blind_when_refitted"}  # contracts that fit a model four times and more
EXTRAS = {"prophet": "prophet"}  # model → the package without which it is refused


def promises():
    """Each contract of each model, those that take long for all but one of each kind set apart."""
    for name in MODELS:
        lacks = name in EXTRAS and find_spec(EXTRAS[name]) is None
        absent = pytest.mark.skipif(lacks, reason=f"pip install 'stsfm[{name}]' to test it")
        for contract in CONTRACTS:
            slow = contract.__name__ in SLOW and name not in ONE_OF_EACH
            marks = [absent, *[pytest.mark.slow] * slow]
            yield pytest.param(name, contract, id=f"{name}-{contract.__name__}", marks=marks)


@pytest.fixture(scope="module")
def subject(request) -> Subject:
    return Subject((f"model={request.param}",))


@pytest.mark.parametrize(("subject", "contract"), [*promises()], indirect=["subject"])
def test_every_model_keeps_its_promises(subject, contract):
    try:
        contract(subject)
    except Unclaimed as tag:
        pytest.skip(f"{subject.words[0]} does not claim {tag}")


@pytest.mark.parametrize("group", ["data", "protocol", "loss", "trainer", "hardware"])
def test_the_other_groups_list_exactly_the_arguments_too(group):
    for choice in sorted(file.stem for file in (CONF / group).glob("[!_]*.yaml")):
        config = compose.config([f"{group}={choice}"])[group]
        for target in targets(config):
            if target == config["_target_"] and group != "loss":
                keys = inspect.signature(locate(target, group)).parameters.values()
                wanted = {p.name for p in keys if p.kind is p.KEYWORD_ONLY}
                assert set(config) - {"_target_"} == wanted, choice


# ---- what breaks a promise is caught -------------------------------------------------------------


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
def test_a_planted_cheat_is_caught(cheat):
    with pytest.raises(Broken, match="origin"):
        stays_blind(cheat)


def test_a_refit_that_sees_a_row_too_many_is_caught(monkeypatch):
    honest = RollingWindows.upto
    monkeypatch.setattr(RollingWindows, "upto", lambda self, row: honest(self, row + 1))
    with pytest.raises(Broken, match="origin"):
        stays_blind(Subject(("model=linear",)).make, refit=9)


def test_a_transform_fitted_on_everything_is_caught(monkeypatch):
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
    with pytest.raises(Broken, match="origin"):
        stays_blind(Subject(("model=gru",)).make)


class Crooked(Cheat):
    """Draws numbers without a seed, forgets them, writes to its inputs and trips over gaps."""

    tags = frozenset({"missing", "new_nodes", "known"})

    def fit(self, train, val):
        self.drawn = np.random.default_rng().random()
        return self

    def predict(self, past, future):
        past.values[..., -1, :, :] += 1
        return Forecast(point=0 * future.values + past.values.mean())

    def backtest(self, windows):
        gaps = 0 if windows.panel.mask.all() else np.nan
        return Forecast(point=0 * windows.futures().values + getattr(self, "drawn", 0) + gaps)

    def save(self, folder):
        pass

    def load(self, folder):
        return self


def test_every_promise_can_be_broken(monkeypatch):
    """One crooked model breaks nearly all of them, and each in words."""
    subject = Subject(("model=naive",))
    monkeypatch.setattr(Subject, "make", lambda self, *more, calibration=25: Crooked())
    kept = set()
    for contract in CONTRACTS:
        with contextlib.suppress(Broken, KeyError, FloatingPointError):
            contract(subject)
            kept.add(contract.__name__)
    assert kept == {"lists_its_keys", "keeps_its_hyperparameters", "forecasts_the_future"}


def test_a_model_is_checked_by_command(desk):
    assert desk("check", "model=drift") == 0
    lines = desk.out.splitlines()
    assert len(lines) == len(CONTRACTS)
    assert {line.split()[0] for line in lines} == {"kept"}
    assert desk("check", "model=var") == 0 and "unclaimed  new nodes" in desk.out
    assert desk("check", "model=lstmm") == 2 and "Did you mean 'lstm'?" in desk.err
