"""What was typed after `stsfm select`: its own keys, and the words of a run that say the task."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stsfm.mistakes import Mistake, did_you_mean
from stsfm.request import read

BUDGET = "3m"
OWN = ("among", "budget", "metric", "seeds")
SETTLED = {  # keys of a run that a selection has a say in → what to type in their stead
    "model": "among=… names models, or classes of them",
    "experiment": "an experiment says its models: stsfm run experiment=…",
    "search": "what a search has tuned may take part: among=… of models as they are",
    "score": "the test rows are opened once, for the one that is chosen",
    "seed": "seeds=3 means seeds 1, 2, 3",
    "protocol.folds": "blocks are laid inside the rows before the test border",
    "protocol.fold": "blocks are laid inside the rows before the test border",
    "protocol.until": "blocks are laid inside the rows before the test border",
    "protocol.calibration": "intervals are learned for the one that is chosen",
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request.

    among   classes and models
    metric  an error of losses/metrics.py; "" = MASE, or MAE where that is undefined
    budget  seconds
    seeds   of models that draw random numbers
    given   the words that state a law of the data: given=pendulum, given.pull=3
    task    the other words: data, protocol, trainer, …; those of --config-dir included
    where   those of the others that say where jobs run, and so make no run of their own
    """

    among: tuple[str, ...]
    metric: str
    budget: float
    seeds: tuple[int, ...]
    given: tuple[str, ...]
    task: tuple[str, ...]
    where: tuple[str, ...]
    folders: tuple[Path, ...]
    dry_run: bool


def asked(args: Sequence[str]) -> Asked:
    """Read the words. Mistake where one of them cannot be a selection's."""
    request = read(list(args))
    flags = request.flags
    if request.shows or flags.help or flags.multirun:
        raise Mistake("a selection runs, or tells by --dry-run what it would: stsfm select --help")
    own: dict[str, str] = {}
    task, where, given = list[str](request.kept), list[str](), list[str]()
    for word in flags.overrides:
        key, _, value = word.lstrip("+").partition("=")
        if key in OWN:
            own[key] = value
        elif key in SETTLED:
            raise Mistake(f"{word}: {SETTLED[key]}")
        elif key.startswith("model."):
            raise Mistake(f"{word}: every model takes part by the defaults of its file")
        else:
            into = {"launcher": where, "given": given}
            into.get(key.partition(".")[0], task).append(word)
    from stsfm.launchers.limits import seconds

    return Asked(
        among=tuple(name.strip() for name in own.get("among", "all").strip("[]").split(",")),
        metric=_metric(own.get("metric", "")),
        budget=float(seconds(own.get("budget", BUDGET), "budget") or 0),
        seeds=_seeds(own.get("seeds", "1")),
        given=_law(given),
        task=tuple(task),
        where=tuple(where),
        folders=tuple(request.folders),
        dry_run=flags.dry_run,
    )


def _metric(name: str) -> str:
    from stsfm.losses.metrics import METRIC
    from stsfm.tables.claims import ADDITIVE
    from stsfm.tables.losses import RATIOS

    judged = [m for m in METRIC if METRIC[m].better and ADDITIVE.get(m, m) in RATIOS]
    if name and name not in judged:
        hint = did_you_mean(name, judged)
        raise Mistake(f"metric={name}: no selection is by that.{hint} Wanted {', '.join(judged)}")
    return name


def _law(words: list[str]) -> tuple[str, ...]:
    """The choice first, then its keys. Mistake where keys are given of none."""
    words = sorted((word for word in words if word != "given=null"), key=lambda w: "." in w)
    if words and not words[0].startswith("given="):
        raise Mistake(f"{words[0]} is a key of a law: given=pendulum states one")
    return tuple(words)


def _seeds(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"[1-9]\d*", text):
        raise Mistake(f"seeds={text}: wanted how many, as in seeds=3")
    return tuple(range(1, int(text) + 1))
