"""What a kept run forecasts beyond its data: the numbers, whose they are, and what is refused."""

import csv
import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stsfm import trust
from stsfm.__main__ import COMMANDS
from stsfm.build import build
from stsfm.completion import candidates
from stsfm.datasets import airline as home
from stsfm.datasets.beyond import extended, onward
from stsfm.datasets.panel import Panel
from stsfm.mistakes import Mistake
from stsfm.newdata import arranged
from stsfm.record import seal
from stsfm.record.attempt import _known
from stsfm.saved import forecast

WHOLE = home.airline()
QUICK = ["trainer.epochs=3", "baselines=[]"]
RING = ["data=ring", "data.length=300", "data.nodes=3"]


def run(desk, model: str, *words: str):
    """A kept run, made once for all tests of this file that ask for the same."""
    shelf = desk.folder.parent / "-".join(["shelf", model, *words])
    if not shelf.is_dir():
        made(desk, model, *words)
        shutil.copytree(desk.folder / "runs", shelf)
    shutil.copytree(shelf, desk.folder / "runs", dirs_exist_ok=True)
    return desk.only(f"/{model}/")


def made(desk, model: str, *words: str):
    assert desk("run", f"model={model}", *words, *QUICK) == 0, desk.err
    return desk.only(f"/{model}/")


def ring(length: int = 300, nodes: int = 3) -> Panel:
    config = {"_target_": "stsfm.datasets.synthetic.ring", "length": length, "nodes": nodes}
    rest = {"own": 0.5, "neighbour": 0.4, "noise": 1.0, "seed": 0}
    return build(config | rest, path="data")


def stand_in(monkeypatch, panel: Panel) -> None:
    """From now on data=airline is another panel."""
    monkeypatch.setattr(home, "airline", lambda: panel)
    monkeypatch.setattr(home.airline, "__module__", home.__name__)


def written(desk) -> list[dict[str, str]]:
    """The rows of the CSV that the last command said it wrote."""
    place = desk.out.rpartition("→ ")[2].split()[0]
    with (desk.folder / place / "forecast.csv").open() as file:
        return list(csv.DictReader(file))


def column(rows: list[dict[str, str]], name: str) -> np.ndarray:
    return np.array([float(row[name]) for row in rows])


# ---- the numbers ---------------------------------------------------------------------------------


def test_arima_goes_on_as_statsmodels_does_by_hand(desk):
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    found = forecast(run(desk, "arima"))
    learned = np.load(desk.only("/arima/").folder / "model/learned.npz")
    logs = np.log(WHOLE.values[:, 0, 0])
    shift, scale = logs[:84].mean(), logs[:84].std()
    by_hand = SARIMAX((logs - shift) / scale, order=(0, 1, 1), seasonal_order=(0, 1, 1, 12))
    ahead = by_hand.filter(learned["params_"].ravel()).forecast(12)
    np.testing.assert_allclose(
        found.forecast.point.ravel(), np.exp(shift + scale * ahead), rtol=1e-6
    )


def test_the_command_writes_what_python_gives(desk):
    found = forecast(run(desk, "arima"))
    assert desk("predict", "runs/airline/arima/" + desk.only("/arima/").folder.name) == 0
    rows = written(desk)
    assert [row["time"] for row in rows] == [f"1961-{month:02}-01" for month in range(1, 13)]
    frame = found.to_frame()
    for name in ("point", "mean", "q05", "q50", "q95"):
        np.testing.assert_array_equal(column(rows, name), frame[name])
    assert (frame.q05 < frame.point).all() and (frame.point < frame.q95).all()
    folder = found.folder
    assert {"forecast.png", "forecast.svg", "forecast.json"} <= {f.name for f in folder.iterdir()}
    assert "1961-12" in desk.out and "fitted to train + val (1949-01 … 1957-12)" in desk.out


def test_naive_repeats_the_last_value(desk):
    found = forecast(run(desk, "naive"))
    np.testing.assert_allclose(found.forecast.point, 432.0)


@pytest.mark.parametrize("model", ["gru", "linear", "arima", "ets"])
def test_where_the_data_end_at_a_scored_origin_the_forecast_is_the_scored_one(desk, model):
    kept = run(desk, model)
    scored = np.load(kept.folder / "forecast.npz")
    for origin in (-1, -5):
        cut = WHOLE.upto(int(scored["origins"][origin]))
        found = forecast(kept, data=cut)
        np.testing.assert_allclose(found.forecast.point, scored["point"][origin], rtol=1e-5)
        np.testing.assert_allclose(found.forecast.quantiles, scored["quantiles"][origin], rtol=1e-5)
        np.testing.assert_array_equal(found.time, scored["time"][origin])


def test_a_gap_before_the_end_is_stepped_over(desk):
    mask = WHOLE.mask.copy()
    mask[-3:-1] = False
    gappy = replace(WHOLE, mask=mask, values=WHOLE.values * mask)
    np.testing.assert_allclose(forecast(run(desk, "naive"), data=gappy).forecast.point, 432.0)
    point = forecast(run(desk, "arima"), data=gappy).forecast.point
    whole = forecast(desk.only("/arima/")).forecast.point
    assert 0 < abs(point / whole - 1).max() < 0.05
    mask[-1] = False  # now the last observed month is September
    short = forecast(
        desk.only("/naive/"), data=replace(WHOLE, mask=mask, values=WHOLE.values * mask)
    )
    assert short.origin == "1960-10"
    np.testing.assert_allclose(short.forecast.point, 508.0)


# ---- refit=all -----------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["gru", "arima"])
def test_refit_all_learns_anew_once(desk, model, monkeypatch):
    kept = run(desk, model)
    place = str(kept.folder)
    assert desk("predict", place) == 0
    before = column(written(desk), "point")
    assert desk("predict", place, "refit=all") == 0 and "refitted to all rows" in desk.out
    after = column(written(desk), "point")
    assert (before != after).any() and abs(after / before - 1).max() < 0.5
    monkeypatch.setattr("stsfm.models.arima.ARIMA.refit", None)  # not called again
    monkeypatch.setattr("stsfm.models.neural.Neural.fit", None)
    assert desk("predict", place, "refit=all") == 0
    np.testing.assert_array_equal(column(written(desk), "point"), after)
    assert len(list((kept.folder / "predict").iterdir())) == 2  # neither overwrote the other
    assert desk("predict", place) == 0
    np.testing.assert_array_equal(column(written(desk), "point"), before)


def test_a_broken_refitted_model_is_learned_again(desk):
    kept = run(desk, "linear")
    first = forecast(kept, refit=True)
    (first.folder / "model/learned.npz").write_bytes(b"half a file")
    again = forecast(kept, refit=True)
    np.testing.assert_array_equal(again.forecast.point, first.forecast.point)
    assert np.load(first.folder / "model/learned.npz")["weight_"].any()


def test_a_net_is_refitted_for_its_best_number_of_epochs(desk, monkeypatch):
    from stsfm.models import neural

    kept, calls = run(desk, "gru"), []

    def spy(net, loss, windows, val, **rest):
        calls.append((rest["trainer"].epochs, int(windows.origins.max()), len(val)))
        return train(net, loss, windows, val, **rest)

    train = neural.train
    monkeypatch.setattr(neural, "train", spy)
    forecast(kept, refit=True)
    assert calls[0] == (kept.scores["training"]["best_epoch"], 144 - 12, 0)
    kept = run(desk, "composed", "model/embedding=identity", "model/dynamics=gru")
    calls.clear()
    assert "that were best" in " ".join(forecast(kept, refit=True).notes)
    assert calls[0] == (kept.scores["training"]["best_epoch"], 144 - 12, 0)


# ---- nodes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["linear", "ar"])
def test_nodes_are_matched_by_name(desk, model):
    kept, panel = run(desk, model, *RING), ring()
    usual = forecast(kept)
    other = forecast(kept, data=arranged(panel, ["node 2", "node 0", "node 1"]))
    assert other.about.nodes == ("node 2", "node 0", "node 1")
    np.testing.assert_allclose(other.forecast.point, usual.forecast.point[:, [2, 0, 1]], rtol=1e-9)
    some = forecast(kept, data=arranged(panel, ["node 2"]))
    np.testing.assert_allclose(some.forecast.point, usual.forecast.point[:, [2]], rtol=1e-9)
    assert set(some.to_frame().node) == {"node 2"}


def test_new_nodes_are_taken_or_refused_by_name(desk):
    run(desk, "linear", *RING)
    place = str(desk.only("/linear/").folder)
    assert desk("predict", place, "data=ring", "data.nodes=4") == 0  # as long as the run's own
    assert "new to the run" in desk.out and ": node 3" in desk.out
    assert "no intervals: not learned for new nodes" in desk.out
    assert {row["node"] for row in written(desk)} == {f"node {n}" for n in range(4)}
    assert written(desk)[0]["time"] == str(ring().time[[-1]].astype("M8[ns]").astype("M8[s]")[0] +
                                           np.timedelta64(1, "h")).replace("T", " ")  # fmt: skip
    run(desk, "arima", *RING)
    place = str(desk.only("/arima/").folder)
    assert desk("predict", place, "data=ring", "data.nodes=4") == 2
    assert desk.err.count("\n") == 1
    assert "node 0, node 1, node 2;" in desk.err and "node 2, node 3" in desk.err


def test_a_new_node_is_scaled_by_the_rows_that_are_read(desk):
    """The same series in other units under a new name: the same forecast in those units."""
    kept, panel = run(desk, "linear", *RING), ring()
    names = ("node 0", "twin", "twin in cents")
    values = panel.values[:, [0, 0, 0]] * np.array([1, 1, 100.0])[:, None] + [[0], [0], [7]]
    about = replace(panel.about, nodes=names)
    found = forecast(kept, data=replace(panel, values=values, about=about)).forecast.point
    np.testing.assert_allclose(found[:, 2], 100 * found[:, 1] + 7, rtol=1e-6)
    np.testing.assert_allclose(found[:, 0], forecast(kept).forecast.point[:, 0], rtol=1e-9)


# ---- which data ----------------------------------------------------------------------------------


def test_data_that_changed_since_are_noticed(desk, monkeypatch):
    kept = run(desk, "naive")
    stand_in(monkeypatch, replace(WHOLE, values=WHOLE.values + 1))
    assert desk("predict", str(kept.folder)) == 2 and "no longer those" in desk.err
    assert desk("predict", str(kept.folder), "data=airline") == 0
    np.testing.assert_allclose(column(written(desk), "point"), 433.0)


def test_data_that_grew_are_read_to_their_end(desk, monkeypatch):
    stand_in(monkeypatch, WHOLE.upto(132))
    kept = made(desk, "arima")
    assert forecast(kept).origin == "1960-01"
    stand_in(monkeypatch, WHOLE)
    assert desk("predict", str(kept.folder)) == 0
    assert "12 rows have come" in desk.out and "1961-12" in desk.out


def test_rows_that_go_on_behind_the_runs_own_are_joined_to_them(desk):
    kept, longer = run(desk, "ar", *RING), ring(360)
    whole = forecast(kept, data=longer)
    behind = forecast(kept, data=longer[slice(300, None)])
    np.testing.assert_array_equal(behind.forecast.point, whole.forecast.point)
    assert any("goes on" in note for note in behind.notes)
    later = forecast(kept, data=longer[slice(320, None)])  # the rows between were not observed
    assert len(later.past) == 360 and not later.past.mask[300:320].any()
    shifted = replace(longer[slice(300, None)], time=longer.time[300:] + 1)
    with pytest.raises(Mistake, match="no step of the run's data"):
        forecast(kept, data=shifted)


def test_ets_goes_on_from_its_first_row_only(desk):
    kept = run(desk, "ets")
    with pytest.raises(Mistake, match=r"1949-01.*begins 1955-01.*refit=all"):
        forecast(kept, data=WHOLE[slice(72, None)])
    assert forecast(kept, data=WHOLE[slice(72, None)], refit=True).origin == "1961-01"


def test_rows_without_dates_are_numbered(desk):
    rows = [f"{10 + np.sin(k):.3f}" for k in range(120)]
    (desk.folder / "rows.csv").write_text("\n".join(["y", *rows]) + "\n")
    kept = made(desk, "ets", "data=rows.csv", "protocol.horizon=2", "baselines=[]")
    assert desk("predict", str(kept.folder)) == 0, desk.err
    assert "from row 120" in desk.out and "row 121 " in desk.out and "1970" not in desk.out


@pytest.mark.parametrize(
    "change, words",
    [
        ({"channels": ("riders",), "targets": ()}, "channels of airline are riders"),
        ({"step": "week"}, "step of airline are week"),
    ],
)
def test_data_of_another_kind_are_refused(desk, change, words):
    kept = run(desk, "naive")
    with pytest.raises(Mistake, match=words):
        forecast(kept, data=replace(WHOLE, about=replace(WHOLE.about, **change)))


def test_values_that_a_logarithm_refuses_cost_one_line(desk):
    kept = run(desk, "naive")
    with pytest.raises(Mistake, match="needs positive values"):
        forecast(kept, data=replace(WHOLE, values=WHOLE.values - 200))
    values, mask = np.repeat(WHOLE.values, 2, 1) * [[1], [-1]], np.repeat(WHOLE.mask, 2, 1)
    about = replace(WHOLE.about, nodes=(*WHOLE.about.nodes, "new"))
    with pytest.raises(Mistake, match="needs positive values"):
        forecast(kept, data=replace(WHOLE, values=values, mask=mask, about=about))


def test_data_without_an_observed_row_are_refused(desk):
    kept = run(desk, "naive")
    unseen = replace(WHOLE, mask=WHOLE.mask & False, values=WHOLE.values * 0)
    with pytest.raises(Mistake, match="no observed row"):
        forecast(kept, data=unseen)


# ---- what is known ahead -------------------------------------------------------------------------


def planned(rows: int, seen: int) -> Panel:
    """y[t] = 10 + 5 u[t]: a series that only its covariate tells; the last rows are to come."""
    u = (np.random.default_rng(0).random(rows) < 0.3).astype(float)
    values = (10 + 5 * u)[:, None, None]
    mask = (np.arange(rows) < seen)[:, None, None]
    about = replace(
        WHOLE.about, name="shop", covariates=("price",), kinds=("planned",), season=1, suggests={}
    )
    time = np.datetime64("2020-01-01", "ns").astype("int64") + 86_400 * 10**9 * np.arange(rows)
    return Panel(
        values=values * mask, mask=mask, time=time, about=about, known=u[:, None, None]
    )  # fmt: skip


def test_what_is_known_ahead_comes_from_the_rows_behind(desk, monkeypatch):
    stand_in(monkeypatch, planned(200, 200).upto(196))
    kept = made(desk, "linear", "protocol.horizon=4")
    with pytest.raises(Mistake, match=r"price must be known from 2020-07-15 to 2020-07-18"):
        forecast(kept)
    with pytest.raises(Mistake, match=r"from 2020-07-17 to 2020-07-18"):
        forecast(kept, data=planned(198, 196))
    found = forecast(kept, data=planned(200, 196))
    truth = planned(200, 200).values[196:]
    assert truth.min() == 10 and truth.max() == 15
    np.testing.assert_allclose(found.forecast.point, truth, atol=0.5)
    later, hidden = planned(210, 206), np.isin(np.arange(210), range(196, 200))[:, None, None]
    with pytest.raises(Mistake, match=r"price must be known from 2020-07-15 to 2020-07-18"):
        forecast(kept, data=later[slice(200, None)])  # nor of the rows between
    stand_in(monkeypatch, planned(200, 196))  # now the run's own data say it
    behind = forecast(kept, data=later[slice(200, None)]).forecast.point
    whole = replace(later, mask=later.mask & ~hidden, values=later.values * ~hidden)
    np.testing.assert_array_equal(behind, forecast(kept, data=whole).forecast.point)


def test_calendar_features_are_computed(desk):
    """A sine of the hour of day goes on, though the data say nothing of the hours to come."""
    words = ["data=sines", "data.nodes=1", "data.length=400", "data.noise=0.01"]
    words += ["data.periods=[24]", "data.amplitudes=[1.0]"]
    kept = run(desk, "linear", *words, "protocol.calendar=[hour]", "model.context=1")
    assert kept.read("data.json")["covariates"] == {"hour sin": "calendar", "hour cos": "calendar"}
    found = forecast(kept)
    np.testing.assert_allclose(found.forecast.point, found.past.values[-24:], atol=0.1)


def test_calendar_features_of_rows_between_are_computed(desk):
    """Rows that begin ten hours later and end with the hours to come: nothing is left to append."""
    words = ["data=sines", "data.nodes=1", "data.length=400", "protocol.calendar=[hour]"]
    kept = run(desk, "linear", *words, "model.context=24")
    own = build(kept.config["data"], path="data")
    seen = (np.arange(439) < 400) | (np.arange(439) >= 410) & (np.arange(439) < 415)
    values = np.sin(np.arange(439) / 4) * seen
    whole = Panel(
        values=np.where(np.arange(439) < 400, np.resize(own.values, 439), values)[:, None, None],
        mask=seen[:, None, None],
        time=own.time[0] + np.diff(own.time)[0] * np.arange(439),
        about=own.about,
    )
    behind = forecast(kept, data=whole[slice(410, None)]).forecast.point
    np.testing.assert_allclose(behind, forecast(kept, data=whole).forecast.point, rtol=1e-12)


# ---- the run -------------------------------------------------------------------------------------


def test_older_code_of_the_model_is_said(desk, monkeypatch):
    kept = run(desk, "naive")
    assert len(forecast(kept).notes) == 1
    monkeypatch.setattr("stsfm.learned.source_of", lambda *_: "another")
    assert "the code of naive has changed since the run was made" in forecast(kept).notes


def reseal(folder: Path, **changes: Any) -> None:
    """As if the folder had been left so: what its files are known by, and the status, hold."""
    status = json.loads((folder / "status.json").read_text())
    status |= {"files": _known(folder), **changes}
    status = {name: value for name, value in status.items() if name != "sha256"}
    (folder / "status.json").write_text(json.dumps(status | {"sha256": seal(status)}))


@pytest.mark.parametrize("file", ["model/learned.npz", "transform.npz"])
def test_a_damaged_folder_is_said_in_a_line(desk, file):
    kept = run(desk, "linear")
    path = kept.folder / file
    path.write_bytes(path.read_bytes()[:50])
    assert desk("predict", str(kept.folder)) == 2 and "is damaged" in desk.err
    reseal(kept.folder)
    assert desk("predict", str(kept.folder)) == 2
    assert desk.err.count("\n") == 1 and "can't be read" in desk.err and "force=true" in desk.err
    path.unlink()
    reseal(kept.folder)
    assert desk("predict", str(kept.folder)) == 2 and "can't be read" in desk.err
    (kept.folder / "data.json").write_text("{")
    reseal(kept.folder)
    assert desk("predict", str(kept.folder)) == 2 and "damaged, or was made by an older" in desk.err


def test_damaged_weights_of_a_net_are_said_in_a_line(desk):
    kept = run(desk, "gru")
    (kept.folder / "model/weights.pt").write_bytes(b"PK\x03\x04 nothing")
    reseal(kept.folder)
    assert desk("predict", str(kept.folder)) == 2 and "can't be read" in desk.err


def test_a_net_from_a_machine_with_a_gpu_forecasts_without_one(desk):
    kept = run(desk, "gru")
    usual = forecast(kept).forecast.point
    config = kept.folder / "config.yaml"
    config.write_text(config.read_text().replace("accelerator: cpu", "accelerator: gpu"))
    reseal(kept.folder)
    np.testing.assert_array_equal(forecast(kept).forecast.point, usual)


def test_mistakes_cost_one_line(desk):
    kept = run(desk, "naive")
    for words, said in (
        ([], "wanted one run"),
        (["zzz"], "no run is called 'zzz'"),
        ([str(kept.folder), "refit=some"], "wanted refit=all"),
        ([str(kept.folder), "dta=x"], "Did you mean 'data'?"),
        ([str(kept.folder), "data.nodes=3"], "name them with data=…"),
        ([str(kept.folder), "data=arline"], "no data named 'arline'"),
        ([str(kept.folder), "--fast"], "unknown option '--fast'"),
    ):
        assert desk("predict", *words) == 2, words
        assert desk.err.count("\n") == 1 and said in desk.err
    desk("run", "model=naive", "protocol.horizon=6", "baselines=[]")
    assert desk("predict", "") == 2 and "could be" in desk.err
    reseal(kept.folder, state="interrupted")
    assert desk("predict", str(kept.folder)) == 2 and "is interrupted" in desk.err


def test_a_run_of_a_plug_in_needs_it_named(desk, monkeypatch):
    """What a run folder names may come from a stranger: only the user lets it in."""
    monkeypatch.setattr(trust, "_plugins", set())
    monkeypatch.setattr("sys.path", [*sys.path])
    kept = run(desk, "naive")
    config = kept.folder / "config.yaml"
    config.write_text(config.read_text().replace("stsfm.models.naive.Naive", "mine.Same"))
    reseal(kept.folder)
    source = "from stsfm.models.naive import _Baseline, Naive\n\n\n"
    source += "class Same(_Baseline):\n    _continue = Naive._continue\n"
    (desk.folder / "mine.py").write_text(source)
    assert desk("predict", str(kept.folder)) == 2 and "plugins=[mine]" in desk.err
    assert desk("predict", str(kept.folder), "plugins=[mine]") == 0
    np.testing.assert_allclose(column(written(desk), "point"), 432.0)


def test_runs_are_completed(desk):
    place = os.path.relpath(run(desk, "naive").folder)
    assert candidates(["predict", "runs/"], COMMANDS) == [place]
    assert candidates(["predict", place, "re"], COMMANDS) == ["refit=all"]
    assert "data=ring" in candidates(["predict", place, "data=r"], COMMANDS)


# ---- stamps beyond the end -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "given, following",
    [
        (["1960-11", "1960-12"], ["1961-01", "1961-02", "1961-03"]),
        (["2019-12-31", "2020-01-31", "2020-02-29"], ["2020-03-31", "2020-04-30", "2020-05-31"]),
        (["2020-01-15", "2020-04-15"], ["2020-07-15", "2020-10-15", "2021-01-15"]),
        (["2019", "2020"], ["2021", "2022", "2023"]),
        (["2024-02-27", "2024-02-28"], ["2024-02-29", "2024-03-01", "2024-03-02"]),
        (
            ["2024-05-03T09:00", "2024-05-06T09:00", "2024-05-07T09:00"],
            ["2024-05-08T09:00", "2024-05-09T09:00", "2024-05-10T09:00", "2024-05-13T09:00"],
        ),
        (["2024-05-02T09:00", "2024-05-02T09:05"], ["2024-05-02T09:10", "2024-05-02T09:15"]),
    ],
)
def test_stamps_go_on_as_the_calendar_has_them(given, following):
    found = onward(np.array(given, "M8[ns]").astype("int64"), len(following))
    np.testing.assert_array_equal(found, np.array(following, "M8[ns]").astype("int64"))


def test_stamps_without_a_rule_are_refused():
    days = np.array(["2024-05-02", "2024-05-03", "2024-05-09"], "M8[ns]").astype("int64")
    with pytest.raises(ValueError, match="2024-05-03T00:00:00 is followed by 2024-05-09"):
        onward(days, 1)
    with pytest.raises(ValueError, match="one row has no step"):
        extended(WHOLE.upto(1), 2)
