"""What a RunSpec may hold, as a JSON schema: generated, so that nothing is described twice.

Fields, types and words come from the dataclass, names from the choices that there are. Where a name
stands for a file, or for what was kept, a pattern says what it may look like.
"""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, Literal

from stsfm.asking.reading.lexicon import lexicon
from stsfm.asking.reading.names import EMBEDDING, LISTED, METRICS, Names, registry
from stsfm.asking.reading.tokens import ENDINGS
from stsfm.asking.spec import RunSpec

GROUPS = {  # field → the group whose choices it may hold
    "data": "data", "models": "model", "among": "model", "given": "given",
    "detector": "detector", "embedding": EMBEDDING,
}  # fmt: skip
PATTERNS = {  # what may stand there besides a name
    "data": rf"^[\w./~][\w./~-]{{0,200}}\.({'|'.join(ENDINGS)})(\.gz)?$",
    "run": r"^[\w./][\w./+-]{0,300}$",
}
MOST = {"horizon": 10_000, "seeds": 100, "budget": 7 * 24 * 3600}  # of whole numbers
SEVERAL = 60  # names in a list
SHOWN = 60  # characters of a wrong value
TYPES = {type(None): "null", str: "string", int: "integer", list: "array", dict: "object"}


def schema(names: Names | None = None) -> dict[str, Any]:
    """The JSON schema of a RunSpec, of the choices that there are.

    All fields are required and no others are allowed: what is not said is null, or an empty list.
    """
    known, hints, told = _names(names or registry()), typing.get_type_hints(RunSpec), _told()
    listed = [field.name for field in fields(RunSpec)]
    return {
        "type": "object",
        "properties": {
            name: ({"description": told[name]} if name in told else {})
            | _property(name, hints[name], known.get(name, ()))
            for name in listed
        },
        "required": listed,
        "additionalProperties": False,
    }


def problems(value: Any, wanted: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """What keeps a value from fitting a schema, a line each; of the keywords that `schema` uses."""
    kind = TYPES.get(type(value), "")
    mine = [one for one in wanted.get("anyOf", [wanted]) if one["type"] == kind]
    if kind == "object" and mine:
        listed = mine[0]["properties"]
        yield from (f"{name} is missing" for name in mine[0]["required"] if name not in value)
        yield from (f"{_short(name)} is no field" for name in value if name not in listed)
        for name in (name for name in listed if name in value):
            yield from problems(value[name], listed[name], name)
    elif kind == "array" and mine:
        if len(value) > mine[0]["maxItems"] or len(set(map(str, value))) < len(value):
            yield f"{at}: wanted at most {mine[0]['maxItems']} names, each once"
        for one in value[: mine[0]["maxItems"]]:
            yield from problems(one, mine[0]["items"], at)
    elif not any(_fits(value, one) for one in mine):
        meant = " or ".join(map(_meant, wanted.get("anyOf", [wanted])))
        yield f"{at or 'the answer'}: wanted {meant}, got {_short(value)}"


def _names(names: Names) -> dict[str, tuple[str, ...]]:
    """Field → the names that it may hold, of the fields that hold names."""
    found = {field: tuple(names.of(group)) for field, group in GROUPS.items()}
    classes = tuple(lexicon().raw["classes"])
    return found | {
        "models": (*found["models"], *found["detector"]), "among": (*classes, *found["among"]),
        "group": LISTED, "metric": METRICS,
    }  # fmt: skip


def _fits(value: Any, wanted: Mapping[str, Any]) -> bool:
    """Whether a word, a number or null is what one kind of them may be."""
    if "enum" in wanted:
        return value in wanted["enum"]
    if "pattern" in wanted:
        return bool(re.fullmatch(wanted["pattern"], value)) and ".." not in value
    return value is None or wanted["minimum"] <= value <= wanted["maximum"]


def _meant(wanted: Mapping[str, Any]) -> str:
    """What a kind may be, in words."""
    if "enum" in wanted:
        return f"one of {', '.join(wanted['enum'])}"
    if "pattern" in wanted:
        return "a path"
    if "minimum" in wanted:
        return f"a whole number of {wanted['minimum']} … {wanted['maximum']}"
    return {"array": "a list", "object": "an object"}.get(wanted["type"], "null")


def _short(value: Any) -> str:
    """A value as a line can hold it."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _property(name: str, hint: Any, known: Sequence[str]) -> dict[str, Any]:
    """The schema of a field, from its annotation and the names that it may hold."""
    inner = typing.get_args(hint)
    if typing.get_origin(hint) is Literal:
        return {"type": "string", "enum": list(inner)}
    if typing.get_origin(hint) is tuple:
        items = {"type": "string", "enum": list(known)}
        return {"type": "array", "items": items, "maxItems": SEVERAL}
    found: list[dict[str, Any]] = [{"type": "string", "enum": list(known)}] if known else []
    if name in PATTERNS:
        found.append({"type": "string", "pattern": PATTERNS[name]})
    if int in inner:
        found.append({"type": "integer", "minimum": 1, "maximum": MOST[name]})
    return {"anyOf": [*found, {"type": "null"}]}


def _told() -> dict[str, str]:
    """Field → what the docstring of RunSpec says of it."""
    return dict(re.findall(r"^ *(\w+) {2,}(\S.*)$", RunSpec.__doc__ or "", re.MULTILINE))
