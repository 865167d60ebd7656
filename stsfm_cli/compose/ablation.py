"""A sweep over the weights of a loss is also run without each of its terms.

Of loss.weights.physics=0.01,0.1,1 nobody learns whether physics helps: that takes the weight 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stsfm.compose.door import parse
from stsfm.identity import nets
from stsfm.mistakes import Mistake

WEIGHTS = "loss.weights."
AUTO = "auto"


def asked(config: Mapping[str, Any], line: Iterable[str]) -> bool:
    """Whether a job shall also be run without its terms; `line` is what was typed of all jobs."""
    wanted = config["ablate"]
    if wanted not in (AUTO, True, False):
        raise Mistake(f"ablate={wanted}: wanted auto, true or false")
    if wanted is True and config["search"]:
        raise Mistake("ablate=true goes with no search: first search, then ablate what it chose")
    if wanted != AUTO:
        return bool(wanted)
    swept = (parse(text) for text in line)
    return not config["search"] and any(
        key.key_or_group.startswith(WEIGHTS) and key.is_sweep_override() for key in swept
    )


def without_each(config: Mapping[str, Any], texts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The overrides of a job, once for each term of its loss but the task: with the weight 0."""
    loss = config["loss"]
    if not nets(config["model"]):
        return  # it has no loss
    for name in loss["terms"]:
        key = f"{WEIGHTS}{name}"
        if name != "task" and loss["weights"].get(name, 1):
            kept = (text for text in texts if parse(text).key_or_group != key)
            yield (*kept, f"++{key}=0")
