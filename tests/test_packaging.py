"""The checkout and the wheel: nothing is missing, nothing shadows, and the wheel runs elsewhere.

What needs a package index is done only where STSFM_INDEX=1, as .ci/run sets it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOMES = {  # folder of the checkout → folder of the wheel
    "stsfm_cli": "stsfm",
    "conf": "stsfm/conf",
    "datasets": "stsfm/datasets",
    "losses": "stsfm/losses",
    "models": "stsfm/models",
}
WITH_INDEX = os.environ.get("STSFM_INDEX") == "1"
JOB = ["run", "model=naive", "data=airline", "baselines=[drift]"]


def run(*command: str | Path, cwd: Path, **environ: str) -> str:
    full = {**os.environ, **environ}
    full.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=full, capture_output=True, text=True, timeout=1800
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def setuptools_can_build() -> bool:
    """pyproject.toml asks for 77: the first that reads a licence as PEP 639 writes it."""
    try:
        return int(version("setuptools").partition(".")[0]) >= 77
    except PackageNotFoundError:
        return False


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """A wheel built from a copy, so that nothing is left in the checkout."""
    if not WITH_INDEX and not setuptools_can_build():
        pytest.skip("building a wheel without an index needs setuptools >= 77 installed")
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for room in HOMES:
        shutil.copytree(ROOT / room, source / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(out)]
    run(*pip, *[] if WITH_INDEX else ["--no-build-isolation"], ".", cwd=source)
    (built,) = out.glob("*.whl")
    return built


def mae(folder: Path, model: str) -> float:
    (scores,) = (folder / "runs" / "airline" / model).glob("*/scores.json")
    return json.loads(scores.read_text())["test"]["mae"]["pooled"]


# ---- the checkout --------------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make")
def test_make_says_what_can_be_made():
    for words in (["make"], ["make", "help"]):
        said = run(*words, cwd=ROOT)
        assert "make demo" in said and "make test" in said and "TORCH" in said


@pytest.mark.parametrize("flag", [[], ["-P"]], ids=["", "-P"])
def test_a_package_called_datasets_is_found_from_the_checkout(tmp_path, flag):
    """`datasets` is a well-known name: the folder beside stsfm_cli must never be taken for it."""
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "__init__.py").write_text("WHOSE = 'somebody else'\n")
    code = "import datasets; from stsfm.datasets.airline import airline; print(datasets.WHOSE)"
    said = run(sys.executable, *flag, "-c", code, cwd=ROOT, PYTHONPATH=str(tmp_path))
    assert said == "somebody else\n"


def same_forecast_at_both_doors(folder: Path, where: dict) -> bool:
    """Is what `stsfm predict` wrote what a notebook is told?"""
    run(sys.executable, "-m", "stsfm", "predict", folder, **where)
    (written,) = folder.glob("predict/*/forecast.csv")
    code = (
        f"import pandas, stsfm; told = stsfm.load({str(folder)!r}).predict(); "
        f"wrote = pandas.read_csv({str(written)!r}); assert len(told) == len(wrote) == 12; "
        "print((told.select_dtypes('number').values == wrote.select_dtypes('number').values).all())"
    )
    return run(sys.executable, "-c", code, **where) == "True\n"


# ---- the wheel -----------------------------------------------------------------------------------


def test_the_wheel_holds_every_file_and_no_other(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    wanted = {
        f"{home}/{path.relative_to(ROOT / room).as_posix()}"
        for room, home in HOMES.items()
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert names == wanted
    some = {"stsfm/py.typed", "stsfm/references.bib", "stsfm/datasets/airline.csv"}
    assert some | {"stsfm/conf/model/_net.yaml", "stsfm/models/layers/head.py"} <= names


@pytest.mark.slow
def test_the_wheel_runs_unpacked_and_makes_the_same_run(wheel, tmp_path):
    """Its layout is another one than the checkout's; the digest of a run is not."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    (tmp_path / "work").mkdir()
    where = {"cwd": tmp_path / "work", "PYTHONPATH": str(tmp_path / "site")}
    code = "import stsfm, stsfm.models.naive as n, stsfm.conf.schema as c; print("
    said = run(sys.executable, "-c", code + "stsfm.__file__, n.__file__, c.__file__)", **where)
    assert all(path.startswith(str(tmp_path / "site" / "stsfm")) for path in said.split())
    assert "→ runs/airline/naive/" in run(sys.executable, "-m", "stsfm", *JOB, **where)
    assert mae(tmp_path / "work", "naive") == pytest.approx(74.29, abs=0.005)
    (tmp_path / "checkout").mkdir()
    run(sys.executable, "-m", "stsfm", *JOB, cwd=tmp_path / "checkout")
    names = [
        sorted(p.parent.name for p in (tmp_path / home).glob("runs/*/*/*/status.json"))
        for home in ("work", "checkout")
    ]
    assert names[0] == names[1]
    (made,) = (tmp_path / "work").glob("runs/airline/naive/*")
    assert same_forecast_at_both_doors(made, where)
    said = run(sys.executable, "-m", "stsfm", "new", "model", "outside", **where)
    (line,) = re.findall(r"run it: +stsfm (.*)", said)
    words = line.replace("'", "").split()
    run(sys.executable, "-m", "stsfm", *words, "baselines=[drift]", **where)
    assert "BROKEN" not in run(sys.executable, "-m", "stsfm", "check", *words[1:], **where)
    assert (tmp_path / "work" / "outside.py").is_file() and mae(tmp_path / "work", "outside") > 0


@pytest.mark.skipif(not WITH_INDEX, reason="needs a package index; .ci/run sets STSFM_INDEX=1")
def test_the_wheel_installs_into_a_fresh_environment_and_trains(wheel, tmp_path):
    venv.create(tmp_path / "venv", with_pip=True)
    bin_, work = tmp_path / "venv" / "bin", tmp_path / "work"
    work.mkdir()
    pip = [bin_ / "python", "-m", "pip", "install", "--quiet"]
    run(*pip, os.environ.get("TORCH", "torch==2.13.0"), cwd=work)  # first: the user's choice stays
    run(*pip, wheel, cwd=work)
    code = "import stsfm; print(stsfm.__file__)"
    where = run(bin_ / "python", "-c", code, cwd=work)
    assert where.startswith(str(tmp_path / "venv"))
    printed = run(bin_ / "stsfm", "run", "model=lstm", "data=airline", cwd=work)
    assert "test MASE" in printed and "Best classical model on validation" in printed
    assert len(list(work.glob("runs/airline/lstm/*/plots/*.png"))) == 6
    assert mae(work, "arima") < mae(work, "lstm") < mae(work, "seasonal_naive")
    run(bin_ / "stsfm", "new", "model", "outside", cwd=work)
    plugin = ["model=outside", "plugins=[outside]", "--config-dir", "conf"]
    run(bin_ / "stsfm", "run", *plugin, cwd=work)  # the script's path has no working folder
    assert mae(work, "outside") > 0
