"""A model is selected before the test rows are looked at: who may take part, and who is chosen."""

import subprocess
import sys

import pytest

from stsfm import options
from stsfm.__main__ import main
from stsfm.mistakes import Mistake
from stsfm.selecting import classes

MODEL = """
from stsfm.models.naive import Naive

class Mine(Naive):
    \"\"\"Repeat the last value, as another does.\"\"\"

    cite = "hyndman2021fpp3"
    classes = frozenset({"recurrent", "mine"})
"""


# ----- classes ----------------------------------------------------------------------------------


def test_every_model_says_what_it_is():
    """A word that nobody explains is a slip of the pen; an ensemble is of no class by itself."""
    found = {model: classes.classes(model) for model in options.groups()["model"]}
    assert {word for of in found.values() for word in of} == set(classes.ABOUT) - {"all"}
    assert [model for model, of in found.items() if not of] == ["ensemble"]


def test_a_composed_model_is_of_the_classes_of_its_parts():
    assert classes.classes("lle_gpr_rbf") == {"state-space", "metric", "nonparametric"}
    assert "recurrent" not in classes.classes("pca_var")


def test_a_class_or_a_name_stands_for_models():
    assert classes.members("recurrent") == ["dcrnn", "gru", "lstm", "rnn", "tgcn"]
    assert classes.chosen(["attention", "gru", "itransformer"]) == [
        "itransformer", "patchtst", "transformer", "gru",
    ]  # fmt: skip
    assert set(classes.members("all")) == set(options.groups()["model"])
    with pytest.raises(Mistake, match="Did you mean .recurrent"):
        classes.members("recurent")


def test_a_model_of_a_user_is_a_member_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_models.py").write_text(MODEL)
    (tmp_path / "more/model").mkdir(parents=True)
    (tmp_path / "more/model/mine.yaml").write_text("_target_: my_models.Mine\n")
    assert classes.members("mine", tmp_path / "more") == ["mine"]
    assert "mine" in classes.members("recurrent", tmp_path / "more")


def test_classes_are_listed_and_nothing_heavy_is_imported(capsys):
    assert main(["list", "class"]) == 0
    assert "itransformer, patchtst, transformer" in capsys.readouterr().out
    code = (
        "import sys; from stsfm.selecting.classes import every; every(); "
        "sys.exit(any(name in sys.modules for name in ('numpy', 'torch', 'hydra')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
