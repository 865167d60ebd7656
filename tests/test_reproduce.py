"""make reproduce-… notices a figure that drifted, a model that failed, and one that is gone."""

import importlib.util
from itertools import product
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def reproduce():
    spec = importlib.util.spec_from_file_location("reproduce", ROOT / "bench" / "reproduce.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


KEPT = {
    "data": "etth1", "horizon": "96", "model": "dlinear", "metric": "test_mse_scaled",
    "published": "0.375", "ours": "0.3705", "tolerance": "0.005",
}  # fmt: skip
NETS = ("nlinear", "dlinear")
WITHIN = 0.006  # of the published table: what trained nets are to reach


@pytest.mark.parametrize(
    ("figure", "fine"),
    [("0.373", True), ("0.368", True), ("0.377", False), ("0.36", False), ("", False)],
)
def test_a_figure_is_held_within_its_tolerance_on_both_sides(reproduce, figure, fine, capsys):
    assert reproduce.holds(KEPT, {"model": "dlinear", "test_mse_scaled": figure}) is fine
    said = capsys.readouterr().out
    assert ("DRIFTED" in said) is not fine
    assert "published 0.375" in said
    assert not reproduce.holds(KEPT, {})


def test_a_figure_is_found_by_its_task(reproduce):
    other = {"data": "etth1", "horizon": "192", "model": "dlinear", "test_mse_scaled": "0.4"}
    same = other | {"horizon": "96"}
    assert reproduce.find(KEPT, [other, same]) is same
    assert reproduce.find(KEPT, [other]) == {}
    alone = {"model": "dlinear"}  # the table of one task does not name it
    assert reproduce.find(KEPT, [{"model": "nlinear"}, alone]) is alone


def test_every_cell_of_a_kept_comparison_has_a_figure(reproduce):
    for path in (ROOT / "bench" / "expected").glob("*.csv"):
        experiment = yaml.safe_load((ROOT / "conf/experiment" / f"{path.stem}.yaml").read_text())
        sweep, baselines = experiment["sweep"], experiment.get("baselines", [])
        models = [sweep["model"]] if isinstance(sweep["model"], str) else sweep["model"]
        data, horizons = sweep.get("data", ["airline"]), sweep.get("protocol.horizon", [12])
        kept = {
            (row["data"], int(row["horizon"]), row["model"].split()[0])
            for row in reproduce.rows(path)
        }
        assert kept == set(product(data, horizons, [*baselines, *models])), path.name


def test_trained_nets_are_held_to_the_published_table(reproduce):
    """What is not kept of ours is the paper's; either way they stay within WITHIN of it."""
    nets = [row for row in reproduce.rows(ROOT / "bench/expected/ltsf.csv") if row["model"] in NETS]
    assert len(nets) == 2 * 2 * 4
    for row in nets:
        distance = abs(float(row["ours"] or row["published"]) - float(row["published"]))
        assert distance <= WITHIN and float(row["tolerance"]) <= WITHIN, row
    assert reproduce.holds(KEPT | {"ours": ""}, {"test_mse_scaled": "0.3799"})
    assert not reproduce.holds(KEPT | {"ours": ""}, {"test_mse_scaled": "0.3699"})
