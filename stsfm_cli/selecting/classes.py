"""Classes of models: what each says of itself in `classes`, read without importing any.

A model that is composed of parts is of the classes of all of them. One that names none is a member
of `all` alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from stsfm import options
from stsfm.mistakes import no_such

ALL = "all"
ABOUT = {  # a model may name others, too
    "direct": "one map from the past to every step of the future, or from the calendar alone",
    "recurrent": "a net whose state reads the past row by row",
    "attention": "a net whose rows, patches or nodes attend to each other",
    "state-space": "a state that goes on by itself, and of which the series is a view",
    "metric": "distances between states decide: neighbours, manifolds",
    "nonparametric": "it remembers what it learned from, and grows with it",
    "graph": "it reads the graph of the nodes",
    "physics": "a law of motion, learned or given",
    ALL: "every model that there is",
}


def classes(model: str, *folders: Path) -> frozenset[str]:
    """The classes of a model of conf/model or of the folders of --config-dir; all is in none."""
    made = options.made_by("model", model, *folders)
    return frozenset().union(*(target.classes for target in made))


def every(*folders: Path) -> dict[str, list[str]]:
    """Class → its models; `all` comes last."""
    models = options.groups(*folders)["model"]
    of = {model: classes(model, *folders) for model in models}
    words = [word for word in ABOUT if word != ALL]
    words = [*words, *sorted(frozenset().union(*of.values()) - set(words))]
    found = {word: [model for model in models if word in of[model]] for word in words}
    return {**found, ALL: models}


def members(word: str, *folders: Path) -> list[str]:
    """The models of a class, or the model of that name. Mistake where there is neither."""
    known = every(*folders)
    if word in known:
        return known[word]
    if word in known[ALL]:
        return [word]
    raise no_such("class or model", word, [*known, *known[ALL]])


def chosen(words: Iterable[str], *folders: Path) -> list[str]:
    """The models of several classes and names, each once."""
    return list(dict.fromkeys(model for word in words for model in members(word, *folders)))
