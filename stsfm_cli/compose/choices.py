"""What choices compose to, each combination of them once, and the jobs that keys make of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from stsfm import identity, options, trust
from stsfm.compose import door, experiments
from stsfm.compose.door import Chosen, parse
from stsfm.compose.overrides import NO_SEARCH, as_typed
from stsfm.compose.subtrees import FORECASTER, MEMBERS, drawing, forecasting, placed, trees
from stsfm.mistakes import Mistake
from stsfm.request import Request
from stsfm.search import space


class Table:
    """What each combination of choices composes to, composed once."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.groups = options.groups(*request.folders)
        self._chosen: dict[tuple[str, ...], Chosen] = {}

    def choose(self, texts: Iterable[str]) -> Chosen:
        """What the choices among the texts lead to; a file of --config-dir is not trusted."""
        key = tuple(text for text in texts if self.is_choice(text))
        if key not in self._chosen:
            bare = [text for text in key if parse(text).key_or_group not in options.parts()]
            with door.explained(
                lambda: [self.choose(bare).plain()] if len(bare) < len(key) else []
            ):
                chosen = door.choose([*key, *self.request.search_path])
            experiments.check(chosen.hydra)
            if self.request.folders:
                trust.check_settings(chosen.whole(), _own(key))
            self._chosen[key] = chosen
        return self._chosen[key]

    def together(self, models: Iterable[str], texts: Sequence[str]) -> None:
        """Compose at once what several models lead to, in the place of the one among the texts.

        Those of a folder stay for later: a file of one may set more than its model, and is checked.
        """
        key = tuple(text for text in texts if self.is_choice(text))
        (place,) = [k for k, text in enumerate(key) if parse(text).key_or_group == "model"]
        own = tuple(model for model in models if model in options.groups()["model"])
        if own and not any(parse(text).key_or_group in options.parts() for text in key):
            one = self.choose(key)
            for name, (tree, made_of) in trees(own).items():
                there = (*key[:place], f"model={name}", *key[place + 1 :])
                self._chosen.setdefault(there, one.instead(name, tree, made_of))

    def job(self, texts: tuple[str, ...], lines: list[list[str]]) -> dict[str, Any]:
        """The config of one combination; `lines` are all, for what could have been meant."""
        chosen = self.choose(texts)
        typed = [parse(text) for text in texts if not self.is_choice(text)]
        inner = [key for key in typed if key.key_or_group.startswith(MEMBERS)]
        ahead = [key for key in typed if key.key_or_group.startswith(FORECASTER)]
        values = [key for key in typed if key not in (*inner, *ahead)]
        with door.explained(lambda: self.every(lines)):
            config = chosen.resolved(values)
        if NO_SEARCH in texts:
            config["search"] = None  # whatever settings of one an experiment has left there
            config["choices"]["search"] = None
        if not config["runs_dir"].strip():
            raise Mistake("runs_dir= names no folder; runs_dir=runs is the default")
        trust.use(config["plugins"])
        if config["retries"] < 0:
            raise Mistake(f"retries={config['retries']}: wanted 0 or more: how often tried again")
        if config["score"] not in ("all", "val"):
            raise Mistake(f"score={config['score']}: wanted score=all or score=val")
        config["model"] = placed(config, inner, *self.request.folders)
        config["detector"] = forecasting(config, ahead, *self.request.folders)
        if config["analysis"]:
            config["analysis"] = drawing(config["analysis"])
            _spaces(config["analysis"])  # for nothing of an analysis is searched
        own = _spaces(config["model"])
        return {**config, "space": space.merged(own, config["space"])}

    def every(self, lines: list[list[str]]) -> Iterator[dict[str, Any]]:
        """The configs that all choices lead to, without any override of a key."""
        for line in lines:
            choices = [parse(text) for text in line if self.is_choice(text)]
            for texts in itertools.product(*map(as_typed, choices)):
                yield self.choose(texts).plain()

    def is_choice(self, text: str) -> bool:
        key = parse(text).key_or_group
        return key in self.groups or key in options.defaults()


def _spaces(model: dict[str, Any], path: str = "model") -> dict[str, Any]:
    """What may be searched of a model and its parts: for a search to know, for none to be given."""
    own = {
        f"{path}.{key.removeprefix('model.')}" if key.startswith("model.") else key: values
        for key, values in model.pop("space", {}).items()
    }
    inner = [(name, tree) for name, tree in model.items() if name in identity.parts(model)]
    return own | {k: v for name, tree in inner for k, v in _spaces(tree, f"{path}.{name}").items()}


def _own(texts: Iterable[str]) -> dict[str, Any]:
    """What the project alone has settled, where jobs run included."""
    with door.explained():
        return door.choose(text for text in texts if text.startswith("launcher=")).whole()
