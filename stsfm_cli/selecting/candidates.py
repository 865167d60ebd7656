"""Who takes part: a candidate is the words of `stsfm run` that make a model, under a name.

classes and names ─► models ─► composed with the task ─┬─► entries, the cheap ones first
                                                       └─► excluded, each with its reason
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stsfm import compose
from stsfm.identity import nets, parts
from stsfm.mistakes import Mistake
from stsfm.selecting.classes import classes

if TYPE_CHECKING:
    from pathlib import Path

GRAPH = "graph"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A way to forecast: words after `stsfm run`, beside those of the task."""

    name: str  # in tables: the model, and what else tells it from its like
    words: tuple[str, ...]  # model=gru, and the keys that are its own
    twin: str = ""  # the candidate that it is without what was given; "" = it was given nothing

    @property
    def model(self) -> str:
        """The choice of conf/model."""
        named = (word.partition("=") for word in self.words)
        return next(value for key, _, value in named if key == "model")


@dataclass(frozen=True)
class Entry:
    """A candidate with its config; or one that takes no part, and why, in a line."""

    candidate: Candidate
    config: Mapping[str, Any] = field(default_factory=dict)
    excluded: str = ""

    @property
    def draws(self) -> bool:
        """Whether it draws random numbers, so that seeds are of any use."""
        return "seed" in self.config.get("model", {})

    @property
    def cost(self) -> tuple[Any, ...]:
        """What is tried first, lest time be short: what is solved before what is trained."""
        model = self.config.get("model", {})
        return len(nets(model)), len(parts(model)), self.candidate.name


def of_models(models: Iterable[str]) -> list[Candidate]:
    """Each model as it is, by the defaults of its file."""
    return [Candidate(name=model, words=(f"model={model}",)) for model in models]


def entries(
    candidates: Iterable[Candidate],
    task: Sequence[str],
    offered: frozenset[str],
    data: str,
    *folders: Path,
    known: compose.Known,
) -> list[Entry]:
    """Compose each with the words of the task, in the order in which they are tried.

    offered  what the data have: graph, coords, lattice, equation
    """
    made: list[Entry] = []
    seen: dict[str, str] = {}
    for one in candidates:
        try:
            config = compose.config([*task, *one.words], known)
        except Mistake as mistake:
            made.append(Entry(one, excluded=str(mistake)))
            continue
        why = _lacks(one, config, offered, data, *folders)
        other = seen.setdefault(_made(config), one.name)
        if other != one.name:
            why = f"is the same as {other}, which takes part"
        made.append(Entry(one, config, why))
    return sorted(made, key=lambda entry: entry.cost)


def _made(config: Mapping[str, Any]) -> str:
    """What tells a candidate from another: its model, and the law that it was told of."""
    return json.dumps([config["model"], config["given"]], sort_keys=True, default=str)


def _lacks(
    one: Candidate, config: Mapping[str, Any], offered: frozenset[str], data: str, *folders: Path
) -> str:
    """What it cannot do without and the data have not, as far as its classes tell."""
    learned = config["data"].get("space") == "learned"
    if GRAPH in classes(one.model, *folders) and GRAPH not in offered and not learned:
        return f"reads a graph of the nodes, and {data} has none"
    return ""
