"""Who takes part: a candidate is the words of `stsfm run` that make a model, under a name.

classes and names ─► models ─► composed with the task ─┬─► entries, the cheap ones first
                                                       └─► excluded, each with its reason
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from stsfm import compose, options
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


@dataclass(frozen=True, kw_only=True)
class Has:
    """What the data have for candidates."""

    data: str  # their name
    offered: frozenset[str]  # graph, coords, lattice, equation
    rows: int  # to learn from, before the first block
    horizon: int


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
    has: Has,
    *folders: Path,
    known: compose.Known,
) -> list[Entry]:
    """Compose each with the words of the task, in the order in which they are tried.

    Of two that are the same, the one that another file builds on gives way: composed to pca_var.
    """
    made: dict[str, Entry] = {}
    seen: dict[str, Candidate] = {}
    for one in candidates:
        try:
            config = compose.config([*task, *one.words], known)
        except Mistake as mistake:
            made[one.name] = Entry(one, excluded=str(mistake))
            continue
        made[one.name] = Entry(one, config, _lacks(one, config, has, *folders))
        what = _made(config)
        kept = gone = seen.get(what, one)
        if kept is not one:
            named = kept.model in options.builds_on("model", one.model, *folders)
            kept, gone = (one, kept) if named else (kept, one)
            why = f"is the same as {kept.name}, which takes part"
            made[gone.name] = replace(made[gone.name], excluded=why)
        seen[what] = kept
    return sorted(made.values(), key=lambda entry: entry.cost)


def _made(config: Mapping[str, Any]) -> str:
    """What tells a candidate from another: its model, and the law that it was told of."""
    return json.dumps([config["model"], config["given"]], sort_keys=True, default=str)


def _lacks(one: Candidate, config: Mapping[str, Any], has: Has, *folders: Path) -> str:
    """What it cannot do without and the data have not, as far as its classes and keys tell."""
    learned = config["data"].get("space") == "learned"
    if GRAPH in classes(one.model, *folders) and GRAPH not in has.offered and not learned:
        return f"reads a graph of the nodes, and {has.data} has none"
    past = max((net["context"] for net in nets(config["model"]) if "context" in net), default=0)
    if past + has.horizon > has.rows:
        return (
            f"needs {past + has.horizon} rows to learn from ({past} of past, {has.horizon} of "
            f"future), and before the first block there are {has.rows}"
        )
    return ""
