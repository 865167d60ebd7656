"""The command line as a user meets it: the real command, and in-process what many cases share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from stsfm import completion, compose, options, targets
from stsfm.mistakes import Mistake, tell
from stsfm.request import read, split_flags

HEAVY = ("hydra", "omegaconf", "numpy", "torch", "lightning")


def stsfm(*args: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stsfm", *args]
    full = {**os.environ, **environ}
    return subprocess.run(command, cwd=cwd, env=full, capture_output=True, text=True, timeout=60)


def imported(cwd: Path, *args: str) -> set[str]:
    """Which of the heavy packages a command imports."""
    code = "import sys; from stsfm.__main__ import main; main(sys.argv[1:]); print(*sys.modules)"
    command = [sys.executable, "-c", code, *args]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)
    return set(HEAVY) & set(done.stdout.splitlines()[-1].split())


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A user's own conf folder: a model, an experiment that sweeps, and files with mistakes."""
    files = {
        "model/mine.yaml": "defaults: [_net]\n_target_: stsfm.models.recurrent.GRU\nhidden: 8\n",
        "model/hole.yaml": "_target_: stsfm.models.naive.Naive\nlevel: ???\n",
        "model/broken.yaml": "_target_: [a\n",
        "experiment/sweep.yaml": "# @package _global_\nsweep: {model: [lstm, naive], seeds: 2}\n",
        "experiment/typo.yaml": "# @package _global_\nsead: 3\n",
        "experiment/lost.yaml": "# @package _global_\ndefaults: [override /model: lsmt]\n",
        "experiment/astray.yaml": "# @package _global_\nsweep: {model: [lsmt]}\n",
        "experiment/old.yaml": "# @package _global_\nhydra: {sweeper: {params: {seed: '1,2'}}}\n",
        "experiment/seven.yaml": "# @package _global_\ndefaults: [override /model: gru]\nseed: 7\n",
    }
    for name, text in files.items():
        file = tmp_path / "mine" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "mine"


# ---- the table of commands -----------------------------------------------------------------------


def test_help_lists_the_commands_and_imports_nothing(tmp_path: Path) -> None:
    done = stsfm("--help", cwd=tmp_path)
    assert done.returncode == 0 and "run" in done.stdout and "compare" in done.stdout
    assert imported(tmp_path, "--help") == set()
    assert not {"numpy", "torch"} & imported(tmp_path, "run", "--help")


def test_version(tmp_path: Path) -> None:
    assert stsfm("--version", cwd=tmp_path).stdout.startswith("stsfm 0.")


def test_no_command_is_the_help_and_a_wrong_one_a_line(tmp_path: Path) -> None:
    assert stsfm(cwd=tmp_path).returncode == 2
    done = stsfm("compair", cwd=tmp_path)
    assert done.returncode == 2
    assert "Did you mean 'compare'?" in done.stderr and done.stderr.count("\n") == 1


def test_tell_is_one_line_and_knows_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert tell("run", Mistake("wanted a\nb")) == 2
    assert tell("run", KeyboardInterrupt()) == 130
    assert tell("run", ZeroDivisionError("x")) == 1
    assert capsys.readouterr().err.splitlines() == [
        "stsfm run: wanted a b",
        "stsfm run: interrupted; the same command goes on",
        "stsfm run: ZeroDivisionError: x (STSFM_DEBUG=1 shows where)",
    ]


# ---- list, show, completion ----------------------------------------------------------------------


def test_list_says_what_every_choice_is_and_marks_the_default(tmp_path: Path) -> None:
    lines = stsfm("list", "model", cwd=tmp_path).stdout.splitlines()
    assert any(line.startswith("* lstm ") and "memory" in line for line in lines)
    assert any(line.startswith("  naive ") and "Repeat the last value" in line for line in lines)
    assert not any("_net" in line for line in lines)
    assert imported(tmp_path, "list") == set()


def test_every_choice_has_its_line() -> None:
    for group, names in options.groups().items():
        for name in names:
            assert options.about(options.file_of(group, name)), f"{group}={name}"


def test_list_of_an_unknown_group(tmp_path: Path) -> None:
    done = stsfm("list", "modle", cwd=tmp_path)
    assert done.returncode == 2 and "Did you mean 'model'?" in done.stderr


def test_show_has_keys_reference_and_files(tmp_path: Path) -> None:
    shown = stsfm("show", "model=lstm", cwd=tmp_path).stdout
    assert "model.hidden=64" in shown and "# rows of past that it reads" in shown
    assert "hochreiter1997lstm" in shown and "recurrent.py" in shown and "lstm.yaml" in shown
    assert stsfm("show", "lstm", cwd=tmp_path).stdout == shown
    assert imported(tmp_path, "show", "model=lstm") == set()


@pytest.mark.parametrize("group", [group for group in options.groups() if group != "experiment"])
def test_what_show_prints_can_be_typed(group: str) -> None:
    name = options.groups()[group][-1]
    keys = options.keys(options.file_of(group, name), group)
    texts = [f"{key.name}={key.value}" for key in keys if "${" not in key.value]
    chosen = [f"{group}={name}"]
    if group in options.parts():
        chosen = [f"{group.partition('/')[0]}={options.having(group)[0]}", *chosen]
    assert compose.config([*chosen, *texts]) == compose.config(chosen)


def test_sentences_and_references() -> None:
    drift = targets.find("stsfm.models.naive.Drift")
    assert drift and drift.sentence == "Continue the line through the first and the last value"
    assert "Hyndman" in drift.reference and drift.reference.endswith("[hyndman2021fpp3]")
    assert targets.find("nowhere.at.All") is None
    assert targets.sentence("As in v1.2, e.g. here. And more.") == "As in v1.2, e.g. here"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("stsfm ru", ["run"]),
        ("stsfm list mod", ["model"]),
        ("stsfm show model=ls", ["model=lstm"]),
        ("stsfm run mod", ["model.", "model="]),
        ("stsfm run model=naive,ls", ["model=naive,lstm"]),
        ("stsfm run model=gru model.hi", ["model.hidden="]),
        ("stsfm run model=naive model.", []),
        ("stsfm run trainer.epochs=", ["trainer.epochs=300"]),
        ("stsfm list model/emb", ["model/embedding"]),
        ("stsfm run model=composed mod", ["model.", "model/", "model="]),
        ("stsfm run model=composed model/embedding=id", ["model/embedding=identity"]),
        ("stsfm run model=composed model.emb", ["model.embedding.dim="]),
        ("stsfm run --res", ["--resolve"]),
    ],
)
def test_completion(line: str, found: list[str]) -> None:
    assert completion.candidates(line.split()[1:], ["run", "list"]) == found


def test_the_shell_gets_its_completions(tmp_path: Path) -> None:
    done = stsfm("-sc", "query=bash", cwd=tmp_path, COMP_LINE="stsfm run model=")
    assert "model=lstm" in done.stdout.split() and "model=_net" not in done.stdout.split()
    assert "COMP_LINE" in stsfm("-sc", "install=bash", cwd=tmp_path).stdout


# ---- one job -------------------------------------------------------------------------------------


def test_cfg_shows_a_config_without_torch_and_leaves_nothing(tmp_path: Path) -> None:
    args = ["run", "model=gru", "--cfg", "job", "--resolve", "-p", "model", "model.hidden=9"]
    shown = stsfm(*args, cwd=tmp_path).stdout
    assert "hidden: 9" in shown and "stsfm.models.recurrent.GRU" in shown and "epochs: 300" in shown
    assert "torch" not in imported(tmp_path, *args)
    assert list(tmp_path.iterdir()) == []


def test_help_of_run_and_of_a_choice(tmp_path: Path) -> None:
    shown = stsfm("run", "--help", cwd=tmp_path).stdout
    assert "*lstm" in shown and "seeds=5" in shown and "_net" not in shown
    assert "model.hidden=64" in stsfm("run", "model=gru", "--help", cwd=tmp_path).stdout


def test_config_is_plain_resolved_and_names_the_choices() -> None:
    config = compose.config(["model=gru", "seed=4", "model.hidden=${seed}"])
    assert type(config["model"]) is dict and config["model"]["hidden"] == 4
    assert config["choices"]["model"] == "gru" and config["choices"]["experiment"] is None
    assert config["model"]["trainer"] == config["trainer"] and "hydra" not in config


def test_models_are_composed_in_the_context_of_a_config() -> None:
    config = compose.config(["model=naive", "seed=5", "trainer.epochs=7", "loss=mse"])
    gru = compose.models(["gru"], config)["gru"]
    assert gru["seed"] == 5 and gru["trainer"]["epochs"] == 7 and gru["loss"] == config["loss"]
    both = compose.models(["gru", "naive"], config)
    assert both == {"gru": gru, "naive": config["model"]}
    with pytest.raises(Mistake, match="Did you mean 'lstm'"):
        compose.models(["lsmt"], config)


def test_own_folder_of_choices(mine: Path) -> None:
    config = compose.config(["--config-dir", str(mine), "model=mine", "experiment=seven"])
    assert config["choices"]["model"] == "mine" and config["seed"] == 7
    assert compose.config(["-cd", str(mine), "experiment=seven"])["choices"]["model"] == "gru"
    assert compose.config(["-cd", str(mine), "experiment=seven", "seed=1"])["seed"] == 1


# ---- jobs ----------------------------------------------------------------------------------------


def jobs(*args: str) -> list[tuple[dict[str, Any], tuple[str, ...]]]:
    return [(job.config, job.words) for job in compose.jobs(list(args)).jobs]


def name(*args: str) -> str:
    (found,) = {job.comparison for job in compose.jobs(list(args)).jobs}
    return found


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_single_job_has_its_own_words_and_leaves_nothing(here: Path) -> None:
    [(config, words)] = jobs("model=gru", "seed=2")
    assert config["choices"]["model"] == "gru" and words == ("model=gru", "seed=2")
    assert list(here.iterdir()) == []


def test_what_lightning_appends_for_another_rank_is_dropped(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    tail = ['hydra.run.dir="."', "hydra.job.name=train_ddp_process_1", "hydra.output_subdir=null"]
    [(_, words)] = jobs("seed=2", *tail)
    assert words == ("seed=2",)


def test_several_values_are_a_sweep(here: Path) -> None:
    found = jobs("model=naive,gru", "seeds=2", "--config-dir", str(here))
    told = [words[2:] for _, words in found]
    assert told == [(f"model={m}", f"seed={s}") for m in ("naive", "gru") for s in (1, 2)]
    assert found[0][1][:2] == ("--config-dir", str(here)) and list(here.iterdir()) == []
    assert compose.jobs(["-m", "seed=1"]).many and not compose.jobs(["seed=1"]).many


def test_glob_takes_no_building_blocks() -> None:
    names = [config["choices"]["model"] for config, _ in jobs("model=glob(*n*)")]
    assert "naive" in names and "_net" not in names


def test_names_of_comparisons() -> None:
    both = name("model=lstm,gru", "seeds=2")
    assert both.startswith("airline-") and len(both) == len("airline-") + 8
    words = ("-m", "force=true", "launcher.n_jobs=2", "retries=3", "model=lstm,gru")
    assert both == name("seed=1,2", *words)
    assert both != name("model=lstm,gru", "seeds=3")
    assert name("data=airline,ring").startswith("airline+ring-")


def test_short_forms() -> None:
    assert read(["seeds=3"]).overrides == ["seed=1,2,3"]
    assert read(["seeds=[2,7]"]).overrides == read(["seeds=2,7"]).overrides == ["seed=2,7"]
    assert split_flags(["a=1", "-q"], "-q", "--quiet") == (True, ["a=1"])
    assert compose.config(["experiment=null"])["choices"]["experiment"] is None


# ---- mistakes ------------------------------------------------------------------------------------


def typed(table: list[tuple[list[str], str]]) -> list[str]:
    return [" ".join(args) for args, _ in table]


ON_THE_COMMAND_LINE = [
    (["model=lsmt"], "no model named 'lsmt'. Did you mean 'lstm'? Available: "),
    (["--help", "model=lsmt"], "no model named 'lsmt'. Did you mean 'lstm'?"),
    (["modle=lstm"], "unknown key 'modle'. Did you mean 'model'?"),
    (["model.layer=3"], "unknown key 'model.layer' of model=lstm. Did you mean 'model.layers'?"),
    (["seed=abc"], "seed=abc: wanted a whole number, got 'abc'"),
    (["--cfg", "job", "-m"], "--cfg shows one job"),
    (["baselines=[naive"], "cannot read 'baselines=[naive': special characters need quotes"),
]

MISTAKES: list[tuple[list[str], str]] = [
    *ON_THE_COMMAND_LINE,
    (["k=0,0.1"], "unknown key 'k'"),
    (["seed="], "seed=: wanted a whole number, got nothing"),
    (["seed=1.5"], "wanted a whole number"),
    (["force=maybe"], "wanted true or false"),
    (["baselines=naive"], "wanted a list, such as [a,b]"),
    (["runs_dir=null"], "runs_dir=null: wanted a value"),
    (["model=_net"], "no model named '_net'"),
    (["model=lstm,_net"], "no model named '_net'"),
    (["model=glob(_*)"], "no model named '_*'"),
    (["model="], "no model named ''"),
    (["model=null"], "no model named 'null'"),
    (["model=[lstm,gru]"], "one model at a time"),
    (["experiment=nothing"], "no experiment named 'nothing'"),
    (["+modle=lstm"], "Did you mean 'model'?"),
    (["+model.lrr=1"], "unknown key 'model.lrr'"),
    (["++model.hiden=3"], "Did you mean 'model.hidden'?"),
    (["hidden=3"], "Did you mean 'model.hidden'?"),
    (["model.lr=1"], "Did you mean 'trainer.lr'?"),
    (["model.hidden.x=1"], "unknown key 'model.hidden.x'"),
    (["model.trainer.lr=1"], "Did you mean 'trainer.lr'?"),
    (["loss.weights.new=1"], "added by +loss.weights.new=…"),
    (["model=lstm,naive", "model.hidden=8"], "'model.hidden' of model=naive; model=lstm has it"),
    (["sweep.model=[lstm]"], "sweep is a key of experiments"),
    (["--dry-run", "model=lsmt"], "Did you mean 'lstm'?"),
    (["~model"], "cannot be taken out"),
    (["model@other=lstm"], "Did you mean 'model'?"),
    (["model/part=x"], "no group named 'model/part'"),
    (["model=naive", "model/embedding=pca"], "model=naive has no parts: model/embedding=… is"),
    (["model=composed", "model.embedding=pca"], "chosen with a slash, model/embedding=NAME"),
    (["model.hidden=interval(1,5)"], "an interval is no list of values"),
    (["seed=${nothing}"], "seed: ${nothing} points to no key"),
    (["model.hidden=???"], "model.hidden has no value yet"),
    (["lstm"], "cannot read 'lstm': wanted key=value"),
    (["=3"], "wanted key=value"),
    (["a=b=c"], "special characters need quotes"),
    (["seeds=0"], "wanted how many seeds, or which"),
    (["seeds=2", "seed=1"], "give one of the two"),
    (["--mulitrun"], "Did you mean '--multirun'"),
    (["--cfg"], "expected one argument"),
    (["--resolve"], "go with --cfg"),
    (["--cfg", "job", "seed=1,2"], "--cfg shows one job"),
    (["--cfg", "job", "-p", "modle"], "unknown key 'modle'. Did you mean 'model'?"),
    (["--config-dir", "/nowhere"], "'/nowhere' is no folder"),
    (["hydra/launcher=basic"], "how Hydra runs is settled"),
    (["hydra.run.dir=elsewhere"], "results are kept under runs_dir=FOLDER"),
    (["runs_dir="], "runs_dir= names no folder"),
]


@pytest.mark.parametrize(("args", "line"), ON_THE_COMMAND_LINE, ids=typed(ON_THE_COMMAND_LINE))
def test_a_mistake_costs_one_line(args: list[str], line: str, tmp_path: Path) -> None:
    done = stsfm("run", *args, cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith(f"stsfm run: {line}") and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def said(args: Sequence[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a wrong command costs."""
    with pytest.raises(Mistake) as mistake:
        compose.shown(list(args)) or jobs(*args)
    tell("run", mistake.value)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("stsfm run: ") and captured.err.count("\n") == 1, captured.err
    return captured.err


@pytest.mark.parametrize(("args", "line"), MISTAKES, ids=typed(MISTAKES))
def test_mistakes(
    args: list[str], line: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert line in said(args, capsys)


@pytest.mark.parametrize(
    ("choice", "line"),
    [
        ("model=mien", "Did you mean 'mine'"),
        ("model=hole", "model.level has no value yet: give it one by model.level=…"),
        ("model=broken", "expected ',' or ']'"),
        ("experiment=typo", "experiment/typo.yaml: unknown key 'sead'. Did you mean 'seed'"),
        ("experiment=lost", "no model named 'lsmt'"),
        ("experiment=astray", "sweep of experiment=astray: no model named 'lsmt'"),
        ("experiment=old", "hydra.sweeper.params is not read: an experiment sweeps by a key"),
    ],
)
def test_mistakes_in_files(
    choice: str, line: str, mine: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert line in said(["--config-dir", str(mine), choice], capsys)


def test_keys_are_added_only_where_dictionaries_are_open() -> None:
    config = compose.config(["+loss.weights.extra=0.1", "+trainer.optimizer.eps=1e-9"])
    assert config["loss"]["weights"] == {"task": 1.0, "extra": 0.1}
    assert config["trainer"]["optimizer"]["eps"] == 1e-9
    assert compose.config(["+model=gru", "++model.hidden=3"])["model"]["hidden"] == 3
