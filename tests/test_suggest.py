"""`stsfm suggest loss`: each term is tried on model and data, and what is proposed runs."""

import pytest
import yaml

from stsfm.grammar import suggest

QUICK = ["trainer.epochs=1", "baselines=[]", "protocol.calibration=0"]
STACK = [
    "model=superposition",
    "model.sizes=[3,2]",
    "data=pendulum",
    "data.length=200",
    "protocol.horizon=4",
]


def run(desk, words):
    """The history of the one run that the words make."""
    assert desk("run", "-q", *words, *QUICK) == 0, desk.err
    (made,) = [run for run in desk.runs() if run.history()]
    return made.history()


def test_a_stack_on_a_pendulum_has_all_that_it_publishes_and_its_data_state(desk):
    found = suggest(STACK)
    offers = {offer.name: offer for offer in found.offers}
    for name in ("reconstruction", "physics", "energy"):
        assert offers[name].proposed and offers[name].kind == "misfit"
    assert not offers["smoothness"].refused and not offers["smoothness"].proposed
    assert "no" not in offers["smoothness"].kind and offers["smoothness"].size > 0
    assert "none: model.types=vae" in offers["divergence"].refused
    assert "which teacher?" in offers["distillation"].refused
    assert found.words[-1] == "loss/weighting=relobralo", "of many terms the weights are adapted"
    (row,) = run(desk, found.words)
    proposed = {offer.name for offer in found.proposed}
    assert {key.removeprefix("train_") for key in row if "train_" in key} == {"task", *proposed}


def test_soft_layers_bring_their_penalties(desk):
    soft = ["model.constraints=soft", "model.types=pca"]
    words = [*STACK[:2], *soft, "data=sines", "protocol.horizon=4"]
    found = suggest(words)
    offers = {offer.name: offer for offer in found.offers}
    assert offers["orthogonality"].asked and offers["orthogonality"].proposed
    assert offers["orthogonality"].kind == "penalty" and not offers["skip"].proposed
    assert "states no equation" in offers["physics"].refused
    (row,) = run(desk, found.words)
    assert "weight_orthogonality" in row


def test_a_file_is_a_choice_of_its_folder(desk):
    words = [
        "model=gru",
        "model.hidden=3",
        "data=pendulum",
        "data.length=200",
        "protocol.horizon=4",
        "loss=mse",
    ]
    assert desk("suggest", "loss", *words, "--out", "mine") == 0
    assert "GRU publishes none" in desk.out
    file = desk.folder / "mine" / "loss" / "gru_pendulum.yaml"
    kept = yaml.safe_load(file.read_text())
    assert {"task", "physics", "energy"} <= set(kept["terms"]) == set(kept["weights"])
    command = desk.out.splitlines()[-1].split()
    assert command[:5] == ["stsfm", "run", "--config-dir", "mine", "loss=gru_pendulum"]
    assert "loss=mse" not in command
    (row,) = run(desk, command[2:])
    assert "train_physics" in row


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["loss", "model=arima"], "arima is fitted without a loss"),
        (["model"], "'model' can't be suggested"),
        (["loss", "model=gru", "--out="], "--out: wanted a folder"),
        (["loss", "model=gru,lstm"], "give every key one value"),
    ],
)
def test_what_cannot_be_suggested(words, said, desk):
    assert desk("suggest", *words) == 2
    assert said in desk.err and desk.err.count("\n") == 1
