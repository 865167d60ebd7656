"""Tool cards: what each thing that may be asked for says about itself, in words and as a schema.

    constructor signature + comments of its YAML file + docstring → card, JSON schema
    docstring of a command + cards of its choices                 → card of an intent

Nothing is described twice: a card is read from what runs. Words need no import of what they
describe; types do, so a schema imports its target.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from stsfm import options, targets
from stsfm.__main__ import COMMANDS
from stsfm.asking.spec import Intent

KINDS = {int: "integer", float: "number", str: "string", bool: "boolean", type(None): "null"}
ASKED: dict[Intent, tuple[str, tuple[str, ...]]] = {  # intent → its command; what that chooses from
    "changepoints": ("detect", ("detector",)),
    "forecast": ("run", ("model",)),
    "select": ("select", ("given",)),
    "compare": ("compare", ()),
    "explain": ("report", ()),
    "causes": ("analyse", ("analysis",)),
    "embed": ("analyse", ("model/embedding",)),
    "list": ("list", ()),
}


@dataclass(frozen=True)
class Card:
    """A tool: its name as it is typed, what it does, and what may be set."""

    name: str  # model=lstm, or an intent
    says: str
    keys: tuple[options.Key, ...] = ()
    reference: str = ""

    @property
    def text(self) -> str:
        """All its words, one line each."""
        lines = [self.name, self.says, *(f"{key.name} {key.comment}" for key in self.keys)]
        return "\n".join(filter(None, [*lines, self.reference]))


def of_choice(group: str, name: str, *folders: Path) -> Card:
    """The card of a choice, such as model=lstm."""
    file = options.file_of(group, name, *folders)
    target = options.target_of(file)
    return Card(
        f"{group.rpartition('/')[2]}={name}",
        options.about(file),
        tuple(options.keys(file, group)),
        target.reference if target else "",
    )


@cache
def of_intent(intent: Intent) -> Card:
    """The card of an intent: the words of its command, and of the choices that it has."""
    command, groups = ASKED[intent]
    known = options.groups()
    cards = [of_choice(group, name) for group in groups for name in known.get(group, ())]
    told = [COMMANDS.get(command, ""), targets.docstring(f"stsfm.commands.{command}")]
    return Card(intent, "\n".join([*told, *(f"{card.name} {card.says}" for card in cards)]))


def schema(group: str, name: str, *folders: Path) -> dict[str, Any]:
    """A choice as a function that may be called: the JSON schema of its own keys.

    Types are those of the constructor's keyword-only parameters; defaults and words those of the
    YAML file. What comes from elsewhere in the config, such as the seed, has no default here.
    """
    from stsfm.trust import locate

    file = options.file_of(group, name, *folders)
    config = _yaml(file)
    target = locate(config["_target_"], group)
    hints = typing.get_type_hints(target.__init__ if inspect.isclass(target) else target)
    own = {key.name.rpartition(".")[2]: key for key in options.keys(file, group)}
    listed = [p for p in inspect.signature(target).parameters.values() if p.kind is p.KEYWORD_ONLY]
    found = {p.name: of_type(hints.get(p.name, Any)) for p in listed}
    for key in found:
        if key in own and own[key].comment:
            found[key]["description"] = own[key].comment
        if key in config and not (isinstance(config[key], str) and "${" in config[key]):
            found[key]["default"] = config[key]
    return {
        "name": f"{group.rpartition('/')[2]}={name}",
        "description": options.about(file),
        "parameters": {
            "type": "object",
            "properties": found,
            "required": [p.name for p in listed if "default" not in found[p.name]],
            "additionalProperties": False,
        },
    }


def of_type(hint: Any) -> dict[str, Any]:
    """The JSON schema of an annotation; empty, which admits anything, where JSON has no such type.

    int → integer · Literal["a", 2] → enum · int | None → anyOf · Sequence[int] → array
    """
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint in KINDS:
        return {"type": KINDS[hint]}
    if hint is None:
        return {"type": "null"}
    if origin is typing.Literal:
        return {"enum": list(inner)}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [of_type(one) for one in inner]}
    if origin and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": of_type(inner[1])}
    if origin and issubclass(origin, Sequence):
        return {"type": "array", "items": of_type(inner[0])}
    return {}


def _yaml(file: Path) -> dict[str, Any]:
    """The keys of a file, those of the file it builds on among them."""
    import yaml

    read = yaml.safe_load(file.read_text())
    below = [entry for entry in read.get("defaults", ()) if isinstance(entry, str)]
    merged: dict[str, Any] = {}
    for name in (entry for entry in below if entry != "_self_"):
        merged |= _yaml(file.with_name(f"{name}.yaml"))
    return merged | {key: value for key, value in read.items() if key not in options.UNTYPED}
