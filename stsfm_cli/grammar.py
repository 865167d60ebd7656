"""A composed loss by rule: of every term there is, those that a model and its data can provide for.

    presets ─ composed with the job ─ built ─ trained for an epoch on a few windows ─► admissible,
    or the reason why not, in the words of whoever refused
        └─ a misfit, or a penalty that holds soft layers ─► proposed

A misfit brings in what the task does not know: what a code has to keep, an equation, a teacher. A
penalty is a wish of its author: it is offered, and joins only where the model asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import yaml

from stsfm import compose, options
from stsfm.admission import admit
from stsfm.build import build_model
from stsfm.identity import nets
from stsfm.job import cut
from stsfm.mistakes import Mistake
from stsfm.request import split_folders
from stsfm.trust import locate

if TYPE_CHECKING:
    from stsfm.datasets.split import Split

GROUP = "loss/term"
WINDOWS = 32  # that a term is tried on
FEW = 2  # terms beside the task, of more of which the weights are adapted
ADAPTED = ["loss/weighting=relobralo"]
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

    Mistake where its model has no loss.
    """
    folders, _ = split_folders(list(words))
    known = compose.Known()
    config = compose.config([*words, *BRIEF], known)
    asked, held = _asked(config), config["loss"]["terms"]
    names = [name for name in options.groups(*folders).get(GROUP, []) if name not in held]
    every = compose.config([*words, *_added(names)], known)["loss"]
    split = cut(config)
    offers = []
    for name in names:
        about = options.about(options.file_of(GROUP, name, *folders))
        loss = _cut_down(every, {*held, *asked, name})
        offers.append(_tried(Offer(name, about, asked=name in asked), config, loss, split))
    chosen = [offer.name for offer in offers if offer.proposed]
    more = [*_added(chosen), *ADAPTED * (len({*held, *chosen}) > FEW + 1)]
    loss = compose.config([*words, *more], known)["loss"]
    return Suggestion(tuple(offers), (*words, *more), loss)


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


def _added(names: Sequence[str]) -> list[str]:
    return [f"+{GROUP}=[{','.join(names)}]"] if names else []


def _cut_down(loss: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    """A loss of some of its terms; that of a preset bears its name."""
    parts = {part: {k: v for k, v in loss[part].items() if k in names}
             for part in ("terms", "weights")}  # fmt: skip
    return {**loss, **parts}


def _tried(offer: Offer, config: Mapping[str, Any], loss: Mapping[str, Any], split: Split) -> Offer:
    """Train by a loss for an epoch on a few windows: what the term comes to, or why it can't."""
    rows: list[Mapping[str, float]] = []
    config = {**config, "model": _priced(config["model"], loss)}
    try:
        admit(config, split)
        model = build_model(config["model"], rows.append, {**split.rules, "calibration": 0})
        model.fit(*(part.subset(slice(0, WINDOWS)) for part in (split.train, split.val)))
    except (Mistake, ValueError, ArithmeticError) as error:
        return replace(offer, refused=str(error).removeprefix("loss: "))
    term: Any = locate(loss["terms"][offer.name]["_target_"], "loss")
    size = rows[-1].get(f"train_{offer.name}") if rows else None
    return replace(offer, kind=term.kind, size=size)


def _priced(tree: Mapping[str, Any], loss: Mapping[str, Any]) -> dict[str, Any]:
    """The config of a model, each net in it with this loss."""
    inner = {k: _priced(v, loss) if isinstance(v, Mapping) else v for k, v in tree.items()}
    return inner | ({"loss": loss} if "trainer" in tree else {})
