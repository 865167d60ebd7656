"""The notebook door: what it returns, what it keeps, how it fails; and the example is executed."""

import contextlib
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import stsfm
from stsfm import compose, options
from stsfm.__main__ import main
from stsfm.datasets.airline import airline
from stsfm.frames import keep
from stsfm.mistakes import Mistake
from stsfm.notebook import _words
from stsfm.tables.render import as_html

pd = pytest.importorskip("pandas")

ROOT = Path(__file__).parents[1]
QUICK = {"baselines": ["naive"], "trainer": {"epochs": 3}}
TABULAR = "tabular" in options.groups()["data"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    home = tmp_path_factory.mktemp("made")
    with contextlib.chdir(home):
        stsfm.run("model=gru", "model.hidden=4", **QUICK)
    return home / "runs"


@pytest.fixture
def here(desk, made):
    shutil.copytree(made, "runs")
    return desk


@pytest.fixture
def gru(here):
    return stsfm.run("model=gru", model={"hidden": 4}, **QUICK)


def test_importing_stsfm_imports_nothing_heavy():
    code = "import stsfm, sys; print({'numpy', 'pandas', 'hydra', 'torch'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"


def test_the_door_is_no_module():
    code = "import stsfm.jobs, stsfm.comparison, stsfm; print(all(map(callable, DOOR)))"
    code = code.replace("DOOR", "[stsfm.run, stsfm.compare, stsfm.load]")
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "True\n"
    assert {"run", "compare", "load"} <= set(dir(stsfm))


def test_keywords_are_the_words_of_the_command_line():
    keys = {"model": ["lstm", "gru"], "trainer": {"epochs": 20, "lr": 1e-3}, "seeds": 3}
    keys |= {"baselines": ["naive"], "model.order": (1, 0), "protocol.val": "1955-01", "x": None}
    assert list(_words(keys)) == [
        "model=lstm,gru", "trainer.epochs=20", "trainer.lr=0.001", "seeds=3", "baselines=[naive]",
        "model.order=[1,0]", "protocol.val='1955-01'", "x=null",
    ]  # fmt: skip
    text = {"runs_dir": "a 'b', c=d"}
    assert compose.config(list(_words(text)))["runs_dir"] == text["runs_dir"]


def test_a_run_is_that_of_the_command_line(here, gru):
    assert len(here.runs()) == 2, "found, not made anew"
    assert here("run", "model=gru", "model.hidden=4", "baselines=[naive]", "trainer.epochs=3") == 0
    assert here.only("/gru/").folder.resolve() == gru.folder.resolve()
    assert gru.scores.loc["mae", "test"] == here.mae("/gru/")
    assert gru.scores.loc["mae", "unit"] == "thousand passengers"
    assert list(gru.table.index) == ["naive", "gru"] or list(gru.table.index) == ["gru", "naive"]
    assert gru.table.loc["gru", "test_mae"] == pytest.approx(here.mae("/gru/"), rel=1e-12)
    assert list(gru.history.index) == [1, 2, 3] and gru.config["model"]["hidden"] == 4
    assert capture_nothing(here)


def capture_nothing(here) -> bool:
    captured = here.capsys.readouterr()
    return captured.out == captured.err == ""


def test_forecasts_are_those_that_were_scored(gru):
    frame = gru.forecasts
    assert len(frame) == 25 * 12 and list(frame["step"][:3]) == [1, 2, 3]
    error = (frame["point"] - frame["truth"]).abs().mean()
    assert error == pytest.approx(gru.scores.loc["mae", "test"], rel=1e-9)
    assert frame["origin"].iloc[0] == frame["time"].iloc[0] == pd.Timestamp("1958-01-01")


def test_predict_is_that_of_the_command_line(here, gru):
    here("predict", str(gru.folder))
    (file,) = gru.folder.glob("predict/*/forecast.csv")
    pd.testing.assert_frame_equal(
        gru.predict(), pd.read_csv(file, parse_dates=["time"]), check_dtype=False, rtol=1e-12
    )


def test_figures_are_those_of_the_record(gru):
    assert "forecasts" in gru.figures
    figure = gru.plot("forecasts")
    assert figure._repr_svg_().lstrip().startswith("<?xml") and "gru" in repr(figure)
    with pytest.raises(Mistake, match=r"no figure named 'forecast'\. Did you mean 'forecasts'"):
        gru.plot("forecast")


def test_several_values_are_a_comparison(here):
    both = stsfm.run(model=["drift", "mean"], **QUICK)
    assert list(both.table.index) == ["naive", "drift", "mean"]
    assert {run.config["choices"]["model"] for run in both.runs} == {"naive", "drift", "mean"}
    assert stsfm.load(both.folder).table.equals(both.table)
    again = stsfm.compare(model=["drift", "mean"], data="airline")
    assert again.table.equals(both.table) and again.folder != both.folder
    with pytest.raises(Mistake, match="no run in runs matches model=ets"):
        stsfm.compare(model="ets")


def test_an_exploratory_comparison_stays_so(here):
    stsfm.run(model="linear", **QUICK, **{"model.context": [12, 24]})
    here.capsys.readouterr()
    every = stsfm.compare(model="linear", all_configs=True)
    assert here.capsys.readouterr().out == ""
    assert sum("linear" in row for row in every.table.index) == 2
    assert "EXPLORATORY" in stsfm.load(every.folder)._repr_html_()


def test_html_is_escaped_and_has_no_colours(gru):
    shown = gru._repr_html_()
    assert gru.record.status["headline"] in shown and "<td" in shown and "color" not in shown
    gru._table.status["headline"] = "<script>"
    assert "<script>" not in as_html(gru._table, "<b>")
    assert "&lt;script&gt;" in as_html(gru._table, "")


def test_mistakes_are_raised_in_one_line(here):
    for words, keys, told in (
        ((), {"model": "lsmt"}, "no model named 'lsmt'. Did you mean 'lstm'"),
        (("model=gru",), {"trainer": {"epoch": 3}}, "unknown key 'trainer.epoch'"),
        ((), {"model": ["gru", "lsmt"]}, "no model named 'lsmt'"),
        (("model=gru",), {"model": {"hidden": "x"}}, "wanted a whole number"),
        ((), {"data": 3.5}, "wanted a name, a file, a DataFrame"),
    ):
        with pytest.raises(Mistake, match=told) as raised:
            stsfm.run(*words, **keys)
        assert raised.value._render_traceback_() == [f"Mistake: {raised.value}"]
    with pytest.raises(Mistake, match="no run is called 'zzz'"):
        stsfm.load("zzz")


def test_a_failure_raises_with_the_error_of_the_record(here, monkeypatch):
    def fail(*_, **__):
        raise FloatingPointError("the sky fell")

    monkeypatch.setattr("stsfm.job.evaluate", fail)
    with pytest.raises(RuntimeError, match="failed: FloatingPointError: the sky fell") as raised:
        stsfm.run(model="drift", baselines=[])
    assert "error.txt" in str(raised.value)
    with pytest.raises(Mistake, match="failed: FloatingPointError"):
        stsfm.load(here.only("/drift/").folder)


def test_it_runs_within_a_running_loop(here):
    import asyncio

    async def cell():
        return stsfm.run(model="drift", baselines=[])

    assert asyncio.run(cell()).scores.loc["mae", "test"] > 0
    assert main(["list", "model"]) == 0, "Hydra is left as it was found"


# ---- data as objects -----------------------------------------------------------------------------


def test_objects_are_kept_by_their_content(tmp_path):
    stamps = pd.date_range("2020-01-31", periods=3, freq="ME", name="month")
    frame = pd.DataFrame({"a": [1.5, np.nan, 0.1]}, stamps)
    path = keep(frame, tmp_path)
    assert path.read_text() == "month,a\n2020-01-31,1.5\n2020-02-29,\n2020-03-31,0.1\n"
    assert path.parent == tmp_path / "_data" and path.name.startswith("frame-")
    assert keep(frame.copy(), tmp_path) == path and keep(frame + 1, tmp_path) != path
    assert keep(frame["a"], tmp_path).read_text() == path.read_text()
    periods = frame.set_axis(pd.period_range("2020-01", periods=3, freq="M"))
    assert keep(periods, tmp_path).read_text().startswith("time,a\n2020-01-01,1.5\n")
    columns = keep(frame.reset_index(), tmp_path)
    assert columns.read_text() == path.read_text()
    array = keep(np.array([[1, 2], [3, 4]]), tmp_path).read_text()
    assert array == "time,x1,x2\n2000-01-01,1,2\n2000-01-02,3,4\n"
    panel = keep(airline(), tmp_path)
    assert panel.name.startswith("airline-") and "1960-12-01,432.0" in panel.read_text()
    with pytest.raises(Mistake, match="got ndarray of shape"):
        keep(np.zeros((2, 2, 2)), tmp_path)


@pytest.mark.skipif(not TABULAR, reason="data=tabular is not there")
def test_a_run_on_a_frame_is_one_of_the_command_line(desk):
    stamps = pd.date_range("2010-01", periods=120, freq="MS")
    wave = 10 + np.arange(120) / 24 + 3 * np.sin(2 * np.pi * np.arange(120) / 12)
    frame = pd.DataFrame({"north": wave, "south": 2 * wave + 1}, stamps)
    run = stsfm.run(model="linear", data=frame, baselines=[])
    path = run.config["data"]["path"]
    assert path.startswith("runs/_data/frame-")
    assert (
        desk("run", "-q", "model=linear", "data=tabular", f"data.path={path}", "baselines=[]") == 0
    )
    assert len(desk.runs()) == 1
    assert set(run.predict(data=frame)["node"]) == {"north", "south"}
    pd.testing.assert_frame_equal(run.predict(data=frame), run.predict())


# ---- the example ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_example_runs(tmp_path):
    """Its own assertions hold; one cell shows a mistake."""
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(ROOT / "docs" / "example.ipynb", as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=600, resources=resources).execute()
    errors = [out for cell in notebook.cells for out in cell.get("outputs", [])
              if out.output_type == "error"]  # fmt: skip
    assert [error.traceback[0][:8] for error in errors] == ["Mistake:"]
    assert len(list(tmp_path.glob("runs/airline/*/*/status.json"))) >= 6
