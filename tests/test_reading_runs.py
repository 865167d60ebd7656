"""What is asked about kept runs: why, diff, ls, clean, and the same run again from elsewhere."""

import contextlib
import csv
import fcntl
import io
import json
import os
import shutil
import time

import pytest

from stsfm import completion, identity, record
from stsfm.__main__ import COMMANDS, main
from stsfm.record import attempt

NET = ["run", "-q", "model=gru", "trainer.epochs=2", "model.hidden=4", "baselines=[]"]
NAIVE = ["run", "-q", "model=naive", "baselines=[]"]
OLD = time.time() - 7200


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs, made once; every test reads a copy."""
    home = tmp_path_factory.mktemp("made")
    with contextlib.chdir(home):
        assert main(NET) == main(NAIVE) == 0
    return home / "runs"


@pytest.fixture
def kept(desk, runs):
    shutil.copytree(runs, desk.folder / "runs")
    return desk


# ---- why, diff -----------------------------------------------------------------------------------


def test_why_of_a_kept_run_names_it(kept):
    assert kept("why", *NET) == 0
    assert kept.out.startswith(f"kept: runs/airline/gru/{kept.only('/gru/').folder.name}")
    assert len(kept.runs()) == 2


def changed(printed: str) -> list[tuple[str, ...]]:
    """The rows that tell a change: [ingredient] name old new."""
    rows = [line.replace("→", " ").split() for line in printed.splitlines() if "→" in line]
    return [tuple(row) for row in rows]


@pytest.mark.parametrize(
    "words, told",
    [
        (["model.hidden=5"], [("model", "model.hidden", "4", "5")]),
        (["trainer.lr=0.5"], [("model", "trainer.lr", "0.01", "0.5")]),
        (["seed=7"], [("seed", "seed", "1", "7")]),
        (["protocol.horizon=6"], [("protocol", "horizon", "12", "6")]),
        (["loss=mae"], None),
    ],
)
def test_why_names_the_ingredient_and_the_key(kept, words, told):
    given = [word for word in NET if word.partition("=")[0] != words[0].partition("=")[0]]
    assert kept("why", *given, *words) == 0
    assert kept.out.startswith("not run yet: runs/airline/gru/s")
    assert f"beside {os.path.relpath(kept.only('/gru/').folder)} it has" in kept.out
    assert changed(kept.out)[: len(told)] == told if told else "loss" in kept.out
    assert "source" not in kept.out or not told


def test_why_names_the_module_whose_source_is_another(kept, monkeypatch):
    monkeypatch.setattr(
        identity,
        "source_digest",
        lambda name: "new" if name.endswith("recurrent") else DIGEST(name),
    )
    kept("why", *NET)
    ((ingredient, module, _, new),) = changed(kept.out)
    assert (ingredient, module, new) == ("source", "stsfm.models.recurrent", "new")


DIGEST = identity.source_digest


def test_why_tells_of_other_data_what_is_other(kept):
    kept("why", *NAIVE, "data=sines")
    rows = {row[-3]: row for row in changed(kept.out)}
    assert rows["data"][-2:] == ("airline", "sines") and rows["rows"][1] == "144"
    assert rows["transform"][-2:] == ("log", "none")


def test_why_of_a_sweep_is_a_line_a_job_and_leaves_nothing(kept):
    before = sorted(kept.folder.rglob("*"))
    assert kept("why", "model=naive,drift", "baselines=[]") == 0
    first, second = kept.out.splitlines()
    assert first.endswith("kept") and second.endswith("model naive → drift")
    assert sorted(kept.folder.rglob("*")) == before


def test_why_without_any_run(desk):
    assert desk("why", "model=naive") == 0
    assert "not run yet" in desk.out and "no finished run" in desk.out
    assert desk("why", "model=nave") == 2 and desk.err.startswith(
        "stsfm why: no model named 'nave'"
    )


def test_diff_has_the_words_of_why_and_both_scores(kept):
    kept(*NET, "trainer.lr=0.5", "seed=2")
    old, new = sorted(kept.runs("/gru/"), key=lambda run: run.status["identity"]["seed"])
    assert kept("diff", str(old.folder), str(new.folder)) == 0
    assert ("model", "trainer.lr", "0.01", "0.5") in changed(kept.out)
    assert ("seed", "seed", "1", "2") in changed(kept.out)
    mae, *_ = [line.split() for line in kept.out.splitlines() if line.startswith("  MAE  ")]
    scores = [run.scores[part]["mae"]["pooled"] for part in ("val", "test") for run in (old, new)]
    assert [float(x) for x in mae[1:]] == pytest.approx(scores, rel=1e-3)


def test_diff_tells_versions_apart(kept):
    run = kept.only("/gru/")
    made = run.read("environment.json")
    made["packages"]["numpy"] = "1.0"
    made["git"] = {"commit": "a" * 40, "changes": "a long text"}
    other = kept.folder / "other"
    kept.only("/naive/").folder.rename(other)
    for file in run.folder.iterdir():
        if file.is_file():
            (other / file.name).write_bytes(file.read_bytes())
    (other / "environment.json").write_text(json.dumps(made))
    attempt.write_status(record.Record(other), run.status)
    kept("diff", str(other), str(run.folder))
    rows = changed(kept.out)
    assert rows[0][:4] == ("made", "with", "numpy", "1.0") and rows[1][0] == "commit"
    assert "a long text" not in kept.out


def test_diff_of_what_is_not_there(kept):
    assert kept("diff", "runs/airline/gru") == 2 and "wanted two runs" in kept.err
    assert kept("diff", "zzz", "yyy") == 2 and "no run is called 'zzz'" in kept.err


# ---- ls ------------------------------------------------------------------------------------------


def test_ls_sorts_by_error_and_tells_sizes(kept):
    kept(*NAIVE[:2], "model=linear", "baselines=[]")
    kept("ls", "--sort", "test")
    by_test = [line.split()[1].split("/")[2] for line in kept.out.splitlines()]
    errors = {run.status["model"]: run.scores["test"]["mase"]["pooled"] for run in kept.runs()}
    assert by_test == sorted(errors, key=errors.get)
    assert all(line.endswith("kB") for line in kept.out.splitlines())
    assert kept("ls", "--sort=tset") == 2 and "wanted one of test, val" in kept.err


def test_ls_for_other_programs_has_every_key_and_score(kept):
    kept("ls", "--csv", "model=gru")
    (row,) = csv.DictReader(io.StringIO(kept.out))
    assert row["model.hidden"] == "4" and row["state"] == "finished"
    assert float(row["test.mae"]) == kept.mae("/gru/")
    kept("ls", "--json")
    assert {row["model"] for row in json.loads(kept.out)} == {"gru", "naive"}


# ---- clean ---------------------------------------------------------------------------------------


def set_state(run, state: str) -> None:
    attempt.write_status(run, {**run.status, "state": state, "error": "X: y"})


def test_clean_shows_first_and_removes_when_told(kept):
    set_state(kept.only("/gru/"), "interrupted")
    folder = kept.only("/gru/").folder
    assert kept("clean") == 0
    assert str(os.path.relpath(folder)) in kept.out and "X: y" in kept.out and "--yes" in kept.out
    assert folder.exists()
    assert kept("clean", "--yes") == 0
    assert not folder.exists() and not folder.parent.exists()
    assert kept.only("/naive/").state == "finished"
    assert kept("clean") == 0 and kept.out == "nothing to remove in runs\n"


def test_clean_keeps_a_training_that_would_go_on_unless_it_is_named(kept):
    run = kept.only("/gru/")
    set_state(run, "interrupted")
    (run.folder / "checkpoint").mkdir()
    assert kept("clean", "--yes") == 0 and run.folder.exists()
    assert kept("clean", "state=interrupted,crashed", "--yes") == 0 and not run.folder.exists()


def test_clean_keeps_what_another_version_made_unless_it_is_named(kept):
    run = kept.only("/gru/")
    attempt.write_status(run, {**run.status, "schema": 2})
    assert run.state == "damaged"
    assert kept("clean", "--yes") == 0 and run.folder.exists()
    assert kept("clean", "state=damaged", "--yes") == 0 and not run.folder.exists()


def test_clean_keeps_finished_runs_unless_they_are_named(kept):
    kept("clean", "model=gru", "--yes")
    assert len(kept.runs()) == 2
    kept("clean", "state=finished", "model=gru", "--yes")
    assert [run.status["model"] for run in kept.runs()] == ["naive"]


def test_clean_leaves_a_run_that_is_being_made(kept):
    run = kept.only("/gru/")
    set_state(run, "failed")
    with (run.folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert kept("clean", "--yes") == 1
        assert "a process is at" in kept.out and run.folder.exists()
    assert kept("clean", "--yes") == 0 and not run.folder.exists()


def test_clean_finds_what_is_left_over(kept):
    kept("run", "-q", "model=naive,drift", "baselines=[]")
    comparison = kept.comparison()
    kept("clean", "state=finished", "--yes")
    assert not kept.runs()
    draft = kept.folder / "runs/airline/ets/abc/.scores.json.123"
    draft.parent.mkdir(parents=True)
    draft.write_text("{")
    data = kept.folder / "runs/_data/mine-0123.csv"
    data.parent.mkdir()
    data.write_text("")
    kept("clean")
    assert kept.out == "nothing to remove in runs\n", "what is fresh may be in use"
    for path in (comparison, draft, draft.parent, data):
        os.utime(path, (OLD, OLD))
    kept("clean", "--yes")
    assert list((kept.folder / "runs").iterdir()) == []


def test_clean_keeps_comparisons_and_data_that_are_in_use(kept):
    kept("run", "-q", "model=naive,drift", "baselines=[]")
    os.utime(kept.comparison(), (OLD, OLD))
    kept("clean", "--yes")
    assert kept.out == "nothing to remove in runs\n" and kept.comparison().exists()


def test_clean_follows_no_link(kept, tmp_path_factory):
    run = kept.only("/gru/")
    set_state(run, "failed")
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "gru"
    run.folder.parent.rename(elsewhere)
    run.folder.parent.symlink_to(elsewhere, target_is_directory=True)
    kept("clean", "--yes")
    assert (elsewhere / run.folder.name / "status.json").exists()


def test_clean_removes_what_newer_source_superseded(kept, monkeypatch):
    old = kept.only("/naive/").folder
    monkeypatch.setattr(identity, "source_digest", lambda name: "new")
    kept(*NAIVE)
    kept("clean", "--superseded")
    assert os.path.relpath(old) in kept.out and "1 to remove" in kept.out
    kept("clean", "--superseded", "--yes")
    assert not old.exists() and len(kept.runs("/naive/")) == 1 and kept.runs("/gru/")


# ---- again ---------------------------------------------------------------------------------------


def test_run_from_a_run_is_that_run_from_anywhere(kept, monkeypatch):
    run = kept.only("/gru/")
    (kept.folder / "else" / "where").mkdir(parents=True)
    monkeypatch.chdir(kept.folder / "else" / "where")
    assert kept("run", "--from", f"../../{os.path.relpath(run.folder, kept.folder)}") == 0
    assert kept.only("/gru/").status == run.status, "found, not made anew"
    assert not list((kept.folder / "else" / "where").iterdir())


def test_run_from_a_run_with_some_keys_changed(kept):
    assert kept("run", "--from", kept.only("/gru/").folder.name[:8], "model.hidden=5") == 0
    configs = [run.config for run in kept.runs("/gru/")]
    first, second = sorted(configs, key=lambda config: config["model"]["hidden"])
    assert second["model"].pop("hidden") == 5 and first["model"].pop("hidden") == 4
    assert first == second


def test_another_model_from_a_run_drops_the_keys_of_the_first(kept):
    folder = str(kept.only("/gru/").folder)
    assert kept("run", "-q", f"--from={folder}", "model=drift", "protocol.horizon=6") == 0
    config = kept.only("/drift/").config
    assert config["protocol"]["horizon"] == 6 and config["trainer"]["epochs"] == 2
    assert kept("run", "--from") == 2 and "wanted one run" in kept.err


def test_added_terms_and_lists_come_again(desk):
    words = ["+loss.terms.more._target_=stsfm.losses.point.MAE", "+loss.weights.more=0.5"]
    assert desk(*NET, *words, "protocol.val=1955-01") == 0
    run = desk.only("/gru/")
    assert desk("run", "-q", "--from", str(run.folder)) == 0
    assert desk.only("/gru/").status == run.status


# ---- completion ----------------------------------------------------------------------------------


def test_tab_offers_runs_and_flags(kept):
    offered = lambda *words: completion.candidates(list(words), COMMANDS)  # noqa: E731
    folder = os.path.relpath(kept.only("/gru/").folder)
    assert offered("diff", "runs/airline/gru") == [folder]
    assert offered("run", "--from", "runs/airline/gru") == [folder]
    assert offered("why", "model=na") == ["model=naive"]
    assert offered("clean", "--") == ["--superseded", "--yes"]
    assert {"why", "diff", "clean"} <= set(offered(""))


@pytest.mark.parametrize("command", ["why", "diff", "ls", "clean"])
def test_every_command_tells_its_use(desk, command):
    assert desk(command, "--help") == 0 and desk.out.startswith("usage:\nstsfm " + command)
