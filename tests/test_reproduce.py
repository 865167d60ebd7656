"""make reproduce-… notices a figure that drifted, a model that failed, and one that is gone."""

import importlib.util
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


def test_every_model_of_a_kept_comparison_has_a_figure(reproduce):
    for path in (ROOT / "bench" / "expected").glob("*.csv"):
        kept = {row["model"] for row in reproduce.rows(path)}
        experiment = yaml.safe_load((ROOT / "conf/experiment" / f"{path.stem}.yaml").read_text())
        models = experiment["sweep"]["model"]
        assert kept == ({models} if isinstance(models, str) else set(models))
