"""Models that a job is put beside: their part of a config alone, as it would stand in the job's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from stsfm import options
from stsfm.compose import door
from stsfm.mistakes import no_such


def models(
    wanted: Iterable[str], config: Mapping[str, Any], *folders: Path
) -> dict[str, dict[str, Any]]:
    """The resolved subtrees of several models, with the seed, loss … of a composed config."""
    found = {}
    for name, tree in _trees(tuple(dict.fromkeys(wanted)), folders).items():
        found[name] = door.in_context(tree, "model", config) if "${" in str(tree) else tree
    return found


@cache
def _trees(wanted: tuple[str, ...], folders: tuple[Path, ...]) -> dict[str, dict[str, Any]]:
    """The subtrees of models, not resolved."""
    known = options.groups(*folders)["model"]
    for name in wanted:
        if name not in known:
            raise no_such("model", name, known)
    defaults = ["_self_", *({f"model@{name}": name} for name in wanted)]
    path = [f"hydra.searchpath=['file://{folder}']" for folder in folders]
    with door.explained(), door.session():
        found = door.trees("_models", defaults, path)
    return {
        name: {key: value for key, value in tree.items() if key != "space"}
        for name, tree in found.items()
    }
