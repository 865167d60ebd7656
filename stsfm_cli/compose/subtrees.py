"""Models that a job is put beside, or that its ensemble has as members: their part of a config
alone, as it would stand in the job's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from stsfm import options
from stsfm.compose import door
from stsfm.compose.overrides import Override
from stsfm.identity import parts
from stsfm.mistakes import Mistake, did_you_mean, no_such

MEMBERS = "model.members."
FORECASTER = "detector.forecaster."
Choices = Mapping[str, str]  # of parts: model/embedding → pca


def models(
    wanted: Iterable[str], config: Mapping[str, Any], *folders: Path
) -> dict[str, dict[str, Any]]:
    """The resolved subtrees of several models, with the seed, loss … of a composed config."""
    found = {}
    for name, (tree, _) in trees(tuple(dict.fromkeys(wanted)), *folders).items():
        bare = {key: value for key, value in tree.items() if key != "space"}
        found[name] = door.in_context(bare, "model", config) if "${" in str(bare) else bare
    return found


@cache
def trees(wanted: tuple[str, ...], *folders: Path) -> dict[str, tuple[dict[str, Any], Choices]]:
    """The subtrees of models, not resolved, and the choices of their parts; composed at once."""
    known = options.groups(*folders)["model"]
    for name in wanted:
        if name not in known:
            raise no_such("model", name, known)
    defaults = ["_self_", *({f"model@{name}": name} for name in wanted)]
    path = [f"hydra.searchpath=['file://{folder}']" for folder in folders]
    with door.explained(), door.session():
        found = door.trees("_models", defaults, path)
    return {
        name: (
            found[name],
            {
                f"model/{part.removeprefix(f'{name}/')}": choice
                for part, choice in found["choices"].items()
                if part.startswith(f"{name}/")
            },
        )
        for name in wanted
    }


def parts_of(group: str, config: Mapping[str, Any], *folders: Path) -> dict[str, dict[str, Any]]:
    """Every choice of every part of a group, resolved: embedding → pca → its subtree."""
    known = options.groups(*folders)
    named = {name.rpartition("/")[2]: known[name] for name in options.parts() if name in known
             and name.startswith(f"{group}/")}  # fmt: skip
    listed = [{f"{group}/{part}@{part}.{name}": name} for part in named for name in named[part]]
    path = [f"hydra.searchpath=['file://{folder}']" for folder in folders]
    with door.explained(), door.session():
        found = door.trees("_parts", ["_self_", *listed], path)
    return {
        part: {
            name: {
                key: value
                for key, value in door.in_context(found[part][name], group, config).items()
                if key != "space"
            }
            for name in named[part]
        }
        for part in named
    }


def placed(config: Mapping[str, Any], keys: Iterable[Override], *folders: Path) -> dict[str, Any]:
    """The model of a config; of an ensemble, which names its members, with these in place.

    keys  model.members.gru.hidden=32: what is typed of them. A seed of the members is its seed
    """
    model, names = dict(config["model"]), config["model"].get("members")
    if isinstance(names, list):
        if len(set(names)) < len(names):
            raise Mistake(f"model.members={names} names a model twice")
        trees = deepcopy(models(sorted(names), config, *folders))
        if nested := [name for name, tree in trees.items() if "members" in tree]:
            raise Mistake(f"model.members: {nested[0]} has members itself, and cannot be one")
        model["members"] = trees
    for key in keys:
        _set(model, key)
    return drawing(model)


def forecasting(
    config: Mapping[str, Any], keys: Iterable[Override], *folders: Path
) -> dict[str, Any] | None:
    """The detector of a config; of one that names a forecaster, with this in place.

    keys  detector.forecaster.lags=4: what is typed of it
    """
    detector: dict[str, Any] | None = config["detector"]
    name = (detector or {}).get("forecaster")
    made = detector
    if detector and name:
        made = {**detector, "forecaster": deepcopy(models([name], config, *folders)[name])}
    for key in keys:
        if made is detector or made is None:
            raise Mistake(f"unknown key '{key.key_or_group}': this detector has no forecaster")
        _set(made, key)
    return made


def drawing(made: Mapping[str, Any]) -> dict[str, Any]:
    """The subtree of what is made of parts, with their seed: as these draw, so does it."""
    seeds = [tree["seed"] for tree in parts(made).values() if "seed" in tree]
    return {**made, "seed": seeds[0]} if seeds else dict(made)


def _set(model: dict[str, Any], override: Override) -> None:
    """Give a key of a member another value."""
    key, *path = override.key_or_group.split(".")
    tree: Any = model
    for depth, name in enumerate(path):
        known = tree if isinstance(tree, Mapping) else {}
        if name not in known or name == "seed":
            parent = ".".join([key, *path[:depth]])
            hint = did_you_mean(name, known)
            raise Mistake(f"unknown key '{override.key_or_group}': {parent} has no {name}.{hint}")
        if depth < len(path) - 1:
            tree = tree[name]
    if isinstance(tree[path[-1]], Mapping):
        raise Mistake(f"{override.input_line}: a value is given to one of its keys")
    tree[path[-1]] = override.value()
