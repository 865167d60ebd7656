"""What may be overridden: choices that exist, and keys that are there.

Hydra lets +model.lrr=1 add a key, ~model take one away and model=_net choose a building block; and
of model=[a,b] it silently takes b. All of these are mistakes here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Protocol

from stsfm import options
from stsfm.mistakes import Mistake, did_you_mean, no_such, said

OPEN = (  # where +key=value adds a key
    "loss.terms", "loss.weights", "loss.weighting.ramps", "trainer.optimizer",
)  # fmt: skip

NO_SEARCH = "search=[]"  # search=null in Hydra's words: also of an experiment that searches

READINGS = {  # of a word that stands for several things: what it may mean → the choices
    "ssm": {
        "a spectral submanifold": ("spectral_submanifold",),
        "a state-space model": ("kalman", "hippo_linear", "s4", "s4d", "s5"),
    },
}


class Override(Protocol):
    """What is used of Hydra's own."""

    key_or_group: str
    package: str | None
    input_line: str | None

    def value(self) -> Any: ...
    def is_add(self) -> bool: ...
    def is_delete(self) -> bool: ...
    def is_force_add(self) -> bool: ...
    def is_hydra_override(self) -> bool: ...
    def is_interval_sweep(self) -> bool: ...
    def is_sweep_override(self) -> bool: ...
    def sweep_string_iterator(self) -> Iterator[str]: ...
    def get_key_element(self) -> str: ...
    def get_value_element_as_str(self) -> str: ...


def allowed(override: Override, groups: dict[str, list[str]]) -> str:
    """Choices must exist; keys are fixed by what they configure, so a + means little."""
    key, text = override.key_or_group, str(override.input_line)
    if override.is_hydra_override():
        if os.environ.get("LOCAL_RANK", "0") != "0":
            return ""  # Lightning adds some where it starts the other ranks; none is needed
        raise Mistake(f"{text}: how Hydra runs is settled; results are kept under runs_dir=FOLDER")
    if override.is_delete():
        raise Mistake(f"{text}: keys and groups cannot be taken out, only given another value")
    if override.is_interval_sweep():
        raise Mistake(
            f"{text}: an interval is no list of values: {key}=0.1,0.2 or {key}=range(1,9)"
        )
    if override.package is not None:
        hint = said([key]) if key in groups else did_you_mean(key, groups)
        raise Mistake(f"unknown group '{key}@{override.package}'.{hint}")
    if key.partition(".")[0] == "sweep":
        raise Mistake(f"{text}: sweep is a key of experiments; here it is model=a,b or seeds=5")
    if key in groups or key in options.defaults():
        return _choice(override, groups.get(key, []))
    if "/" in key:
        raise no_such("group", key, groups)
    if key.startswith("model.space."):
        raise Mistake(f"{text}: what is searched over is set by {text.removeprefix('model.')}")
    if key.startswith("space."):
        return "++" + text.lstrip("+")
    adds = override.is_add() or override.is_force_add()
    opens = any(key.startswith(f"{path}.") for path in OPEN)
    return ("++" if adds and opens else "") + text.lstrip("+")


def _choice(override: Override, known: list[str]) -> str:
    group, text = override.key_or_group, str(override.input_line).lstrip("+")
    default = options.defaults().get(group, "[]")
    if hasattr(glob := override.value(), "include"):
        matches = glob.filter(known)  # Hydra would also take the names with a _
        if not matches:
            raise no_such(group, ",".join(glob.include), known)
        return f"{group}={','.join(matches)}"
    if default == text.partition("=")[2] == "null":
        return NO_SEARCH if group == "search" else ""  # Hydra refuses to say null again
    if default != "[]" and any(value[:1] == "[" for value in values(override)):
        raise Mistake(f"{text}: one {group} at a time; several are compared by {group}=a,b")
    for name in names(override):
        if name in READINGS and name not in known:
            raise _ambiguous(group, name, known)
        if name not in known:
            raise no_such(group, name, known)
    if group in options.borrowed():  # as Hydra has it: of that group, at this place
        return text.replace(group, f"{options.borrowed()[group]}@{group.replace('/', '.')}", 1)
    return text if group in {*options.defaults(), *options.parts()} else f"+{text}"


def _ambiguous(group: str, name: str, known: list[str]) -> Mistake:
    """model=ssm is ambiguous: a spectral submanifold is model=spectral_submanifold, …"""
    read = {what: [n for n in names if n in known] for what, names in READINGS[name].items()}
    told = "; ".join(f"{what} is {group}={' | '.join(names)}" for what, names in read.items())
    return Mistake(f"{group}={name} is ambiguous: {told}")


def each(override: Override) -> list[str]:
    """key=a,b → key=a and key=b."""
    return [f"{override.get_key_element()}={value}" for value in values(override)]


def as_typed(override: Override) -> list[str]:
    """An override as it was typed, or one per value of a sweep."""
    return each(override) if override.is_sweep_override() else [str(override.input_line)]


def values(override: Override) -> list[str]:
    if override.is_sweep_override():
        return list(override.sweep_string_iterator())
    return [override.get_value_element_as_str()]


def names(override: Override) -> list[str]:
    """The choices in the values; [a,b] is two of them."""
    return [
        name.strip("'\" ") for value in values(override) for name in value.strip("[]").split(",")
    ]
