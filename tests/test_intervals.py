"""Split-conformal intervals: learned on their own block, as wide as by hand, and they cover."""

import csv
from dataclasses import replace
from math import ceil

import numpy as np
import pytest

from stsfm import compose
from stsfm.backtest import backtest, evaluate
from stsfm.datasets.airline import airline
from stsfm.datasets.panel import Forecast, Panel
from stsfm.datasets.protocols.rolling import rolling
from stsfm.datasets.synthetic import sines
from stsfm.datasets.transform import LEVELS
from stsfm.identity import identify
from stsfm.job import cut
from stsfm.losses.metrics import METRICS, Reference
from stsfm.models import conformal
from stsfm.models.base import Forecaster
from stsfm.models.conformal import Conformal, half_widths
from stsfm.models.naive import Drift, Naive, SeasonalNaive

RNG = np.random.default_rng(0)
ALONE = "baselines=[]"
POINT = [m.name for m in METRICS if m.requires == "count"]


def waves(length: int = 400, nodes: int = 3) -> Panel:
    return sines(length=length, nodes=nodes, periods=[12], amplitudes=[3.0], noise=0.5, seed=1)


def wrapped(split, make=SeasonalNaive) -> Conformal:
    rules = split.rules
    model = Conformal(make(), make(), rows=rules["calibration"], gap=rules["gap"])
    return model.fit(split.train, split.val)


# ---- half-widths ---------------------------------------------------------------------------------


def by_hand(scores: list[float]) -> list[float]:
    n = len(scores)
    return [sorted(scores)[ceil((n + 1) * tenths / 10) - 1] for tenths in range(1, 10)]


@pytest.mark.parametrize("n", [9, 10, 19, 58])
def test_half_widths_are_order_statistics(n):
    scores = RNG.random((n, 2, 3, 1))
    widths, pooled = half_widths(scores)
    assert widths.shape == (9, 2, 3, 1) and not pooled.any()
    for cell in np.ndindex(2, 3, 1):
        np.testing.assert_array_equal(widths[:, *cell], by_hand(list(scores[:, *cell])))


def test_gaps_do_not_count_and_a_node_with_few_scores_takes_those_of_all():
    scores = RNG.random((20, 2, 3, 1))
    scores[4:9, 0, 1] = np.inf  # 15 are left
    scores[8:, :, 2] = np.inf  # 8 are left
    widths, pooled = half_widths(scores)
    assert pooled.tolist() == [False, False, True] and np.isfinite(widths).all()
    seen = [x for x in scores[:, 0, 1, 0] if x < np.inf]
    np.testing.assert_array_equal(widths[:, 0, 1, 0], by_hand(seen))
    everyone = [x for x in scores[:, 1].ravel() if x < np.inf]
    np.testing.assert_array_equal(widths[:, 1, 2, 0], by_hand(everyone))


def test_too_few_scores_make_no_intervals():
    with pytest.raises(ValueError, match="too few residuals: 8, 9 are needed"):
        half_widths(RNG.random((8, 2, 1, 1)))


# ---- what is learned from what -------------------------------------------------------------------


class Spy(Forecaster):
    """Forecasts zero, and remembers what it was shown."""

    cite = "none"

    def fit(self, train, val):
        self.train, self.val = train, val
        return self

    def predict(self, past, future):
        return Forecast(point=np.zeros(future.values.shape))

    def backtest(self, windows):
        self.asked = windows
        return super().backtest(windows)


def test_the_twin_is_fitted_before_the_block_and_scored_inside_it():
    split = rolling(waves(), horizon=6, val=200, test=300, gap=5, calibration=40)
    model = wrapped(split, Spy)
    end = split.rules["train"][1]
    twin = model.twin.train
    assert len(twin.panel) == end - 45 and twin.origins.max() == end - 45 - 6
    asked = model.twin.asked.origins
    assert asked.min() == end - 40 and asked.max() == end - 6 and len(asked) == 35
    assert model.model.train is split.train and model.model.val is split.val
    truth = split.train.panel.values[end - 40 :]
    scores = np.stack([abs(truth[i : i + 6]) for i in range(35)])
    np.testing.assert_array_equal(model.half_widths_, half_widths(scores)[0])


def test_neither_validation_nor_test_calibrates():
    panel, rules = waves(), {"horizon": 6, "val": 200, "test": 300}
    later = np.arange(400)[:, None, None] >= 200
    poisoned = replace(panel, values=np.where(later, 1e3 * RNG.random(panel.values.shape), 0)
                       + np.where(later, 0, panel.values))  # fmt: skip
    clean, other = (wrapped(rolling(p, **rules)) for p in (panel, poisoned))
    np.testing.assert_array_equal(clean.half_widths_, other.half_widths_)


def test_a_refit_moves_points_and_no_width():
    split = rolling(waves(), horizon=6, val=200, test=300)
    model = wrapped(split, Spy)
    before = model.half_widths_.copy()
    assert model.refit(split.development) is model
    assert model.model.train is split.development and model.twin.train is not split.development
    np.testing.assert_array_equal(model.half_widths_, before)


def test_cells_that_were_not_observed_calibrate_nothing():
    panel = waves()
    mask = panel.mask.copy()
    mask[158:, 1], mask[::3, 0] = False, False  # the block begins at 150: 8 residuals are left
    holes = replace(panel, mask=mask, values=panel.values * mask)
    model = wrapped(rolling(holes, horizon=6, val=200, test=300), Spy)
    assert model.rows == 50 and model.intervals["pooled_nodes"] == 1
    z, seen = model.model.train.panel.values[150:], mask[150:200]
    of = lambda node: [abs(z[i, node, 0]) for i in range(45) if seen[i, node, 0]]  # noqa: E731
    np.testing.assert_array_equal(model.half_widths_[:, 0, 0, 0], by_hand(of(0)))
    everyone = [*of(0), *of(1), *of(2)]
    np.testing.assert_array_equal(model.half_widths_[:, 0, 1, 0], by_hand(everyone))


def test_origins_are_thinned_where_their_scores_are_too_many(monkeypatch):
    monkeypatch.setattr(conformal, "SCORES", 20 * 6 * 3)
    model = wrapped(rolling(waves(), horizon=6, val=200, test=300), Spy)
    steps = np.diff(model.twin.asked.origins)
    assert model.intervals["origins"] == 15 and set(steps) == {3}  # 45 fit, every third is kept


def test_batches_change_no_width(monkeypatch):
    split = rolling(waves(), horizon=6, val=200, test=300)
    whole = wrapped(split).half_widths_
    monkeypatch.setattr("stsfm.datasets.windows.CELLS", 1)
    np.testing.assert_array_equal(wrapped(split).half_widths_, whole)


# ---- what is forecast ----------------------------------------------------------------------------


def test_intervals_cover_where_scores_are_exchangeable():
    """A season and white noise: 80 % intervals hold 80 %, every level its share."""
    split = rolling(waves(4000, 10), horizon=12, val=0.6, test=0.8)
    made = evaluate(wrapped(split), split, refit=True).test
    share = made.scores["cover80"]["pooled"]  # 789 origins, 8,000 cells: its deviation is 0.8 %
    assert share == pytest.approx(0.8, abs=0.025)
    below = (made.truth.values[..., None] <= made.forecast.quantiles).mean((0, 1, 2, 3))
    np.testing.assert_allclose(below, LEVELS, atol=0.03)


def test_intervals_are_symmetric_before_the_inverse_of_a_log_and_the_median_is_the_point():
    split = rolling(airline(), calibration=30)
    model = wrapped(split, Drift)
    inner, bare = model.backtest(split.test), model.model.backtest(split.test)
    np.testing.assert_array_equal(inner.point, bare.point)
    np.testing.assert_array_equal(inner.quantiles[..., 9], bare.point)
    widths = np.broadcast_to(model.half_widths_[7], bare.point.shape)  # 80 %
    np.testing.assert_allclose(inner.quantiles[..., 17] - bare.point, widths)
    np.testing.assert_allclose(bare.point - inner.quantiles[..., 1], widths)
    reference = Reference.of(split.panel.upto(84))
    outer = backtest(model, split.test, split, reference).forecast
    above, below = outer.quantiles[..., 17] - outer.point, outer.point - outer.quantiles[..., 1]
    assert (above > below).all() and (outer.quantiles > 0).all()


def test_half_widths_follow_the_names_of_nodes():
    split = rolling(waves(), horizon=6, val=200, test=300)
    model = wrapped(split, Naive)
    past, future = split.test[0]
    whole = model.predict(past, future.blank())
    turn = lambda p: replace(p, values=p.values[:, ::-1], mask=p.mask[:, ::-1],  # noqa: E731
                             about=replace(p.about, nodes=p.about.nodes[::-1]))  # fmt: skip
    turned = model.predict(turn(past), turn(future).blank())
    np.testing.assert_array_equal(turned.quantiles, whole.quantiles[:, ::-1])
    new = replace(past.about, nodes=("a", "b", "c"))
    assert model.predict(replace(past, about=new), replace(future, about=new)).quantiles is None


def test_a_constant_series_has_intervals_of_no_width():
    panel = replace(waves(), values=np.full((400, 3, 1), 7.0))
    split = rolling(panel, horizon=6, val=200, test=300)
    made = evaluate(wrapped(split), split, refit=True).test
    assert made.scores["width80"]["pooled"] == 0 and made.scores["cover80"]["pooled"] == 1


# ---- the protocol --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked, rows", [("auto", 21), (0, 0), (30, 30), (0.5, 42), (30.0, 30), (83, 83)]
)
def test_the_block_is_the_end_of_train(asked, rows):
    assert rolling(airline(), calibration=asked).rules["calibration"] == rows


def test_auto_is_as_long_as_validation():
    assert rolling(waves(), horizon=6, val=0.7, test=0.75).rules["calibration"] == 20


@pytest.mark.parametrize("asked", [-1, -0.5, 84, 3.5])
def test_a_block_outside_train_is_refused(asked):
    with pytest.raises(ValueError, match=r"protocol\.calibration is a fraction of train"):
        rolling(airline(), calibration=asked)


def name(*overrides: str) -> str:
    config = compose.config(list(overrides))
    return identify(config, cut(config)).run_id


def test_the_block_is_part_of_the_protocol():
    prints = {rolling(airline(), calibration=rows).fingerprint for rows in (0, 21, 30)}
    assert len(prints) == 3
    assert name("model=naive", "protocol.calibration=21") == name("model=naive")


# ---- runs and tables -----------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["linear", "gru"])
def test_point_scores_are_those_without_intervals(desk, model):
    for rows in ("auto", "0"):
        words = [f"protocol.calibration={rows}", f"runs_dir=runs/{rows}", "trainer.epochs=4"]
        assert desk("run", f"model={model}", ALONE, *words) == 0
    (with_,), (without,) = (list((desk.folder / f"runs/{r}").glob("*/*/*")) for r in ("auto", "0"))
    a, b = (desk.json(folder / "scores.json") for folder in (with_, without))
    for split in ("val", "test"):
        for metric in POINT:
            assert a[split][metric] == b[split][metric]
    assert a["intervals"]["kind"] == "conformal" and a["test"]["crps"]["pooled"] > 0
    assert b["intervals"]["kind"] == "none" and b["test"]["crps"] is None
    assert a["cost"]["calibrate_seconds"] > 0 == b["cost"]["calibrate_seconds"]
    assert a["cost"]["parameters"] == b["cost"]["parameters"] and a["training"] == b["training"]
    assert "lei2018conformal" in (with_ / "references.bib").read_text()
    assert "lei2018conformal" not in (without / "references.bib").read_text()
    assert (with_ / "plots/calibration.png").exists() > (without / "plots/calibration.png").exists()


def test_tables_say_where_intervals_come_from(desk):
    assert desk("run", "model=linear", "baselines=[arima]") == 0
    assert max(map(len, desk.out.splitlines()[1:4])) <= 120
    folder = desk.only("/linear/").folder
    with (folder / "table.csv").open() as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    assert {name: row["intervals"] for name, row in rows.items()} == {
        "linear": "conformal", "arima": "native",
    }  # fmt: skip
    for row in rows.values():
        assert float(row["test_pinball"]) == pytest.approx(float(row["test_crps"]) / 2)
        assert float(row["test_width80"]) > 0
    markdown = (folder / "table.md").read_text()
    assert (
        "| intervals |" in markdown and "| width 80 % |" in markdown and "| conformal |" in markdown
    )


def test_too_few_residuals_are_said_and_recorded(desk):
    assert desk("run", "model=naive", "protocol.calibration=16", "baselines=[drift]") == 0
    said = "No intervals for naive, drift: too few residuals: 5, 9 are needed."
    orders = (said, said.replace("naive, drift", "drift, naive"))
    assert any(order in desk.out for order in orders)
    made = desk.only("/naive/").scores
    assert made["intervals"]["reason"] == "too few residuals: 5, 9 are needed"
    assert made["test"]["crps"] is None and made["test"]["mae"]["pooled"] > 0


def test_nodes_that_share_their_intervals_are_said(desk, monkeypatch):
    shared = lambda scores: (half_widths(scores)[0], np.array([True, True]))  # noqa: E731
    monkeypatch.setattr("stsfm.models.conformal.half_widths", shared)
    assert desk("run", "model=naive", ALONE) == 0
    assert "intervals of 2 nodes with too few residuals are those of all nodes: naive." in desk.out


def test_a_model_whose_twin_cannot_be_fitted_stands_without_intervals(desk):
    assert desk("run", "model=linear", "model.context=60", ALONE) == 0
    assert "No intervals for linear: no series has values over 60 rows of past" in desk.out
