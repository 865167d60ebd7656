"""What a prompt asks for: a typed spec, which is one command that anyone could have typed.

    prompt → RunSpec → command → runs → report

A spec holds names and numbers only. Nothing of a prompt reaches a command but through the fields
below, each of which is one of the choices that there are, a number, or the path of a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Intent = Literal[
    "changepoints", "forecast", "select", "compare", "explain", "causes", "embed", "list"
]
INTENTS: tuple[Intent, ...] = get_args(Intent)
TRAINING: tuple[Intent, ...] = ("forecast", "select", "compare")  # models, which takes time


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """One request. What it does not say is None, or ().

    data       a choice of conf/data, or the path of a file
    models     of forecast one at most, of compare two or more, or as many detectors
    among      of select: classes of models, or models
    given      of select: a mathematical model, a choice of conf/given
    detector   of changepoints: a choice of conf/detector
    embedding  of embed: a choice of conf/model/embedding
    group      of list: what is listed
    run        of explain: a folder, an id, or "last"
    horizon    steps ahead
    metric     the score that decides
    seeds      how many
    budget     seconds
    """

    intent: Intent
    data: str | None = None
    models: tuple[str, ...] = ()
    among: tuple[str, ...] = ()
    given: str | None = None
    detector: str | None = None
    embedding: str | None = None
    group: str | None = None
    run: str | None = None
    horizon: int | None = None
    metric: str | None = None
    seeds: int | None = None
    budget: int | None = None
