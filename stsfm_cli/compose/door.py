"""Hydra stays at the door: no other module imports it, or OmegaConf.

What choices lead to is composed by Hydra, 80 ms each. Values of keys are set on a copy of that, as
Hydra sets them, 4 ms each: so 300 jobs that differ in seeds and sizes are composed in a second.
"""

from __future__ import annotations

import contextlib
import copy
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn, cast

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException, HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException
from omegaconf.resolvers import oc
from yaml import YAMLError

from stsfm import options
from stsfm.compose import explain
from stsfm.compose.overrides import OPEN
from stsfm.conf.schema import Config
from stsfm.mistakes import Mistake

FOLDER = str(options.FOLDER)
VERSION = "1.3"  # whose behaviour Hydra shall keep
Candidates = Callable[[], Iterable[Mapping[str, Any]]]

ConfigStore.instance().store("schema", Config)


@dataclass(frozen=True)
class Chosen:
    """What one combination of choices composes to, before any key is given another value."""

    tree: DictConfig  # without Hydra's own node
    hydra: Mapping[str, Any]  # that node: plain, not resolved
    choices: Mapping[str, Any]  # group → name

    def plain(self) -> dict[str, Any]:
        """Not resolved, for its keys: what is swept is no key of a job."""
        return {**_plain(self.tree), "choices": self.choices}

    def whole(self) -> dict[str, Any]:
        """Not resolved, with all that a file has set."""
        return {**_plain(self.tree, sweep=True), "hydra": self.hydra}

    @property
    def sweeps(self) -> list[Any]:
        """What a file sweeps: one table of values, or several, one after the other."""
        found = _plain(self.tree, sweep=True)["sweep"]
        return found if isinstance(found, list) else [found or {}]

    def instead(self, name: str, model: Mapping[str, Any], made_of: Mapping[str, str]) -> Chosen:
        """The same with another model: its subtree, not resolved, and the choices of its parts."""
        tree = copy.deepcopy(self.tree)
        with open_dict(tree):
            tree.model = copy.deepcopy(model)
        others = {k: v for k, v in self.choices.items() if not k.startswith("model/")}
        return Chosen(tree, self.hydra, {**others, "model": name, **made_of})

    def resolved(self, values: Iterable[Override]) -> dict[str, Any]:
        """The config of a job: keys given their values in turn, ${…} replaced, nothing missing."""
        tree = copy.deepcopy(self.tree)
        for override in values:
            _set(tree, override)
        return {**_plain(tree, resolve=True), "choices": dict(self.choices)}


@cache
def parse(text: str) -> Override:
    """An override as Hydra reads it."""
    try:
        override = OverridesParser.create().parse_override(text)
    except HydraException as error:
        raise explain.grammar(text) from error
    if not override.key_or_group:
        raise explain.grammar(text)
    return override


def choose(texts: Iterable[str]) -> Chosen:
    """Compose choices of groups; within a `session`."""
    tree = hydra.compose("config", list(texts), return_hydra_config=True)
    node = cast(dict[str, Any], OmegaConf.to_container(tree.hydra, resolve=False))
    with open_dict(tree):
        del tree["hydra"]
    return Chosen(tree, node, _by_path(node["runtime"]["choices"]))


def trees(name: str, defaults: list[Any], texts: Iterable[str]) -> dict[str, Any]:
    """What a defaults list composes to, plain and not resolved; within a `session`.

    `choices` are those of parts, by path: pca_var/embedding → pca.
    """
    ConfigStore.instance().store(name, {"defaults": defaults})
    tree = hydra.compose(name, list(texts), return_hydra_config=True)
    choices = dict(tree.hydra.runtime.choices)
    with open_dict(tree):
        del tree["hydra"]
    return {**_plain(tree), "choices": _by_path(choices)}


def in_context(tree: Mapping[str, Any], path: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """A subtree that would stand at `path` of a resolved config, its ${…} resolved there."""
    around = OmegaConf.create({**config, path: tree})
    plain = OmegaConf.to_container(around[path], resolve=True, throw_on_missing=True)
    return cast(dict[str, Any], plain)


@contextlib.contextmanager
def session() -> Iterator[None]:
    """Where Hydra finds the project's files; may stand within another."""
    if GlobalHydra.instance().is_initialized():
        yield
    else:
        with hydra.initialize_config_dir(FOLDER, version_base=VERSION):
            yield


@contextlib.contextmanager
def explained(candidates: Candidates = list) -> Iterator[None]:
    """Errors of Hydra cost one line; `candidates` are configs whose keys could have been meant."""
    OmegaConf.register_new_resolver("oc.env", _unrecorded, replace=True)
    try:
        yield
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        with session():
            raise explain.mistake(error, candidates(), OPEN) from error
    finally:
        OmegaConf.register_new_resolver("oc.env", oc.env, replace=True)


def shown(argv: list[str]) -> None:
    """What Hydra itself answers: --cfg, --info, --hydra-help, and completion for shells."""
    saved_argv, saved_environ = sys.argv, os.environ.copy()
    sys.argv = [saved_argv[0], *argv]
    os.environ["HYDRA_FULL_ERROR"] = "1"  # raise errors instead of exit(1)
    try:
        hydra.main(FOLDER, "config", VERSION)(lambda config: None)()
    finally:
        sys.argv = saved_argv
        os.environ.pop("HYDRA_FULL_ERROR")
        os.environ |= saved_environ


def _by_path(choices: Mapping[str, Any]) -> dict[str, Any]:
    """Group → name; analysis/embedding as it is typed, and not as it is borrowed."""
    return {
        group.rpartition("@")[2].replace(".", "/"): name
        for group, name in choices.items() if not group.startswith("hydra/")
    }  # fmt: skip


def _set(tree: DictConfig, override: Override) -> None:
    """As Hydra applies an override that is no choice: ConfigLoaderImpl of 1.3."""
    key, adds = override.key_or_group, override.is_force_add()
    if (part := key.replace(".", "/")) in options.parts() and OmegaConf.is_dict(
        OmegaConf.select(tree, key)
    ):
        raise Mistake(f"{override.input_line}: a part is chosen with a slash, {part}=NAME")
    try:
        OmegaConf.update(tree, key, override.value(), merge=True, force_add=adds)
    except (ConfigAttributeError, ConfigKeyError) as error:
        raise ConfigCompositionException(f"Could not override '{key}'.") from error
    except OmegaConfBaseException as error:
        raise ConfigCompositionException(f"Error merging override {override.input_line}") from error


def _plain(tree: DictConfig, *, resolve: bool = False, sweep: bool = False) -> dict[str, Any]:
    plain = cast(
        dict[str, Any], OmegaConf.to_container(tree, resolve=resolve, throw_on_missing=resolve)
    )
    return plain if sweep else {key: value for key, value in plain.items() if key != "sweep"}


def _unrecorded(name: str, default: str = "") -> NoReturn:
    """${oc.env:NAME} would write what may be secret into records, and hide what a run is of."""
    raise Mistake(
        f"${{oc.env:{name}}} reads the environment, which no record keeps: type the value"
    )
