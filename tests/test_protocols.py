"""Published protocols: borders, windows and scores to the letter, and figures of last values."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stsfm.backtest import backtest, evaluate
from stsfm.datasets.ett import etth1
from stsfm.datasets.panel import About, Forecast, Panel
from stsfm.datasets.protocols.dcrnn import dcrnn
from stsfm.datasets.protocols.ltsf import ltsf
from stsfm.datasets.protocols.pems import pems
from stsfm.datasets.protocols.rolling import rolling
from stsfm.datasets.protocols.tgcn import tgcn
from stsfm.datasets.tgcn import los_loop
from stsfm.losses.base import Step
from stsfm.losses.metrics import METRIC, Reference
from stsfm.losses.point import MAE
from stsfm.models.naive import Mean, Naive
from stsfm.results import _plain
from stsfm.significance.concordance import concordance

DATA = Path(__file__).parents[2] / "shared/data"
shared = pytest.mark.skipif(not DATA.is_dir(), reason="needs the shared data")
FIVE = 5 * 60 * 10**9  # ns


def toy(rows=200, nodes=5, zeros=()):
    """Traffic every five minutes; `zeros` are (row, node) at which a sensor failed."""
    rng = np.random.default_rng(0)
    values = 50 + 10 * np.sin(np.arange(rows) / 9)[:, None, None] + rng.random((rows, nodes, 1))
    for at in zeros:
        values[at] = 0
    return Panel(
        values=values,
        mask=np.ones(values.shape, bool),
        time=np.arange(rows) * FIVE,
        about=About(
            name="toy", nodes=tuple(map(str, range(nodes))), channels=("speed",), season=24,
            step="5 min", family="toy",
        ),
    )  # fmt: skip


def scored(split, model=None, batch=0):
    reference = Reference.of(split.panel.upto(len(split.train.panel)))
    model = (model or Naive()).fit(split.train, split.val)
    return backtest(model, split.test, split, reference, batch=batch)


def pooled(split, view=""):
    scores = scored(split).scores
    each = (scores[name] for name in split.metrics)
    return [entry["view"][view] if view else entry["pooled"] for entry in each]


@shared
def test_the_last_value_on_etth1_is_the_published_one():
    """LTSF-Linear's Table 2 has the row `Repeat` without its last, incomplete batch of test."""
    panel = etth1(path=str(DATA / "ett/ETTh1.csv"), targets=())
    split = ltsf(panel, horizon=96)
    assert len(split.test) == 2785 and split.rules["test"] == [11520, 14400]
    assert pooled(split) == pytest.approx((1.2944, 0.7132), abs=5e-5) and not split.warned
    published = {96: (1.295, 0.713), 192: (1.325, 0.733), 336: (1.323, 0.744), 720: (1.339, 0.756)}
    for horizon, figures in published.items():
        older = ltsf(panel, horizon=horizon, drop_last=32)
        windows = 2880 - horizon + 1
        assert len(ltsf(panel, horizon=horizon).test) == windows
        assert len(older.test) == windows // 32 * 32 and "drop_last=32" in older.warned[0]
        assert pooled(older) == pytest.approx(figures, abs=5e-4), horizon
    assert ltsf(panel, horizon=96, drop_last=32).fingerprint != split.fingerprint


@shared
def test_the_last_value_on_los_loop_is_the_known_one():
    """One training of an hour has the scores of four horizons, each over exactly its windows."""
    split = tgcn(los_loop(path=str(DATA / "los_loop/los_speed.csv"), adjacency="", fills="keep",
                          space="none"))  # fmt: skip
    wanted = {
        "15 min": (389, 5.5428, 3.1561, 0.9056, 0.8403),
        "30 min": (386, 6.6986, 3.6317, 0.8859, 0.7676),
        "45 min": (383, 7.6281, 4.0417, 0.8701, 0.6997),
        "60 min": (380, 8.4555, 4.4332, 0.8559, 0.6322),
    }
    assert {view.name: view.windows for view in split.views} == {k: v[0] for k, v in wanted.items()}
    scores = scored(split, batch=150).scores
    for name, (_, *figures) in wanted.items():
        got = [scores[metric]["view"][name] for metric in split.metrics[:4]]
        assert got == pytest.approx(figures, abs=5e-5), name


def test_a_view_is_the_score_of_its_own_horizon():
    hour = tgcn(toy())
    assert len(hour.test) == 40 - 12 - 3 and len(hour.panel) == 200
    for minutes, steps in ((15, 3), (30, 6), (45, 9), (60, 12)):
        alone = tgcn(toy(), horizon=steps)
        first = scored(alone).scores["rmse"]
        exact = first["pooled"] if steps == 3 else first["view"][f"{minutes} min"]
        assert pooled(hour, f"{minutes} min")[0] == pytest.approx(exact, rel=1e-12)
    assert tgcn(toy(), horizon=3).views == () and len(tgcn(toy(), horizon=3).test) == 25


def test_an_oracle_is_named_and_warned():
    split = tgcn(toy(), oracle=True)
    assert split.val is split.test and split.development is None and "oracle" in split.warned[0]
    assert split.fingerprint != tgcn(toy()).fingerprint
    honest = tgcn(toy())
    assert honest.rules["val"] == [160 - 19, 160] and len(honest.development.panel) == 160


def test_ltsf_is_fitted_to_train_and_takes_shares_where_nobody_says_months():
    split = ltsf(toy(), horizon=6)
    assert [split.rules[part] for part in ("train", "val", "test")] == [
        [0, 140], [140, 160], [160, 200],
    ]  # fmt: skip
    assert evaluate(Naive(), split, refit=True).fitted_to == "train"
    with pytest.raises(ValueError, match="20 months of 30 days"):
        ltsf(toy(), borders="months")


def test_dcrnn_has_the_samples_of_its_script():
    """generate_training_data.py: samples at rows 11 … N − 13, round(0.2 n) of them in test."""
    split = dcrnn(toy())
    samples = 200 - 23
    assert len(split.test) == round(0.2 * samples) and split.test.origins[-1] == 200 - 12
    assert split.val.origins[0] == 12 + round(0.7 * samples)
    made = scored(split).scores["mae"]
    for name, step in (("15 min", 2), ("30 min", 5), ("60 min", 11)):
        assert made["view"][name] == pytest.approx(made["step"][step], rel=1e-12)
    for part in (split.train, split.val):  # no future crosses a border
        assert part.origins[-1] + 12 == len(part.panel)


def test_pems_windows_lie_in_their_part():
    split = pems(toy())
    assert split.rules["test"] == [160, 200] and not split.views
    assert list(split.test.origins[[0, -1]]) == [172, 188] and split.val.origins[0] == 132


@pytest.mark.parametrize("protocol", [dcrnn, pems])
def test_zeros_are_missing_for_scaler_loss_and_metrics(protocol):
    """What a masked cell holds reaches nothing: not the scale, not a fit, not a score."""
    dead = [(slice(None), 4), (7, 0), (190, 1)]
    split, clean = protocol(toy(zeros=dead)), protocol(toy())
    assert not split.panel.mask[:, 4].any() and not split.panel.mask[190, 1]
    seen = toy().values[: split.rules["train"][1], :4, 0].ravel().tolist()
    seen.remove(toy().values[7, 0, 0])
    assert split.transform.shift[0, 0] == pytest.approx(np.mean(seen), rel=1e-12)
    assert split.transform.scale[2, 0] == pytest.approx(np.std(seen), rel=1e-12)
    future = split.train[0].future
    assert not future.mask[:, 4].any() and (future.values[:, 4] == 0).all()
    right = Step(past=None, future=future, forecast=Forecast(point=future.values + 1.0),
                 transform=split.transform)  # fmt: skip
    wild = replace(right, forecast=Forecast(point=np.where(future.mask, right.forecast.point, 1e9)))
    assert float(MAE()(wild).mean()) == float(MAE()(right).mean()) == pytest.approx(1)
    made = scored(split, Mean())
    assert np.isfinite(made.scores["mape"]["pooled"])
    for name in split.metrics:
        entry = _plain(made.scores[name])
        assert entry["node"][4] is None and None not in entry["node"][:4]
        assert np.isfinite(entry["pooled"])
    assert made.windows["count"][:, 4].sum() == 0
    assert split.fingerprint != clean.fingerprint


def test_mape_is_refused_where_zeros_were_observed():
    there = pems(toy(zeros=[(190, 1)]), zeros="observed")
    assert _plain(scored(there).scores["mape"])["pooled"] is None
    assert scored(there).scores["mape"]["node"][0] > 0  # of a node without zeros it is known
    assert scored(pems(toy(zeros=[(190, 1)]))).scores["mape"]["pooled"] > 0


def test_folds_are_blocks_of_test_with_all_rows_before():
    whole = rolling(toy(), horizon=4)
    folds = [rolling(toy(), horizon=4, folds=4, fold=k) for k in (1, 2, 3, 4)]
    assert [split.rules["test"] for split in folds] == [
        [160, 170], [170, 180], [180, 190], [190, 200],
    ]  # fmt: skip
    assert [split.rules["train"][1] for split in folds] == [140, 150, 160, 170]
    assert len({split.fingerprint for split in (*folds, whole)}) == 5
    assert len({split.digest for split in folds}) == 1
    assert rolling(toy(), horizon=4, folds=1, fold=1).fingerprint == whole.fingerprint
    with pytest.raises(ValueError, match="one of 1 … 4 folds"):
        rolling(toy(), folds=4, fold=5)


def test_concordance_of_rankings():
    assert concordance(np.array([[1, 2, 3]] * 4)) == pytest.approx(1)
    assert concordance(np.array([[1, 2, 3], [3, 2, 1]])) == pytest.approx(0)
    assert concordance(np.array([[1, 1, 2], [1, 1, 2]])) == pytest.approx(1)  # ties agree, too


def test_folds_are_swept_and_their_ranks_compared(desk):
    words = ["model=naive,mean", "data=airline", "baselines=[]", "protocol.horizon=3"]
    assert desk("run", "-q", *words, "protocol.folds=2") == 0
    assert len({run.status["fingerprint"] for run in desk.runs()}) == 2
    assert desk("compare") == 0
    assert "Ranks over 2 folds of airline h=3: Kendall's W" in desk.out
    assert "fold=1 of 2" in desk.out and "one family" in desk.out


def test_a_table_shows_what_a_protocol_is_published_in(desk, tmp_path):
    panel = toy(rows=120)
    lines = ["time," + ",".join(panel.about.nodes)]
    stamps = (panel.time + 10**18).astype("M8[ns]").astype("M8[s]")
    for stamp, row in zip(stamps, panel.values[..., 0].round(3), strict=True):
        lines.append(",".join([str(stamp), *map(str, row)]))
    (tmp_path / "road.csv").write_text("\n".join(lines))
    words = ["data=road.csv", "model=naive", "protocol=tgcn", "baselines=[mean]"]
    assert desk("run", *words, "protocol.oracle=true") == 0
    headline, warned = desk.out.splitlines()[:2]
    assert headline.endswith("oracle=true") and warned.startswith("oracle=true: validation is test")
    heads = next(line for line in desk.out.splitlines() if line.startswith("  model"))
    assert "test RMSE" in heads and heads.count("min") == 4 and heads.index("RMSE 15") > 0
    run = desk.only("naive")
    assert run.scores["test"]["rmse"]["view"]["15 min"] == pytest.approx(
        pooled(tgcn(replace(panel, values=panel.values.round(3)), oracle=True), "15 min")[0],
        rel=1e-6,
    )
    page = (run.folder / "table.md").read_text()
    assert METRIC["accuracy"].formula in page and "oracle=true: validation is test" in page
    assert "test_rmse_15_min" in (run.folder / "table.csv").read_text()
    assert desk("predict", str(run.folder)) == 0
    assert desk("ls") == 0 and "RMSE val" in desk.out
    assert desk("compare", "--metric", "mae,rmse") == 0
    table = (desk.comparison() / "table.md").read_text()
    assert "| MAE 15 min | RMSE 15 min | MAE 30 min |" in table and "accuracy" not in table
    assert "test_accuracy_15_min" in (desk.comparison() / "table.csv").read_text()


def test_an_hour_wants_dates():
    panel = toy()
    bare = replace(panel, about=replace(panel.about, step=""))
    with pytest.raises(ValueError, match=r"give protocol\.horizon as a number of rows"):
        tgcn(bare)
    assert tgcn(bare, horizon=4, past=12).views == ()
