"""Tool cards are read from what runs: the same names, types and defaults; a schema as well."""

import typing

import pytest
import yaml

from stsfm import options
from stsfm.asking import tools
from stsfm.asking.spec import INTENTS
from stsfm.build import build

LIGHT = ["naive", "drift", "ar", "arima", "ets", "linear", "hodmd", "var", "ssa", "kalman", "svr"]
NETS = ["lstm", "nlinear", "patchtst"]


def defaults(schema):
    return {key: p["default"] for key, p in schema["parameters"]["properties"].items()}


@pytest.mark.parametrize("name", LIGHT)
def test_a_model_is_made_again_from_its_schema(name):
    schema = tools.schema("model", name)
    assert schema["parameters"]["required"] == []
    made = build({"_target_": next(sources(name)), **defaults(schema)}, path="model")
    kept = {key: value for key, value in defaults(schema).items() if key in vars(made)}
    assert (kept or not defaults(schema)) and kept == {key: vars(made)[key] for key in kept}


def sources(name):
    """The targets that the files of a model name, its own and those below."""
    file = options.file_of("model", name)
    read = yaml.safe_load(file.read_text())
    if "_target_" in read:
        yield read["_target_"]
    for below in read.get("defaults", ()):
        if isinstance(below, str) and below[0] != "_":
            yield from sources(below)


@pytest.mark.parametrize("name", NETS)
def test_a_net_is_made_again_from_its_schema(name):
    schema = tools.schema("model", name)
    config = {"_target_": next(sources(name)), "_partial_": True} | defaults(schema)
    assert build(config, path="model").keywords == defaults(schema)


def test_a_wrong_type_is_told_by_the_schema():
    kinds = tools.schema("model", "lstm")["parameters"]["properties"]
    assert kinds["hidden"] == {"type": "integer", "default": 64}
    assert kinds["dropout"]["description"] == "between layers"
    assert tools.of_type(typing.Literal["a", 2]) == {"enum": ["a", 2]}
    assert tools.of_type(list[int] | None) == {
        "anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "null"}]
    }
    assert tools.of_type(dict[str, float]) == {
        "type": "object",
        "additionalProperties": {"type": "number"},
    }


@pytest.mark.parametrize("intent", [i for i in INTENTS if tools.ASKED[i][0] in tools.COMMANDS])
def test_an_intent_is_described_by_its_command(intent):
    command, groups = tools.ASKED[intent]
    text = tools.of_intent(intent).text
    assert tools.COMMANDS[command] in text
    known = options.groups()
    assert all(f"={name} " in text for group in groups for name in known.get(group, ()))


def test_a_card_repeats_the_comments_of_its_file():
    card = tools.of_choice("model", "arima")
    assert card.name == "model=arima" and "Box & Jenkins" in card.reference
    assert "model.steps of the optimiser" in card.text.splitlines()
