"""Prophet: known answers on airline, its own draws, covariates, and what happens without it."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from stsfm import compose
from stsfm.backtest import evaluate
from stsfm.build import build_model
from stsfm.datasets.airline import airline
from stsfm.datasets.panel import About, Panel
from stsfm.datasets.protocols.rolling import rolling
from stsfm.datasets.split import Split
from stsfm.mistakes import Mistake
from stsfm.models.base import Forecaster

RAW = {"transform": "none", "scaling": "none"}


@pytest.fixture
def prophet():
    return pytest.importorskip("prophet")


def make(**keys) -> Forecaster:
    config = compose.config(["model=prophet"])["model"]
    return build_model(config | keys, lambda row: None, {"calibration": 0})


@pytest.mark.parametrize(("seasonality", "rmse"), [("additive", 43.1), ("multiplicative", 25.6)])
def test_known_answers_on_the_last_year_of_airline(prophet, seasonality, rmse) -> None:
    split = rolling(airline(), test="1960-01", **RAW)
    scores = evaluate(make(seasonality=seasonality), split, refit=True).test.scores
    assert scores["rmse"]["pooled"] == pytest.approx(rmse, abs=0.3)


def test_the_scale_is_that_of_trends_that_prophet_draws(prophet) -> None:
    split = rolling(airline(), val=96, test=132, **RAW)
    model = make(seasonality="multiplicative").fit(split.train, split.val)
    wide = split.panel.runs(np.array(96), 48).blank()
    made = model.predict(split.test[0].past, wide)
    fitted = model._fitted(0, 0)
    fitted.uncertainty_samples = 4000
    np.random.seed(0)  # prophet draws from the global generator
    dates = {"ds": wide.time.astype("datetime64[ns]")}
    pandas = pytest.importorskip("pandas")
    drawn = fitted.predictive_samples(pandas.DataFrame(dates), vectorized=False)["yhat"]
    np.testing.assert_allclose(made.scale[:, 0, 0], drawn.std(1), rtol=0.12)
    np.testing.assert_allclose(made.point[:, 0, 0], drawn.mean(1), rtol=0.02)
    assert made.scale[-1, 0, 0] > 1.5 * made.scale[0, 0, 0]


def needs(rows: int = 200, season: int = 7) -> Panel:
    """Hourly rows that a plan known ahead explains, a season of 7 rows, and a slope."""
    rng, t = np.random.default_rng(0), np.arange(rows)
    plan = rng.standard_normal((rows, 1, 1))
    wave = np.sin(2 * np.pi * t / season)[:, None, None]
    values = 20 + 0.01 * t[:, None, None] + wave + 2 * plan
    values = values + 0.1 * rng.standard_normal(values.shape)
    about = About(
        name="toy", nodes=("a",), channels=("y",), season=season, covariates=("plan",),
        kinds=("planned",),
    )  # fmt: skip
    hours = t * 3600 * 10**9
    return Panel(values=values, mask=values == values, time=hours, known=plan, about=about)


def test_what_is_known_ahead_and_a_season_of_its_own_are_used(prophet) -> None:
    panel = needs()
    blind = replace(panel, known=None, about=replace(panel.about, covariates=(), kinds=()))
    flat = replace(panel, about=replace(panel.about, season=1))
    maes = [mae(rolling(one, horizon=7)) for one in (panel, blind, flat)]
    assert maes[0] < 0.15 and maes[1] > 1.0 and maes[2] > 0.4


def mae(split: Split) -> float:
    return evaluate(make(), split, refit=True).test.scores["mae"]["pooled"]


def test_it_says_nothing_of_its_own(prophet, capfd, caplog) -> None:
    split = rolling(airline())
    make().fit(split.train, split.val).backtest(split.test)
    printed = capfd.readouterr()
    assert printed.out == printed.err == "" and not caplog.records


def test_a_multiplicative_season_of_negative_values_is_refused(prophet) -> None:
    split = rolling(airline())
    with pytest.raises(ValueError, match=r"protocol\.scaling=none"):
        make(seasonality="multiplicative").fit(split.train, split.val)


def test_without_the_extra_it_is_refused_before_anything_runs(desk, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "prophet", None)  # as if it were not installed
    monkeypatch.setattr("stsfm.models.prophet.find_spec", lambda name: None)
    with pytest.raises(Mistake, match=r"pip install 'stsfm\[prophet\]'"):
        make()
    assert desk("run", "model=prophet", "baselines=[]") == 2 and not desk.runs()
    (line,) = desk.err.strip().splitlines()
    assert "stsfm[prophet]" in line
    assert desk("list") == 0 and "prophet" in desk.out
    assert desk("run", "model=prophet", "--help") == 0 and "changepoint_scale" in desk.out
