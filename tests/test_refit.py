"""Refits during a backtest are what a plain loop over the origins would do."""

from __future__ import annotations

import numpy as np
import pytest

from stsfm import compose
from stsfm.backtest import evaluate
from stsfm.build import build, build_model
from stsfm.datasets.airline import airline
from stsfm.datasets.protocols.rolling import rolling
from stsfm.datasets.split import Split
from stsfm.datasets.windows import RollingWindows
from stsfm.headline import describe
from stsfm.mistakes import Mistake
from stsfm.models.base import Forecaster

QUICK = ("trainer.epochs=3", "trainer.update_epochs=2")


def make(name: str) -> Forecaster:
    if name == "prophet":
        pytest.importorskip("prophet")
    config = compose.config([f"model={name}", *QUICK])["model"]
    return build_model(config, lambda row: None, {"calibration": 24, "gap": 0})


def learnable(split: Split, row: int) -> RollingWindows:
    """All windows that ended before `row`, cut by hand from the panel of the test period."""
    panel, h = split.test.panel[slice(0, row)], split.test.horizon
    return RollingWindows(
        panel=panel, origins=np.arange(1, row - h + 1), horizon=h, transform=split.transform
    )


def looped(model: Forecaster, split: Split, every: int) -> np.ndarray:
    """What the rule says, one origin after the other; forecasts in data units."""
    gap, learned, made = split.rules["gap"], split.rules["train"][1], {}
    model.fit(split.train, split.val)
    for part in (split.val, split.test):
        for i, origin in enumerate(part.origins):
            if i % every == 0 and origin - gap > learned:
                learned = origin - gap
                model.update(learnable(split, learned))
            past, future = part.look_back(model.reads).take(np.array([i]))
            made[origin] = split.transform.forecast(model.predict(past, future.blank())).point[0]
    return np.stack([made[origin] for origin in split.test.origins])


@pytest.mark.parametrize(
    ("name", "refit", "gap"),
    [("linear", 1, 0), ("linear", 6, 3), ("arima", 10, 0), ("ets", 13, 0), ("ar", 4, 2),
     ("gru", 10, 0), ("naive", 1, 0), ("prophet", 13, 0)],
)  # fmt: skip
def test_a_backtest_with_refits_is_a_plain_loop(name: str, refit: int, gap: int) -> None:
    split = rolling(airline(), refit=refit, gap=gap)
    evaluation = evaluate(make(name), split, refit=True)
    wanted = looped(make(name), split, refit)
    np.testing.assert_allclose(evaluation.test.forecast.point, wanted, rtol=1e-5)
    if name != "naive":
        never = evaluate(make(name), rolling(airline(), gap=gap), refit=True).test.forecast.point
        assert abs(never[-1] / wanted[-1] - 1).max() > 1e-4  # the last origin saw a newer model


def test_the_rule_is_part_of_the_protocol() -> None:
    never, each, one, six = (
        rolling(airline(), refit=rule) for rule in ("never", "each_origin", 1, 6)
    )
    assert never.fingerprint == rolling(airline()).fingerprint
    assert each.fingerprint == one.fingerprint
    assert len({never.fingerprint, each.fingerprint, six.fingerprint}) == 3
    with pytest.raises(ValueError, match=r"protocol\.refit must be at least 1, got 0"):
        rolling(airline(), refit=0)
    keys = compose.config(["protocol.refit=often"])["protocol"]
    with pytest.raises(Mistake, match=r"protocol\.refit"):
        build(keys, airline(), path="protocol")


def test_linear_adds_moments_and_learns_what_all_windows_teach() -> None:
    split = rolling(airline())
    added = make("linear").fit(split.train, split.val)
    for row in (96, 100, 131):
        added.update(split.test.upto(row))
    anew = make("linear").fit(split.train, split.val).refit(split.test.upto(131))
    made, wanted = (m.backtest(split.test).point for m in (added, anew))
    np.testing.assert_allclose(made, wanted, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ["arima", "ets"])  # ets starts cold: its optimum lies on a bound
def test_a_warm_start_ends_where_a_cold_one_does(name: str) -> None:
    split = rolling(airline())
    warm = make(name).fit(split.train, split.val).update(split.development)
    cold = make(name).fit(split.train, split.val).refit(split.development)
    made, wanted = (m.backtest(split.test).point for m in (warm, cold))
    assert abs(made - wanted).max() < (0.05 if name == "arima" else 1e-12)  # deviations of train


def test_the_table_and_the_headline_say_the_rule(desk) -> None:
    assert desk("run", "model=linear", "baselines=[]", "protocol.refit=each_origin") == 0
    assert "· refit before each origin" in desk.out.splitlines()[0]
    run = desk.only("/linear/")
    assert run.scores["fitted_to"] == "up to each origin"
    assert describe(rolling(airline(), refit=6))["headline"].endswith("before every 6th origin")
