"""A composed loss by rule: of every term there is, those that a model and its data can provide for.

    presets ─ composed with the job ─ built ─ trained for an epoch on a few windows ─► admissible,
    or the reason why not, in the words of whoever refused
        └─ a misfit, or a penalty that holds soft layers ─► proposed

A misfit brings in what the task does not know: what a code has to keep, an equation, a teacher. A
penalty is a wish of its author: it is offered, and joins only where the model asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from stsfm import compose, options
from stsfm.admission import admit
from stsfm.build import build_model
from stsfm.identity import nets
from stsfm.job import cut
from stsfm.mistakes import Mistake
from stsfm.request import split_folders
from stsfm.trust import locate

GROUP = "loss/term"
WINDOWS = 32  # that a term is tried on
FEW = 2  # terms beside the task, of more of which the weights are adapted
BRIEF = ["trainer.epochs=1", "trainer.patience=null", "hardware=cpu", "loggers=[]"]


@dataclass(frozen=True)
class Offer:
    """What is known of a preset term for one model and one dataset."""

    name: str
    about: str
    refused: str = ""  # why it is not admissible
    kind: str = ""  # misfit | penalty | density
    size: float | None = None  # before its weight, in the epoch that it was tried
    asked: bool = False  # by the soft layers of the model

    @property
    def proposed(self) -> bool:
        return not self.refused and (self.asked or self.kind == "misfit")


@dataclass(frozen=True)
class Suggestion:
    """Every offer, and the words that make the proposed loss of a job."""

    offers: tuple[Offer, ...]
    words: tuple[str, ...]  # after `stsfm run`
    loss: Mapping[str, Any]  # the config that they compose to

    @property
    def proposed(self) -> list[Offer]:
        return [offer for offer in self.offers if offer.proposed]


def suggest(words: Sequence[str]) -> Suggestion:
    """Try each preset on the one job that `stsfm run WORDS` would be.

    Mistake where its model has no loss, or nothing can be proposed.
    """
    folders, _ = split_folders(list(words))
    known = compose.Known()
    config = compose.config(list(words), known)
    asked = _asked(config)
    held = set(config["loss"]["terms"])
    offers = [
        _tried(name, [*words, *_typed(asked, held)], asked, known, folders)
        for name in options.groups(*folders).get(GROUP, [])
        if name not in held
    ]
    chosen = [offer.name for offer in offers if offer.proposed]
    more = [f"+{GROUP}=[{','.join(chosen)}]"] if chosen else []
    more += ["loss/weighting=relobralo"] if len({*held, *chosen}) > FEW + 1 else []
    whole = compose.config([*words, *more], known)["loss"]
    return Suggestion(tuple(offers), (*words, *more), whole)


def as_yaml(suggestion: Suggestion, weighting: str) -> str:
    """The loss as the file of a choice: conf/loss/NAME.yaml."""
    loss = {key: value for key, value in suggestion.loss.items() if key != "weighting"}
    defaults = {"defaults": [{"weighting": weighting}, "_self_"]}
    return yaml.safe_dump({**defaults, **loss}, sort_keys=False)


def _asked(config: Mapping[str, Any]) -> set[str]:
    """The presets that soft layers ask for. Mistake where there is no net."""
    trees = nets(config["model"])
    if not trees:
        raise Mistake(
            f"{config['choices']['model']} is fitted without a loss; composed losses are of nets, "
            "such as model=superposition"
        )
    classes = [(locate(tree["_target_"], "model"), tree) for tree in trees]
    return {
        preset for of, tree in classes if hasattr(of, "asks") for preset in of.asks(tree).values()
    }


def _typed(names: set[str], held: set[str]) -> list[str]:
    missing = sorted(names - held)
    return [f"+{GROUP}=[{','.join(missing)}]"] if missing else []


def _tried(
    name: str, words: Sequence[str], asked: set[str], known: Any, folders: Sequence[Path]
) -> Offer:
    """Train with the term for an epoch on a few windows: what it comes to, or why it can't."""
    about = options.about(options.file_of(GROUP, name, *folders))
    rows: list[Mapping[str, float]] = []
    try:
        config = compose.config([*_with(words, name), *BRIEF], known)
        split = cut(config)
        admit(config, split)
        model = build_model(config["model"], rows.append, {**split.rules, "calibration": 0})
        few = [windows.subset(slice(0, WINDOWS)) for windows in (split.train, split.val)]
        model.fit(*few)
    except (Mistake, ValueError, ArithmeticError) as error:
        return Offer(name, about, refused=str(error).removeprefix("loss: "))
    term = locate(config["loss"]["terms"][name]["_target_"], "loss")
    size = rows[-1].get(f"train_{name}") if rows else None
    return Offer(name, about, kind=term.kind, size=size, asked=name in asked)


def _with(words: Sequence[str], name: str) -> list[str]:
    """The words with one more preset: a group is chosen once."""
    taken = [word for word in words if word.lstrip("+").startswith(f"{GROUP}=")]
    names = [n for word in taken for n in word.partition("=")[2].strip("[]").split(",")]
    rest = [word for word in words if word not in taken]
    return [*rest, f"+{GROUP}=[{','.join(dict.fromkeys([*names, name]))}]"]
