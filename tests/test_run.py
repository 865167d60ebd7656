"""A run is its content: found again when it is the same, made anew when what counts differs."""

import dataclasses
import os
import shlex
import subprocess
import sys

import numpy as np
import pytest
import torch
import yaml

from stsfm import compose, identity
from stsfm.backtest import backtest
from stsfm.build import build_model
from stsfm.identity import bare, identify
from stsfm.job import cut
from stsfm.losses.metrics import Reference
from stsfm.record import Record

SHORT = "trainer.epochs=4"
ALONE = "baselines=[]"
FILES = {
    "status.json", "config.yaml", "command.txt", "environment.json", "data.json", "references.bib",
    "log.txt", "scores.json", "windows.npz", "forecast.npz", "history.csv", "table.md", "table.csv",
}  # fmt: skip


def name(*overrides: str) -> str:
    config = compose.config(list(overrides))
    return identify(config, cut(config)).run_id


def test_a_run_leaves_its_whole_record(desk):
    assert desk("run", "model=lstm", SHORT, "baselines=[naive,seasonal_naive]") == 0
    run = desk.only("/lstm/")
    assert {path.name for path in run.folder.iterdir()} >= FILES
    plots = {path.stem for path in (run.folder / "plots").glob("*.png")}
    assert plots == {"forecasts", "horizon", "loss", "residuals", "protocol", "calibration"}
    assert run.folder.name.startswith("s1-")
    assert "hochreiter1997lstm" in (run.folder / "references.bib").read_text()
    assert [row["epoch"] for row in run.history()] == [1, 2, 3, 4]
    assert run.read("environment.json")["packages"]["torch"]
    assert run.read("data.json")["borders"]["test"] == ["1958-01", "1960-12"]
    errors = np.load(run.folder / "windows.npz")
    pooled = errors["test_absolute"].sum() / errors["test_count"].sum()
    assert pooled == pytest.approx(run.scores["test"]["mae"]["pooled"], rel=1e-12)
    assert "runs/airline/lstm" in desk.out and "seasonal_naive" in desk.out
    assert not [path for path in desk.folder.iterdir() if path.name != "runs"]


def test_a_saved_model_gives_the_recorded_forecasts(desk):
    desk("run", "model=gru", SHORT, ALONE)
    run = desk.only("/gru/")
    config = yaml.safe_load((run.folder / "config.yaml").read_text())
    split = cut(config)
    model = build_model(config["model"], lambda row: None, split.rules).load(run.folder / "model")
    again = backtest(model, split.test, split, Reference.of(split.panel.upto(84)))
    np.testing.assert_allclose(again.forecast.point, np.load(run.folder / "forecast.npz")["point"])


def test_the_same_command_is_free_and_needs_no_torch(desk):
    desk("run", "model=lstm", SHORT, "baselines=[naive]")
    run = desk.only("/lstm/")
    before = (run.folder / "status.json").stat().st_mtime_ns
    code = (
        "import sys; from stsfm.__main__ import main; "
        f"code = main(['run', 'model=lstm', '{SHORT}', 'baselines=[naive]']); "
        "print(code, sorted({'torch', 'lightning', 'matplotlib'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines()[-1] == "0 []"
    assert "lstm" in shown.stdout and str(run.folder.name) in shown.stdout
    assert (run.folder / "status.json").stat().st_mtime_ns == before


def test_other_baselines_make_another_table_of_the_same_run(desk):
    desk("run", "model=drift", "baselines=[naive]")
    assert "mean" not in desk.out
    desk("run", "model=drift", "baselines=[naive,mean]")
    assert "mean" in desk.out and "mean" in (desk.only("/drift/").folder / "table.md").read_text()
    assert desk.only("/drift/").status["attempt"] == 1


def test_baselines_with_other_settings_make_another_table(desk):
    words = ["run", "model=drift", "baselines=[lstm]"]
    desk(*words, "trainer.epochs=2")
    desk(*words, "trainer.epochs=3")
    assert len(desk.runs("/lstm/")) == 2
    shown = desk.json(desk.only("/drift/").folder / "members.json")["beside"]
    assert shown == [f"../../lstm/{run.folder.name}" for run in desk.runs("/lstm/")
                     if len(run.history()) == 3]  # fmt: skip


def test_the_command_of_a_baseline_makes_that_baseline(desk):
    desk("run", "model=naive", "protocol.horizon=6", "baselines=[drift]")
    command = (desk.only("/drift/").folder / "command.txt").read_text()
    command = shlex.split(command)
    assert command[:2] == ["stsfm", "run"] and "model=naive" not in command
    run = desk.only("/drift/").folder.name
    assert desk(*command[1:], "runs_dir=again") == 0
    assert (desk.folder / "again/airline/drift" / run).is_dir()


def test_of_forecasts_too_many_to_keep_every_kth_is_and_the_scores_are_those_of_all(
    desk, monkeypatch
):
    assert desk("run", "model=drift", "baselines=[naive,seasonal_naive]", "runs_dir=all") == 0
    (whole,) = (Record(path) for path in desk.folder.glob("all/airline/drift/*"))
    limit = 4 * 12 * (25 + 8 * 19)  # four windows of the twenty-five: every eighth
    monkeypatch.setattr("stsfm.sums.LIMIT", limit)
    monkeypatch.setattr("stsfm.sums.CELLS", 40)  # scored three windows at a time
    assert desk("run", "model=drift", "baselines=[naive,seasonal_naive]") == 0
    few = desk.only("/drift/")
    assert len(whole.forecasts()["origins"]) == 25
    kept = few.forecasts()
    assert kept["origins"].tolist() == whole.forecasts()["origins"][::8].tolist()
    for name in ("point", "truth", "quantiles"):
        np.testing.assert_array_equal(kept[name], whole.forecasts()[name][::8])
    assert few.scores["test"]["mase"]["pooled"] == pytest.approx(
        whole.scores["test"]["mase"]["pooled"], rel=1e-12
    )
    all_, some = (run.arrays("windows.npz") for run in (whole, few))
    assert all_.keys() == some.keys()
    for name, sums in all_.items():
        np.testing.assert_allclose(some[name], sums, rtol=1e-12)
    plots = {path.stem for path in (few.folder / "plots").glob("*.png")}
    assert plots == {"protocol", "forecasts", "horizon", "residuals", "calibration"}
    captions = few.read("plots/captions.json")
    assert "of 4 evenly spaced windows" in captions["calibration.png"]


def test_where_not_one_window_may_be_kept_there_is_a_table_and_no_figure(desk, monkeypatch):
    monkeypatch.setattr("stsfm.sums.LIMIT", 100)
    assert desk("run", "model=drift", "baselines=[naive,seasonal_naive]") == 0
    folder = desk.only("/drift/").folder
    assert (folder / "table.md").exists() and not (folder / "forecast.npz").exists()
    assert "0 plots" in desk.out


def test_a_baseline_that_cannot_read_gaps_is_left_out_aloud(desk, monkeypatch):
    from stsfm.datasets import airline

    whole = airline.airline()
    mask = whole.mask & ~np.isin(np.arange(144), (7, 90, 125))[:, None, None]
    gappy = dataclasses.replace(whole, mask=mask, values=whole.values * mask)
    monkeypatch.setattr(airline, "airline", lambda: gappy)
    monkeypatch.setattr(airline.airline, "__module__", airline.__name__)
    assert desk("run", "model=drift") == 0
    assert "without the baseline ets" in desk.err and "linear" in desk.out and "arima" in desk.out
    assert desk("run", "model=drift") == 0 and desk.err == ""  # known by now
    assert desk("run", "model=ets", ALONE) == 2 and "can't read missing cells" in desk.err


def test_validation_without_an_observed_cell_is_a_failure(desk, monkeypatch):
    from stsfm.datasets import airline

    whole = airline.airline()
    mask = whole.mask & ~np.isin(np.arange(144), np.arange(84, 108))[:, None, None]
    unseen = dataclasses.replace(whole, mask=mask, values=whole.values * mask)
    monkeypatch.setattr(airline, "airline", lambda: unseen)
    monkeypatch.setattr(airline.airline, "__module__", airline.__name__)
    assert desk("run", "model=lstm", SHORT, ALONE) == 1
    assert "no validation cell is observed" in desk.only("/lstm/").status["error"]


def test_a_machine_without_git_runs_too(desk, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert desk("run", "model=naive", ALONE) == 0
    assert desk.only("/naive/").read("environment.json")["git"] is None


def test_two_processes_at_the_same_job_share_it(desk):
    words = [sys.executable, "-m", "stsfm", "run", "model=lstm", SHORT, "baselines=[naive]"]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = [child.communicate(timeout=120)[0] for child in both]
    assert [child.returncode for child in both] == [0, 0]
    assert all("runs/airline/lstm" in text for text in printed)
    assert desk.only("/lstm/").status["attempt"] == 1


def test_a_naive_model_imports_neither_torch_nor_lightning(desk):
    code = (
        "import sys; from stsfm.__main__ import main; "
        "main(['run', 'model=seasonal_naive', 'baselines=[naive]']); "
        "print(sorted({'torch', 'lightning'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "words", [["trainer.lr=0.1"], ["seed=2"], ["model.hidden=8"], ["loss=mse"],
              ["hardware=cpu_ddp2"], ["protocol.stride=2"], ["model.context=12"]],
)  # fmt: skip
def test_what_decides_the_numbers_of_a_net_makes_another_run(words):
    assert name("model=lstm", *words) != name("model=lstm")


def test_parts_that_draw_by_seeds_of_their_own_make_another_run():
    words = ["model=composed", "model/embedding=autoencoder", "model/dynamics=gru", "seed=7"]
    own = [[], ["model.dynamics.seed=3"], ["model.dynamics.seed=4"]]
    names = [name(*words, *seeds) for seeds in own]
    assert len(set(names)) == 3 and all(one.startswith("s7-") for one in names)


@pytest.mark.parametrize(
    "words", [["hardware.threads=2"], ["runs_dir=elsewhere"], ["force=true"], ["baselines=[]"]]
)
def test_what_decides_no_number_does_not(words):
    assert name("model=lstm", *words) == name("model=lstm")


@pytest.mark.parametrize(
    "words", [["trainer.epochs=7"], ["loss=mse"], ["seed=2"], ["hardware=gpu"]]
)
def test_arima_does_not_run_again_for_what_only_nets_read(words):
    assert name("model=arima", *words) == name("model=arima")


@pytest.mark.parametrize(
    "module, touched",
    [
        ("stsfm.models.arima", ["arima"]),
        ("stsfm.models.neural", ["lstm"]),
        ("stsfm.models.layers.head", ["lstm"]),
        ("stsfm.datasets.windows", ["arima", "ets", "linear", "lstm", "seasonal_naive"]),
        ("stsfm.models.conformal", ["arima", "ets", "linear", "lstm", "seasonal_naive"]),
        ("stsfm.plots.style", []),
    ],
)
def test_editing_source_runs_what_is_made_of_it_again_and_no_other(monkeypatch, module, touched):
    models = ("arima", "ets", "linear", "lstm", "seasonal_naive")
    before = {model: name(f"model={model}") for model in models}
    source = identity._source
    edited = lambda m: source(m) + ("x = 1\n" if m == module else "")  # noqa: E731
    for function in (identity.source_digest, identity._imports):
        function.cache_clear()
    monkeypatch.setattr(identity, "_source", edited)
    after = {model: name(f"model={model}") for model in before}
    identity.source_digest.cache_clear()
    assert [model for model in before if after[model] != before[model]] == touched


def test_words_about_code_are_no_code():
    code = '"""Doc."""\nx = 1  # why\n\n\ndef f(a):\n    """Say."""\n    return a  # "b"\n'
    other = '"""Other."""\n# new\nx = 1\ndef f(a):\n    """Longer\n    words."""\n    return a\n'
    assert bare(code) == bare(other) == "x = 1\ndef f(a):\n    return a"
    assert bare(code) != bare(code.replace("x = 1", "x = 2"))
    assert "# kept" in bare('s = "# kept"\n')


def test_what_a_net_imports_is_part_of_it_and_what_it_does_not_is_not():
    modules = identity.closure({"stsfm.models.recurrent", "stsfm.models.training"})
    assert {"stsfm.models.layers.head", "stsfm.losses.base", "stsfm.datasets.windows"} <= set(
        modules
    )
    assert "stsfm.models.arima" not in modules and "stsfm.plots.style" not in modules


@pytest.mark.slow
def test_the_order_of_jobs_changes_no_number(desk):
    desk("run", "-m", "model=gru,lstm,rnn", SHORT, ALONE, "runs_dir=runs/a")
    desk("run", "-m", "model=rnn,lstm,gru", SHORT, ALONE, "runs_dir=runs/b")
    desk("run", "model=lstm", SHORT, ALONE, "runs_dir=runs/c")
    scores = {}
    for letter in "abc":
        for path in sorted((desk.folder / "runs" / letter).glob("airline/*/*/scores.json")):
            made = desk.json(path)
            scores.setdefault(path.parts[-3], []).append([made["val"], made["test"]])
    assert set(scores) == {"gru", "lstm", "rnn"} and len(scores["lstm"]) == 3
    assert all(each == made[0] for made in scores.values() for each in made)


def test_no_batch_of_evaluation_changes_a_number(desk):
    desk("run", "model=lstm", SHORT, ALONE)
    config = compose.config(["model=lstm", SHORT])
    split, run = cut(config), desk.only("/lstm/")
    model = build_model(config["model"], lambda row: None, split.rules).load(run.folder / "model")
    reference = Reference.of(split.panel.upto(84))
    for batch in (1, 7, 25):
        made = backtest(model, split.test, split, reference, batch=batch).scores["mae"]["pooled"]
        assert made == pytest.approx(run.scores["test"]["mae"]["pooled"], rel=1e-6)


def test_a_failed_run_is_shown_as_failed_and_tried_again(desk):
    words = ["run", "model=lstm", "trainer.lr=1e30", SHORT, "baselines=[naive]"]
    assert desk(*words) == 1
    run = desk.only("/lstm/")
    assert run.state == "failed" and run.status["attempt"] == 1
    assert "lower trainer.lr" in run.status["error"] and "lower trainer.lr" in desk.err
    assert "Traceback" not in desk.err and "Traceback" in (run.folder / "error.txt").read_text()
    assert desk(*words) == 1
    assert run.status["attempt"] == 2
    assert desk("ls") == 0 and desk.out.startswith("failed")


def test_a_failed_seed_is_in_the_table(desk):
    assert desk("run", "-m", "model=naive,lstm", "trainer.lr=1e30", SHORT, ALONE) == 1
    table = (desk.comparison() / "table.md").read_text()
    last = [line for line in table.splitlines() if line.startswith("|")][-1]
    assert "lstm" in last and "FAILED(FloatingPointError" in last


def test_force_runs_anew(desk):
    for force in ("false", "true"):
        desk("run", "model=naive", ALONE, f"force={force}")
    assert desk.only("naive").state == "finished"


@pytest.mark.parametrize(
    "words, hint",
    [
        (["model.hidden=abc"], "model.hidden: wanted a whole number, got 'abc'"),
        (["protocol.horizon=100"], "lower protocol.horizon"),
        (["protocol.test=soon"], "a border is a fraction"),
        (["protocol.transform=sqrt"], "protocol.transform"),
        (["protocol.gap=-24"], "protocol.gap must be at least 0"),
        (["protocol.stride=0"], "protocol.stride must be at least 1"),
        (["protocol.horizon=0"], "protocol.horizon must be at least 1"),
        (["trainer.batch_size=0"], "batch_size must be above 0"),
        (["trainer.clip=0"], "clip must be above 0 or null"),
        (["model.normalise=first"], "wanted none or last or mean or std, got 'first'"),
        (["model.context=200"], "lower model.context"),
        (["data=sines", "data.periods=[24]"], "an amplitude per period"),
        (["loss=quantile", "loss.terms.task.levels=[0.1,0.9]"], "median 0.5"),
        (["baselines=[nave]"], "Did you mean 'naive'"),
        (["hardware=gpu"], "use hardware=cpu"),
    ],
)
def test_bad_values_cost_one_line(desk, words, hint):
    if "hardware=gpu" in words and torch.accelerator.is_available():
        pytest.skip("this machine has a GPU")
    code = desk("run", "model=lstm", SHORT, *words)
    assert code in (1, 2) and hint in desk.err
    assert len(desk.err.strip().splitlines()) == 1 and "Traceback" not in desk.err


@pytest.mark.parametrize("loss", ["gaussian_nll", "quantile"])
def test_probabilistic_heads_give_intervals(desk, loss):
    assert desk("run", "model=gru", f"loss={loss}", SHORT, ALONE) == 0
    scores = desk.only("/gru/").scores["test"]
    assert scores["crps"]["pooled"] > 0 and 0 <= scores["cover80"]["pooled"] <= 1


def test_a_box_cox_transform_goes_all_the_way(desk):
    words = ["model=arima", "protocol.transform=boxcox", ALONE]
    assert desk("run", *words) == 0
    assert 12 < desk.mae("arima") < 20


@pytest.mark.parametrize("data", ["sines", "ring"])
def test_every_dataset_runs(desk, data):
    assert (
        desk("run", f"data={data}", "data.length=300", "model=linear", "baselines=[naive,mean]")
        == 0
    )
    assert f"runs/{data}/linear" in desk.out


def test_quiet_says_nothing(desk):
    assert desk("run", "-q", "model=naive", ALONE) == 0
    assert desk.out == "" and desk.err == ""


@pytest.mark.slow
def test_two_ranks_end_with_equal_weights_and_one_folder(desk):
    command = [
        sys.executable,
        "-m",
        "stsfm",
        "run",
        "model=lstm",
        "hardware=cpu_ddp2",
        SHORT,
        ALONE,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    run = desk.only("/lstm/")
    weights = run.scores["training"]["weights"]
    assert len(weights) == 2 and len(set(weights)) == 1
    assert run.scores["training"]["effective_batch"] == 2 * 16
    assert run.scores["intervals"]["kind"] == "conformal"  # the same two ranks trained the twin
    assert done.stdout.count("runs/airline/lstm") == 1
    assert [row["epoch"] for row in run.history()] == [1, 2, 3, 4]


@pytest.mark.parametrize("signal, code", [("SIGINT", 130), ("SIGTERM", 143)])
def test_an_interrupted_run_says_so_and_runs_again(desk, signal, code):
    import signal as signals
    import time

    words = ["model=lstm", ALONE, "trainer.patience=null", "trainer.epochs=100000"]
    child = subprocess.Popen(
        [sys.executable, "-m", "stsfm", "run", *words], stderr=subprocess.PIPE, text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not [r for r in desk.runs("/lstm/") if r.history()]:
        assert time.monotonic() < deadline and child.poll() is None
        time.sleep(0.1)
    child.send_signal(getattr(signals, signal))
    assert child.wait(timeout=20) == code
    run = desk.only("/lstm/")
    assert run.state == "interrupted" and not run.locked
    assert run.status["error"] == f"stopped by {'Ctrl-C' if code == 130 else signal}"
    assert len(child.stderr.read().strip().splitlines()) <= 1


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["model=linear", "model.ridge=-1"], "model: ridge must be at least 0 or auto, got -1"),
        (["model=linear", "model.context=0"], "model: context must be at least 1, got 0"),
        (["model=arima", "model.order=[0,1]"], "model: order must be auto or three counts"),
        (["model=arima", "model.seasonal=[0,-1,1]"], "model: seasonal must be auto or three"),
        (["model=ar", "model.order=-2"], "model: order must be at least 0 or auto, got -2"),
        (["model=lstm", "+trainer.optimizer.weight_decya=1"], "Did you mean 'weight_decay'?"),
    ],
)
def test_a_value_out_of_range_is_a_mistake(words, line, desk):
    assert desk("run", *words, "baselines=[]", "-q") == 2
    assert line in desk.err and desk.err.count("\n") == 1, desk.err
    assert not desk.runs()
