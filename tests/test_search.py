"""A search: what it may vary, what it tries, what it remembers, and what it never sees."""

import itertools
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from stsfm import compose, options
from stsfm.job import cut, make
from stsfm.launchers.base import Ending
from stsfm.mistakes import Mistake
from stsfm.plots.search import draw, expected_least
from stsfm.record import Record
from stsfm.screen import Screen
from stsfm.search import command, told
from stsfm.search.settings import Settings
from stsfm.search.space import Between, Space, axis, merged, spaces, typed
from stsfm.sweeps.plan import plan

pytest.importorskip("optuna", reason="a search needs the extra: pip install 'stsfm[search]'")

LINEAR = ["model=linear", "baselines=[naive]", "search=optuna"]
GRU = ["model=gru", "baselines=[naive]", "search=optuna", "trainer.epochs=2",
       "space.loss=[mae,mse]", "space.trainer.batch_size=null",
       "space.model.hidden={high: 12}"]  # fmt: skip


def carried_out(source, at_once=1, stop_after=None):
    """All trials, in this process, as the engine has them run; how many jobs that took."""
    running, ran = [], 0
    while running or not all(tuning.over for tuning in source.tunings):
        while len(running) < at_once and (job := source.next()):
            running.append(job)
        if not running:  # the last trial was kept already
            continue
        job = running.pop(0)
        try:
            run = make(job, Screen(quiet=True))
            ending = Ending(run.state, run.status.get("error", ""))
        except Mistake as mistake:
            ending = Ending("failed", str(mistake))
        source.ended(job, ending)
        ran += 1
        if ran == stop_after:
            break
    return ran


def searched(*words, **how):
    source = command.search(plan(compose.jobs([*words, "score=val"])))  # without any figures
    carried_out(source, **how)
    return source


def trials(source):
    """What was tried: (words, value) of every trial."""
    (tuning,) = source.tunings
    return [(trial.user_attrs["words"], trial.value) for trial in tuning.study.trials]


# ---- spaces --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_model_has_a_space_that_it_knows_or_nothing_to_tune():
    for name in options.groups()["model"]:
        config = compose.config([f"model={name}"])
        (space,) = spaces([config])
        keys = {axis.key for axis in space.axes}
        assert bool(space) == (set(config["model"]) > {"_target_"}), name
        assert ("model.context" in keys) == ("context" in config["model"]), name
        assert not space or space.parameters(config), f"the default of {name} is outside its space"


def test_a_part_has_a_space_that_holds_its_default():
    for file in sorted((options.FOLDER / "model").glob("*/*.yaml")):
        tree = yaml.safe_load(file.read_text())
        for key, values in tree.get("space", {}).items():
            value = tree[key.removeprefix("model.")]
            assert axis(key, values).parameter(value) is not None, f"{key} of {file.stem}"


def test_the_training_of_a_part_is_in_the_space_of_the_whole():
    (space,) = spaces([compose.config(["model=composed", "model/dynamics=gru"])])
    keys = {axis.key for axis in space.axes}
    assert {"trainer.lr", "model.dynamics.hidden", "model.embedding.dim"} <= keys


def test_a_space_is_no_key_of_a_model_and_no_part_of_a_run():
    plain, other = compose.config([]), compose.config(["space.model.hidden=[16,32]"])
    assert "space" not in plain["model"] and plain["model"] == other["model"]
    assert other["space"]["model.hidden"] == [16, 32]
    assert other["space"]["model.layers"] == plain["space"]["model.layers"]


def test_what_is_typed_stands_for_an_end_or_for_all_of_a_key():
    own = {"model.hidden": {"low": 8, "high": 64, "log": True}, "model.layers": [1, 2]}
    given = {"model": {"hidden": {"high": 16}, "layers": None}, "trainer": {"lr": [0.1]}}
    assert merged(own, given) == {
        "model.hidden": {"low": 8, "high": 16, "log": True},
        "model.layers": None,
        "trainer.lr": [0.1],
    }


def test_a_key_counts_for_the_models_that_have_it():
    configs = [compose.config([f"model={m}", "space.trainer.lr=[0.1]"]) for m in ("linear", "gru")]
    linear, gru = spaces(configs)
    assert "trainer.lr" not in str(linear) and "trainer.lr in 0.1" in str(gru)


@pytest.mark.parametrize(
    "word, wanted",
    [
        ("space.model.hiden=[1]", "Did you mean 'hidden'"),
        ("space.data.path=[a]", "keys of model, loss and trainer only"),
        ("space.plugins=[[evil]]", "keys of model, loss and trainer only"),
        ("space.model.seed=[1]", "keys of model, loss and trainer only"),
        ("space.model.hidden={high: 2}", "low must not be above high"),
        ("space.model.hidden=3", "wanted [a, b, …]"),
        ("space.trainer.lr={low: 0}", "log needs a low above 0"),
        ("space.trainer.lr={low: a}", "wanted [a, b, …]"),
        ("model.space.model.hidden=[1]", "is set by space.model.hidden=[1]"),
    ],
)
def test_a_wrong_space_costs_a_line(desk, word, wanted):
    assert desk("run", "model=gru", "search=optuna", word) == 2
    assert wanted in desk.err and desk.err.count("\n") == 1


def test_values_are_typed_as_the_command_line_reads_them():
    values = [[0, 1, 1], "auto", 0.001, None, True, "null", "it's", 7]
    texts = [typed(value) for value in values]
    read = [compose.config([f"space.model.hidden=[{text}]"])["space"]["model.hidden"][0]
            for text in texts]  # fmt: skip
    assert read == values


def test_whole_ends_make_whole_numbers_and_a_grid_has_all_of_them():
    space = Space((axis("a", {"low": 1, "high": 5, "step": 2}), axis("b", ["x", [1, 2]])))
    every = [space.nth(k) for k in range(int(space.size()))]
    pairs = itertools.product((1, 3, 5), ("x", "[1,2]"))
    assert every == [{"a": a, "b": b} for a, b in pairs]
    assert Between("a", 0.1, 0.3, 0.1).every() == ("0.1", "0.2", "0.3")
    assert Between("a", 1.0, 2.0).every() is None


# ---- settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words, wanted",
    [
        (["search.trials=0"], "wanted a budget above 0"),
        (["search.trials=null"], "a search needs an end"),
        (["search.metric=r2"], "wanted an error to minimise"),
        (["search.metric=maes"], "Available: mae, rmse, mase"),
        (["search.sampler=cma"], "wanted tpe or random or grid"),
        (["search.sampler=grid"], "grid needs values it can count: space.model.hidden"),
        (["search.tuning_seeds=[1,2]"], "share 1"),
        (["search.tuning_seeds=[]"], "wanted one or more different seeds"),
        (["search.pruner=median", "space.loss=[mae,mse]"], "the space has several losses"),
    ],
)
def test_a_search_that_makes_no_sense_costs_a_line(desk, words, wanted):
    assert desk("run", "model=gru", "search=optuna", *words) == 2
    assert wanted in desk.err and not desk.runs()


def test_without_optuna_the_extra_is_named(desk, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert desk("run", *LINEAR) == 2
    assert "pip install 'stsfm[search]'" in desk.err


# ---- trials --------------------------------------------------------------------------------------


def test_the_same_trials_come_again_and_after_any_interruption(desk):
    words = [*LINEAR, "search.trials=12"]  # TPE begins to learn after ten
    whole = trials(searched(*words, "runs_dir=whole"))
    assert len(whole) == 12 and len({str(words) for words, _ in whole}) > 10
    for after in (4, 8):
        searched(*words, "runs_dir=cut", stop_after=after)
    source = command.search(plan(compose.jobs([*words, "score=val", "runs_dir=cut"])))
    assert len(source.tunings[0].study.trials) < 12
    carried_out(source)
    assert trials(source) == whole
    again = [*words, "score=val", "runs_dir=cut"]
    assert carried_out(command.search(plan(compose.jobs(again)))) == 0
    other = trials(searched(*words, "search.trials=2", "search.seed=2", "runs_dir=cut"))
    assert other[0] == whole[0] and other[1] != whole[1]


def test_a_larger_budget_begins_with_the_trials_of_a_smaller_one(desk):
    few = trials(searched(*LINEAR, "search.trials=3"))
    before = {run.folder: run.status["started"] for run in desk.runs()}
    many = trials(searched(*LINEAR, "search.trials=5"))
    assert many[:3] == few
    assert all(Record(folder).status["started"] == at for folder, at in before.items())


def test_trials_are_scored_on_validation_by_tuning_seeds_and_never_see_test(desk):
    rows = np.arange(96)
    rng = np.random.default_rng(3)
    values = 50 + 20 * np.sin(rows / 12 * 2 * np.pi) + rng.normal(0, 4, len(rows))
    found = []
    for poison in (0, 1e4):
        shown = values + poison * (rows >= 84) * rng.normal(size=len(rows))
        days = np.datetime64("2020-01-01") + rows
        lines = [f"{day},{x}" for day, x in zip(days, shown, strict=True)]
        Path("a.csv").write_text("\n".join(["day,y", *lines]) + "\n")
        task = ["data=a.csv", "protocol.horizon=3", "protocol.test=84", "protocol.val=72"]
        assert cut(compose.config(task)).rules["test"][0] == 84
        found.append(searched(*task, *GRU, "search.trials=2", "space.model.context=[6,8]",
                              "search.tuning_seeds=[7,8]", f"runs_dir=r{poison:g}"))  # fmt: skip
    clean, poisoned = (trials(source) for source in found)
    assert clean == poisoned and None not in dict(enumerate(v for _, v in clean)).values()
    runs = [Record(Path(run)) for trial in found[1].tunings[0].study.trials
            for run in trial.user_attrs["runs"]]  # fmt: skip
    assert [run.status["identity"]["seed"] for run in runs] == [7, 8] * 2
    for run in runs:
        assert not run.tested and run.pooled("val") and not run.pooled("test")
        assert not run.forecasts() and "test_origins" not in np.load(run.folder / "windows.npz")
    means = [np.mean([run.pooled("val")["mase"] for run in runs[k : k + 2]]) for k in (0, 2)]
    assert np.allclose(means, [value for _, value in poisoned])


def test_in_parallel_no_run_is_made_twice(desk):
    words = [*LINEAR, "search.trials=6", "space.model.ridge=null", "search.sampler=random",
             "space.model.normalise=null", "launcher.n_jobs=3"]  # fmt: skip
    source = searched(*words, "space.model.context=[12,18]", at_once=3)
    assert len(trials(source)) == 2  # the space has no more
    wide = [*words, "space.model.context={low: 12, high: 18}"]
    found = trials(searched(*wide, at_once=3))
    assert len(found) == 6 and all(value is not None for _, value in found)


def test_a_grid_ends_when_it_is_exhausted_and_begins_with_the_default(desk):
    words = ["model=ets", "baselines=[naive]", "search=optuna", "search.sampler=grid"]
    source = searched(*words, "search.trials=99")
    found = [tuple(words.values()) for words, _ in trials(source)]
    assert len(found) == len(set(found)) == 8
    assert found[0] == ("false", "auto", "add")


def test_a_trial_that_fails_fails_alone_and_all_that_fail_end_in_one_line(desk):
    source = searched(*LINEAR, "search.sampler=grid", "space.model.ridge=null",
                      "space.model.normalise=null", "space.model.context=[24,500]")  # fmt: skip
    (good, bad) = source.tunings[0].study.trials
    assert good.value and bad.state.name == "FAIL" and "500" in bad.user_attrs["why"]
    code = desk("run", *LINEAR, "space.model.ridge=null", "space.model.normalise=null",
                "space.model.context=[500,600]")  # fmt: skip
    assert code == 1
    assert "linear was not tuned: 2 trials all of a grid (2 failed)" in desk.out


def test_a_budget_of_seconds_ends_a_search(desk):
    source = searched(*LINEAR, "search.trials=null", "search.seconds=0.05")
    study = source.tunings[0].study
    assert study.seconds >= 0.05 > study.seconds - study.trials[-1].user_attrs["seconds"]


def test_the_pruner_stops_what_lags_behind(desk):
    words = [*GRU[:4], "search.trials=8", "search.pruner=median"]
    study = command.search(plan(compose.jobs(words))).tunings[0].study
    for loss in (1.0, 2.0, 3.0, 4.0, 5.0):
        trial = study.open()
        study.propose(trial)
        history = [{"epoch": float(e), "val": loss} for e in range(1, 31)]
        assert study.report(trial, history) is None
        study.close(trial, value=loss)
    trial = study.open()
    study.propose(trial)
    slow = [{"epoch": float(e), "val": 3.5} for e in range(1, 31)]
    assert study.report(trial, slow[:9]) is None
    why = study.report(trial, slow)
    assert why == "pruned at epoch 10: validation loss 3.5, the median of others 3"
    study.close(trial, why=why, pruned=True)
    assert study.best.value == 1.0


@pytest.mark.slow
def test_killed_it_goes_on_and_reaches_its_total(desk):
    words = [*LINEAR, "search.trials=4"]
    line = [sys.executable, "-m", "stsfm", "run", *words]
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, start_new_session=True)
    until = time.monotonic() + 60
    while len(desk.runs("linear")) < 2 and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert desk("run", *words) == 0
    model = desk.json(desk.comparison() / told.NAME)["models"][0]
    assert [trial["state"] for trial in model["trials"]] == ["finished"] * 4
    whole = trials(searched(*words, "runs_dir=whole"))
    assert [trial["words"] for trial in model["trials"]] == [words for words, _ in whole]


# ---- what comes of it ----------------------------------------------------------------------------


def test_default_and_tuned_stand_beside_each_other_with_both_budgets(desk):
    words = [*LINEAR, "space.model.ridge={low: 1.0e-4}", "search.trials=3", "model.normalise=none",
             "space.model.context=null"]  # fmt: skip
    assert desk("run", *words) == 0
    rows = [line.split("  ")[1].strip() for line in desk.out.splitlines() if line[:2] == "  "]
    assert {"linear", "linear (tuned)", "naive"} == set(rows) - {"model"}
    assert "linear: tuning took 3 trials by tpe" in desk.out and "1 run of the default" in desk.out
    assert "linear (tuned) has model.normalise=" in desk.out
    folder = desk.comparison()
    found = desk.json(folder / told.NAME)
    best = found["models"][0]["trials"][found["models"][0]["best"]]
    tuned = Record(folder / found["models"][0]["tuned"]["runs"][0])
    assert tuned.tested and tuned.config["model"]["normalise"] == best["words"]["model.normalise"]
    assert tuned.pooled("val")["mase"] == pytest.approx(best["value"])
    assert "search" not in (tuned.folder / "command.txt").read_text()
    assert (folder / "plots" / "search_history.png").stat().st_size > 5_000
    before = {run.folder: run.status for run in desk.runs()}
    assert desk("run", *words) == 0
    assert before == {run.folder: run.status for run in desk.runs()}


def test_a_model_without_a_space_has_nothing_to_tune(desk):
    assert desk("run", "model=linear,naive", "search=optuna", "search.trials=7", "--dry-run") == 0
    assert "naive: nothing to tune" in desk.out and "linear: 7 trials over" in desk.out
    assert not (desk.folder / "runs").exists()


def test_where_the_default_wins_there_is_one_row(desk):
    words = [*LINEAR, "space.model.ridge=null", "space.model.normalise=[last]",
             "space.model.context=[24]"]  # fmt: skip
    assert desk("run", *words) == 0
    assert "linear: tuning chose the default" in desk.out and "1 trial all of a grid" in desk.out
    assert "(tuned)" not in desk.out


def test_a_run_of_val_gets_its_test_scores_when_they_are_asked_for(desk):
    assert desk("run", "model=linear", "score=val") == 0
    assert "test not scored" in desk.out and [run.tested for run in desk.runs()] == [False]
    assert desk("compare", "model=linear") == 2
    assert desk("run", "model=linear", "baselines=[]") == 0
    whole = desk.only("linear")
    assert whole.tested and whole.pooled("test") and whole.forecasts()
    assert desk("run", "model=linear", "score=val") == 0
    assert desk.only("linear").tested  # nothing is taken away
    assert desk("run", "model=linear", "score=test") == 2 and "score=all or score=val" in desk.err


def test_expected_least_is_that_of_all_draws():
    values, lost = np.array([3.0, 1.0, 2.0]), 1
    mean, sd = expected_least(values, lost)
    for n in (1, 2, 3, 4):
        draws = np.array([*itertools.product([*values, np.inf], repeat=n)]).min(1)
        least = draws[np.isfinite(draws)]
        assert mean[n - 1] == pytest.approx(least.mean())
        assert sd[n - 1] == pytest.approx(least.std())


def test_figures_hide_what_too_few_trials_tell(tmp_path):
    trial = {"state": "finished", "words": {}, "seconds": 1.0, "why": "", "runs": []}
    values = [0.9, 0.7, None, 0.5, 0.8, None, 0.6]
    listed = [{**trial, "number": k, "value": value, "state": "finished" if value else "failed"}
              for k, value in enumerate(values)]  # fmt: skip
    model = {"model": "gru", "data": "airline", "fingerprint": "a", "metric": "mase",
             "sampler": "random", "budget": "7 trials", "trials": listed,
             "first_is_default": True, "importance": {},
             "importance_why": "5 finished trials, and 20 are needed"}  # fmt: skip
    keyed = {**model, "model": "lstm", "importance": {"model.hidden": 0.7, "trainer.lr": 0.3}}
    names = [path.name for path in draw({"models": [model]}, tmp_path)]
    assert names == ["search_history.png"]
    names = [path.name for path in draw({"models": [model, keyed]}, tmp_path)]
    assert names == ["search_history.png", "search_importance.png"]
    captions = json.loads((tmp_path / "search_captions.json").read_text())
    assert "gru: 5 finished trials, and 20 are needed" in captions["search_importance.png"]


def test_the_keys_of_the_yaml_are_those_of_the_settings():
    file = yaml.safe_load((options.FOLDER / "search" / "optuna.yaml").read_text())
    assert Settings(**file).budget == "30 trials"
