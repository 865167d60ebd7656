"""make reproduce-… notices a figure that drifted, a model that failed, and one that is gone."""

import importlib.util
from itertools import product
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WITHIN = 0.006  # of the published table: what trained nets on ETT are to reach


@pytest.fixture(scope="module")
def reproduce():
    spec = importlib.util.spec_from_file_location("reproduce", ROOT / "bench" / "reproduce.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("figure", "fine"),
    [("0.563", True), ("0.558", True), ("0.567", False), ("0.55", False), ("", False)],
)
def test_a_figure_is_held_within_its_tolerance_on_both_sides(reproduce, figure, fine, capsys):
    kept = {"model": "arima", "metric": "test_mase", "kept": "0.5605", "tolerance": "0.005"}
    assert reproduce.holds(kept, {"model": "arima", "test_mase": figure}) is fine
    assert ("DRIFTED" in capsys.readouterr().out) is not fine
    assert not reproduce.holds(kept | {"published": "0.55"}, {})
    assert capsys.readouterr().out.endswith("published 0.55\n")


def test_a_figure_is_found_by_its_task_and_held_to_the_paper_where_none_is_kept(reproduce):
    kept = {
        "data": "etth1", "horizon": "96", "model": "dlinear", "metric": "test_mse_scaled",
        "published": "0.375", "kept": "", "tolerance": "0.006",
    }  # fmt: skip
    other = {"data": "etth1", "horizon": "192", "model": "dlinear", "test_mse_scaled": "0.375"}
    same = other | {"horizon": "96", "test_mse_scaled": "0.37"}
    assert reproduce.find(kept, [other, same]) is same
    assert reproduce.find(kept, [other]) == {}
    assert reproduce.holds(kept, same)
    assert not reproduce.holds(kept, same | {"test_mse_scaled": "0.3689"})


@pytest.mark.parametrize(("code", "begun"), [(2, 1), (1, 3)])
def test_what_cannot_begin_is_said_once(reproduce, monkeypatch, code, begun):
    names = []
    monkeypatch.setattr(reproduce, "_reproduced", lambda name: names.append(name) or code)
    assert reproduce.main("a", "b", "c") == code
    assert len(names) == begun


def test_every_cell_of_a_kept_comparison_has_a_figure(reproduce):
    for path in (ROOT / "bench" / "expected").glob("*.csv"):
        experiment = yaml.safe_load((ROOT / "conf/experiment" / f"{path.stem}.yaml").read_text())
        sweep, baselines = experiment["sweep"], experiment.get("baselines", [])
        sweeps = sweep if isinstance(sweep, list) else [sweep]
        models = {name for one in sweeps for name in _listed(one["model"])}
        kept = reproduce.rows(path)
        cells = {(row.get("data"), row.get("horizon"), row["model"].split()[0]) for row in kept}
        if "data" in kept[0]:
            tasks = {task for one in sweeps for task in _tasks(one, experiment)}
            assert cells == {(*task, model) for task in tasks for model in (*models, *baselines)}
        else:
            assert {model for *_, model in cells} == models, path.name


def _tasks(sweep, experiment):
    """Datasets and horizons of one table of a sweep; a horizon may be that of all of them."""
    horizons = sweep.get("protocol.horizon") or experiment["protocol"]["horizon"]
    return product(_listed(sweep["data"]), map(str, _listed(horizons)))


def _listed(value):
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("model", ["nlinear_etth1", "nlinear_ettm1", "dlinear"])
def test_trained_nets_on_ett_are_held_to_the_published_table(reproduce, model):
    for row in reproduce.rows(ROOT / "bench" / "expected" / f"ltsf_{model}.csv"):
        paper = float(row["published"])
        assert float(row["tolerance"]) <= WITHIN
        assert row["model"] == "naive" or abs(float(row["kept"] or paper) - paper) <= WITHIN
