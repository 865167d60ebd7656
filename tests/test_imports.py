"""Imports point one way: datasets ← losses ← models ← the runner → conf; the package is whole."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "conf": set(),
    "datasets": {"datasets"},
    "losses": {"datasets", "losses"},
    "models": {"datasets", "losses", "models"},
    "stsfm_cli": {"conf", "datasets", "losses", "models", "stsfm_cli"},
}
ROOMS = set(MAY_IMPORT) - {"stsfm_cli"}
FILES = [file for room in MAY_IMPORT for file in sorted((ROOT / room).rglob("*.py"))]


def imported(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno} imports by dots"
            yield node.module, node.lineno


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_point_one_way(file):
    home = file.relative_to(ROOT).parts[0]
    for name, line in imported(file):
        head, *rest = name.split(".")
        if head == "stsfm":
            room = rest[0] if rest and rest[0] in ROOMS else "stsfm_cli"
            assert room in MAY_IMPORT[home], f"{file}:{line} {home} may not import {name}"


# Of the runner, what a room may ask: rooms, and single files beside them.
PEERS = {
    "significance": {"words"},
    "record": {"files", "identity", "mistakes", "words"},
    "tables": {"mistakes", "record", "significance", "words"},
    "spatial": {"significance", "words"},
    "plots": {"files", "record", "significance", "spatial", "tables", "words"},
    "cards": {
        "build",
        "compose",
        "files",
        "headline",
        "mistakes",
        "record",
        "significance",
        "spatial",
    },
    "selecting": {
        "build",
        "compose",
        "files",
        "gathered",
        "identity",
        "job",
        "jobs",
        "launchers",
        "mistakes",
        "options",
        "outcome",
        "plots",
        "record",
        "request",
        "screen",
        "significance",
        "sweeps",
        "tables",
        "words",
    },
    "detections": {
        "build",
        "compose",
        "files",
        "findings",
        "headline",
        "identity",
        "mistakes",
        "outcome",
        "plots",
        "record",
        "reports",
        "results",
        "screen",
        "significance",
        "tables",
        "words",
    },
    "reports": {
        "cards",
        "detections",
        "files",
        "gathered",
        "mistakes",
        "record",
        "refits",
        "search",
        "selecting",
        "significance",
        "spatial",
        "tables",
        "targets",
        "words",
    },
    "asking/reading": {"asking", "mistakes", "options"},
    "compose": {"help", "identity", "mistakes", "options", "request", "search", "trust"},
    "launchers": {"identity", "job", "mistakes", "record", "screen", "sweeps", "words"},
}


@pytest.mark.parametrize("room", PEERS)
def test_a_room_asks_only_those_it_needs(room):
    """Statistics know no runs, tables no launchers; who reads a prompt, a record or a figure runs
    nothing."""
    others = {path.stem for path in (ROOT / "stsfm_cli").iterdir()} - {room}
    for file in (ROOT / "stsfm_cli" / room).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.ImportFrom):
                continue
            of, names = node.module.split("."), [alias.name for alias in node.names]
            asked = {of[1]} if of[1:] else set(names) if of == ["stsfm"] else set()
            asked &= others
            assert asked <= PEERS[room], f"{file}:{node.lineno} {room} may not import {asked}"


def test_statistics_need_nothing_but_arrays():
    for file in (ROOT / "stsfm_cli/significance").glob("*.py"):
        heads = {name.split(".")[0] for name, _ in imported(file)}
        assert heads <= {"numpy", "scipy", "stsfm"} | sys.stdlib_module_names, file


def test_a_table_that_tests_nothing_waits_for_no_scipy():
    """A cached run is shown in half a second, of which scipy would take a fifth."""
    code = "import sys, stsfm.job, stsfm.present; sys.exit('scipy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "package, owners",
    [
        ("hydra", {"door.py"}),
        ("omegaconf", {"door.py"}),
        ("lightning", {"training.py"}),
    ],
)
def test_some_packages_have_one_door(package, owners):
    for file in FILES:
        if any(name.split(".")[0] == package for name, _ in imported(file)):
            assert file.name in owners, f"{file} imports {package}"


def test_every_folder_of_code_is_packaged():
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    wanted = set()
    for room in MAY_IMPORT:
        for folder in [ROOT / room, *(ROOT / room).rglob("*/")]:
            if list(folder.glob("*.py")):
                name = ".".join(("stsfm", *folder.relative_to(ROOT).parts))
                wanted.add(name.replace("stsfm.stsfm_cli", "stsfm"))
    assert set(tool["packages"]) == wanted


def test_the_rooms_shadow_no_other_package():
    for room in ROOMS:
        assert not (ROOT / room / "__init__.py").exists()


def test_every_dataset_model_and_loss_has_its_yaml():
    """Adding one is a Python file and a YAML file; a Python file may serve a family."""
    infrastructure = {
        "datasets": {"about", "panel", "windows", "split", "transform"}
        | {"ablation", "acf", "beyond", "calendar", "fetch", "graph", "lattice", "places"}
        | {"season"},
        "losses": {"base", "changes", "metrics"},
        "models": {
            "analyser",
            "base",
            "segmenter",
            "learned",
            "parts",
            "legal",
            "neural",
            "conformal",
        }
        | {"batches", "checkpoint", "descent", "pricing", "process", "settings", "training"},
    }
    for room, groups in (("datasets", ["data"]), ("losses", ["loss"]), ("models", ["model"])):
        named = {
            line.split("stsfm.")[1].split(".")[1]
            for group in groups
            for file in (ROOT / "conf" / group).rglob("*.yaml")
            for line in file.read_text().splitlines()
            if f"stsfm.{room}." in line
        }
        files = {file.stem for file in (ROOT / room).glob("*.py")} - infrastructure[room]
        assert files <= named, f"no YAML names {files - named}"


@pytest.mark.parametrize("room", ["align", "embedding", "lifting", "transform"])
def test_every_part_of_a_state_space_has_its_yaml(room):
    """models/embedding/lle.py is conf/model/embedding/lle.yaml; a transform has two."""
    groups = ["transform_x", "transform_y"] if room == "transform" else [room]
    files = {file.stem for file in (ROOT / "models" / room).glob("*.py")}
    for group in groups:
        assert files == {file.stem for file in (ROOT / "conf/model" / group).glob("*.yaml")}
