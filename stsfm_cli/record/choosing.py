"""Kept runs chosen by their facts: key=value words, and the runs that match them all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import yaml

from stsfm.mistakes import Mistake, did_you_mean
from stsfm.record import Record

Kept = TypeVar("Kept", bound=Record)


def filters(args: Iterable[str], command: str) -> dict[str, list[str]]:
    """key=a,b → {key: [a, b]}."""
    found = {}
    for arg in args:
        key, equals, values = arg.partition("=")
        if not equals or not values:
            raise Mistake(f"wanted key=value, got {arg!r}, as in: stsfm {command} model=lstm,gru")
        found[key] = values.split(",")
    if "data" in found:  # a file as it was typed for the run: data/my.csv is kept as my
        found["data"] = [_kept_as(name) for name in found["data"]]
    return found


def _kept_as(name: str) -> str:
    if "." not in name and "/" not in name:
        return name
    from stsfm.datasets.tabular import stem

    return stem(name)


def select(found: Iterable[Kept], wanted: dict[str, list[str]]) -> list[Kept]:
    """The records whose facts match every filter. Mistake where no run knows a key."""
    found = list(found)
    if not wanted:
        return found
    quick = all(key in NAMES for key in wanted)  # told by the status: no config need be read
    told = [names(record) if quick else facts(record) for record in found]
    known = {key for fact in told for key in fact}
    for key in wanted:
        if told and key not in known:
            raise Mistake(f"no run has a key {key!r}.{did_you_mean(key, known)}")
    return [
        record
        for record, fact in zip(found, told, strict=True)
        if all(_among(fact.get(key), values) for key, values in wanted.items())
    ]


def apart(found: Iterable[Kept], wanted: Mapping[str, list[str]]) -> tuple[list[Kept], list[Kept]]:
    """Runs on all rows of their data, and those that end before (protocol.until), as in the races
    of selections: tasks of their own, which none asks for who names no protocol."""
    found = list(found)
    if any(key.partition(".")[0] == "protocol" for key in wanted):
        return found, []
    early = ["until" in run.status.get("rules", {}) for run in found]
    whole = [run for run, before in zip(found, early, strict=True) if not before]
    return whole, [run for run, before in zip(found, early, strict=True) if before]


def _among(fact: Any, values: list[str]) -> bool:
    """Is a fact one of the values as they were typed: 0.01 or 1e-2, false or False?"""
    return str(fact) in values or fact in [yaml.safe_load(value) for value in values]


NAMES = ("model", "data", "state", "protocol")


def names(record: Record) -> dict[str, Any]:
    """What a run is called by, and what became of it."""
    status = record.status
    data, model = record.folder.parts[-3:-1]
    state = {"state": record.state, "protocol": status.get("fingerprint")}
    return {"model": status.get("model", model), "data": status.get("data", data)} | state


def facts(record: Record) -> dict[str, Any]:
    """What a run can be filtered by: choices, fingerprint, state, every key of its config."""
    config = record.config
    keys = flatten({k: v for k, v in config.items() if k != "choices"})
    return keys | (config.get("choices") or {}) | names(record)


def keys_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """What a configuration of a model is made of: its keys and the choices of groups, dotted.

    And whose graph it may read: data.space leaves the task as it is.
    """
    model = config.get("model", {})
    space = {k: v for k, v in config.get("data", {}).items() if k == "space"}
    choices = {k: v for k, v in (config.get("choices") or {}).items() if _is_in(model, k)}
    return flatten({"choices": choices, "model": model, "data": space}, drop=("seed", "_target_"))


def _is_in(model: Mapping[str, Any], group: str) -> bool:
    """Whether it is of a model: its loss; or a part, as model/embedding and loss/weighting are."""
    if "/" not in group:
        return group in model
    tree: Any = model
    for name in group.removeprefix("model/").split("/"):
        tree = tree.get(name) if isinstance(tree, Mapping) else None
    return isinstance(tree, Mapping)


def level(keys: Mapping[str, Any], factor: str) -> Any:
    """The value of a key as it is typed: loss, model.hidden, trainer.lr; None without one."""
    for name in (f"choices.{factor}", factor, f"model.{factor}"):
        if name in keys:
            return keys[name]
    return None


def flatten(tree: dict[str, Any], prefix: str = "", drop: tuple[str, ...] = ()) -> dict[str, Any]:
    """Nested keys → dotted keys."""
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        if name in drop:
            continue
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{name}.", drop)
        else:
            flat[f"{prefix}{name}"] = value
    return flat
