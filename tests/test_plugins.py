"""Models, losses and data of one's own: what `stsfm new` writes works at once, as do plug-ins."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stsfm import compose, identity, targets
from stsfm.completion import candidates
from stsfm.job import cut

ROOT = Path(__file__).parents[1]
KINDS = {"model": "model", "net": "model", "loss": "loss", "data": "data"}  # kind → group
QUICK = ["trainer.epochs=2", "baselines=[drift]"]


def stsfm(*args: str, cwd: Path) -> str:
    """The command in a process of its own, which knows nothing of earlier imports."""
    done = subprocess.run(
        [sys.executable, "-m", "stsfm", *args],
        cwd=cwd, env=dict(os.environ), capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "kind", [pytest.param(k, marks=pytest.mark.slow if k == "net" else []) for k in KINDS]
)
def test_what_is_written_runs_as_it_is_said_to(kind, desk):
    """As a plug-in of a working folder."""
    assert desk("new", kind, f"fresh_{kind}") == 0
    said = next(line for line in desk.out.splitlines() if line.startswith("run it:"))
    words = said.replace("'", "").split()[4:]
    assert words[-3:] == [f"plugins=[fresh_{kind}]", "--config-dir", "conf"]
    assert desk("run", *words, *QUICK, *["model=naive"] * (kind == "data")) == 0, desk.err
    (run,) = [r for r in desk.runs() if r.status["model"] != "drift"]
    assert run.state == "finished" and run.config["plugins"] == [f"fresh_{kind}"]
    assert f"fresh_{kind}" in (run.folder / "config.yaml").read_text()
    if KINDS[kind] == "model":
        assert desk("check", *words) == 0 and "BROKEN" not in desk.out, desk.out


def test_what_is_written_in_a_checkout_keeps_the_contracts(tmp_path):
    """There a model is one more of the project's, and is tested by existing."""
    copy = tmp_path / "copy"
    junk = ("__pycache__", ".git", ".links", "runs", ".venv", ".*_cache", "*.egg-info")
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*junk))
    path = tmp_path / "path"
    path.mkdir()
    (path / "stsfm").symlink_to(copy / "stsfm_cli")
    environ = {**os.environ, "PYTHONPATH": str(path)}

    def typed(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=copy / "tests", env=environ, capture_output=True, text=True, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    for kind in KINDS:
        said = typed("stsfm", "new", kind, f"fresh_{kind}")
        assert "plugins" not in said
    assert (copy / "models" / "fresh_net.py").is_file()
    assert (copy / "conf" / "data" / "fresh_data.yaml").is_file()
    contracts = ["pytest", "--rootdir", "..", "-n", "0", "-q", "test_contracts.py"]
    passed = typed(*contracts, "-rp", "-k", "fresh_model or fresh_net or other_groups")
    assert passed.count("fresh_model") >= 10 and passed.count("fresh_net") >= 10
    if shutil.which("ruff"):
        rooms = ["models", "losses", "datasets"]
        done = subprocess.run(["ruff", "check", *rooms], cwd=copy, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
        done = subprocess.run(["ruff", "format", "--check", *rooms], cwd=copy, capture_output=True)
        assert done.returncode == 0, done.stdout


NAMES = [
    ("model", "naive", "is there already"),
    ("model", "class", "is no name"),
    ("model", "../up", "is no name"),
    ("model", "_net", "is no name"),
    ("model", "a-b", "is no name"),
    ("model", "MyModel", "written small, 'mymodel'"),
    ("model", "numpy", "a module 'numpy' is there already"),
    ("model", "random", "a module 'random' is there already"),
    ("modle", "mine", "Did you mean 'model'?"),
]


@pytest.mark.parametrize(("kind", "name", "line"), NAMES, ids=[name for _, name, _ in NAMES])
def test_names_are_checked(kind, name, line, desk):
    assert desk("new", kind, name) == 2 and line in desk.err and desk.err.count("\n") == 1
    assert list(desk.folder.iterdir()) == []


def test_no_file_is_overwritten(desk):
    config = desk.folder / "conf" / "model" / "kept.yaml"
    config.parent.mkdir(parents=True)
    config.write_text("mine\n")
    assert desk("new", "model", "kept") == 2 and "is left as it is" in desk.err
    assert config.read_text() == "mine\n" and not (desk.folder / "kept.py").exists()


# ---- plug-ins ------------------------------------------------------------------------------------


def test_a_change_of_the_source_is_another_run(tmp_path):
    stsfm("new", "model", "changing", cwd=tmp_path)
    words = ["model=changing", "plugins=[changing]", "--config-dir", "conf", *QUICK]
    stsfm("run", *words, cwd=tmp_path)
    file = tmp_path / "changing.py"
    file.write_text(file.read_text().replace("Say in", "Told in") + "\n# only words\n")
    assert "finished" not in stsfm("run", *words, cwd=tmp_path)
    assert len(list(tmp_path.glob("runs/airline/changing/*"))) == 1
    file.write_text(file.read_text().replace("(self.mean_ - last)", "(self.mean_ - last) / 2"))
    stsfm("run", *words, cwd=tmp_path)
    assert len(list(tmp_path.glob("runs/airline/changing/*"))) == 2


def test_a_package_counts_with_all_that_it_imports(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    package = tmp_path / "ours"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "deep" / "__init__.py").write_text("from . import inner\n")
    (package / "deep" / "inner.py").write_text("import numpy, helpers\n")
    (package / "net.py").write_text("from .deep import inner\nfrom stsfm.datasets import panel\n")
    (package / "unused.py").write_text("")
    (tmp_path / "helpers.py").write_text("")
    found = identity.closure({"ours.net"}, ["ours"])
    assert {"ours", "ours.net", "ours.deep", "ours.deep.inner"} < set(found)
    assert "stsfm.datasets.panel" in found
    assert not {"ours.unused", "helpers", "numpy", "stsfm"} & set(found)
    assert "helpers" in identity.closure({"ours.net"}, ["ours", "helpers"])
    assert identity.closure({"ours.net"}) == []


def test_a_sweep_takes_a_plug_in_beside_the_project(desk):
    assert desk("new", "model", "swept") == 0
    flags = ["plugins=[swept]", "--config-dir", "conf"]
    assert desk("run", "model=swept", "model.share=0,0.5", "baselines=[drift]", *flags) == 0
    assert len(desk.runs("/swept/")) == 2
    assert desk("run", "model=naive", "baselines=[swept]", *flags) == 0, desk.err
    assert "swept" in desk.out
    assert desk("compare", "model=swept,naive", "baselines=[]") in (0, 2)


def test_it_is_listed_shown_and_completed(desk):
    assert desk("new", "net", "seen") == 0
    assert desk("list", "model", "--config-dir", "conf") == 0
    assert "  seen " in desk.out and "One hidden layer over the past" in desk.out
    assert desk("show", "model=seen", "--config-dir", "conf") == 0
    assert "model.hidden=32" in desk.out and "model.context=24" in desk.out
    assert str(desk.folder / "seen.py") in desk.out
    assert desk("run", "--help", "model=seen", "--config-dir", "conf") == 0
    assert "model.hidden=32" in desk.out
    before = ["run", "--config-dir", "conf"]
    assert candidates([*before, "model=se"], []) == ["model=seasonal_naive", "model=seen"]
    assert "model.hidden=" in candidates([*before, "model=seen", "model.h"], [])
    assert desk("list", "model") == 0 and "  seen " not in desk.out
    assert desk("list", "--config-dir", "nowhere") == 2 and "is no folder" in desk.err


BROKEN = {
    "syntax": ("def broken(:\n", ".py, line 1: invalid syntax"),
    "an import": ("import not_there_at_all\n", "ModuleNotFoundError"),
    "an error": ("raise RuntimeError('no')\n", "RuntimeError: no"),
    "a name": ("class Another: pass\n", "has no attribute 'Model'"),
    "what it borrowed": ("from os import system as Model\n", "not one of the objects"),
}


@pytest.mark.parametrize(("source", "line"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plug_in_costs_one_line(source, line, desk):
    (desk.folder / "conf" / "model").mkdir(parents=True)
    name = f"broken_{len(source)}"
    (desk.folder / "conf" / "model" / f"{name}.yaml").write_text(f"_target_: {name}.Model\n")
    (desk.folder / f"{name}.py").write_text(source)
    words = ["run", f"model={name}", f"plugins=[{name}]", "--config-dir", "conf", "-q"]
    assert desk(*words) == 2 and line in desk.err and desk.err.count("\n") == 1, desk.err


def test_a_plug_in_hides_no_library(tmp_path):
    """A file of the working folder is looked for last."""
    (tmp_path / "yaml.py").write_text("raise SystemExit('hidden')\n")
    (tmp_path / "work.py").write_text("")
    code = "from stsfm import trust; trust.use(['work']); import yaml; print(yaml.__file__)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert "site-packages" in done.stdout, done.stderr


def test_without_plug_ins_nothing_of_the_folder_counts(desk):
    """The run of a model is the same beside plug-ins that it does not use."""
    assert desk("new", "model", "beside") == 0
    one = compose.config(["model=naive"])
    two = compose.config(["model=naive", "plugins=[beside]"])
    split = cut(one)
    assert identity.identify(one, split) == identity.identify(two, split)
    assert targets.find("beside.Beside") is not None
