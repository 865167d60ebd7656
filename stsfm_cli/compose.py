"""Hydra stays at the door: what the user typed goes in, one plain dict per job comes out.

    args ─┬─ flags ──────────────────────────────────┬─► hydra.main ─► job(config, overrides)
          └─ overrides ─ spelled out ─ each checked ─┘

No other module imports Hydra or OmegaConf, except the launcher plug-in.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, cast

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from omegaconf.resolvers import oc
from yaml import YAMLError

from stsfm import explain, help, options, trust
from stsfm.conf.schema import Config
from stsfm.mistakes import Mistake, no_such, tell
from stsfm.overrides import OPEN, allowed, each, names
from stsfm.request import Request, read

Job = Callable[[dict[str, Any], list[str]], int]
Told = Callable[[BaseException], int]

FOLDER = str(options.FOLDER)
VERSION = "1.3"  # whose behaviour Hydra shall keep
UNTOLD = ("force=", "plugins=", "runs_dir=")  # no part of what a comparison is about

ConfigStore.instance().store("schema", Config)
tell_run = partial(tell, "run")


def main(
    args: list[str], job: Job, told: Told = tell_run, *, sweep_folder: str | None = None
) -> int:
    """Compose what `stsfm run ARGS` asks for and call `job` once per config; the worst exit code.

    job(config, overrides): resolved plain values, with `choices` (group → name) added, and the
    overrides of this one job. What it raises is `told`, in one line on stderr, and stands for an
    exit code; the other jobs go on. Hydra writes a sweep down in `sweep_folder`, if any is given
    instead of that of its comparison.
    """
    request = read(args)
    overrides, many = _legal(request)
    if request.flags.help:
        print(help.page(request.overrides, *request.folders))
        return 0
    if request.shows and many:
        raise Mistake(f"{request.shows[0]} shows one job: give every key one value, without -m")
    _keep_out(request, overrides)
    if request.flags.package:
        _check_package(request.flags.package, [*request.search_path, *overrides])
    own = f"${{runs_dir}}/_comparisons/{comparison_name(args)}"  # an experiment may sweep, too
    argv = [
        *request.kept,
        *request.shows,
        *["-m"] * many,
        f'hydra.sweep.dir="{sweep_folder or own}"',
        *overrides,
    ]
    codes = [0]
    with _explained([*request.search_path, *overrides]), _as_hydra(argv):
        hydra.main(FOLDER, "config", VERSION)(_task(job, request, codes, told))()
    return max(codes)


def config(overrides: list[str]) -> dict[str, Any]:
    """One job, composed and resolved, from Python: config(["model=gru", "seed=2"])."""
    request = read(overrides)
    texts, many = _legal(request)
    if many:
        raise Mistake("one job is composed here: give every key one value")
    _keep_out(request, texts)
    texts += request.search_path
    with _explained(texts), _session():
        composed = hydra.compose("config", texts, return_hydra_config=True)
        return _plain(composed, composed.hydra.runtime.choices)


def models(wanted: Iterable[str], config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The resolved subtrees of several models, with the seed, loss … of a composed config."""
    wanted = list(dict.fromkeys(wanted))
    with _explained([]), _session() as loader:
        known = [name for name in loader.get_group_options("model") if name[0] != "_"]
        for name in wanted:
            if name not in known:
                raise no_such("model", name, known)
        list_ = ["_self_", *({f"model@{name}": name} for name in wanted)]
        ConfigStore.instance().store("_models", {"defaults": list_})
        trees = hydra.compose("_models")
        return {name: _in_context(trees[name], config) for name in wanted}


def install_completion(args: list[str]) -> int:
    """`stsfm -sc install=bash` prints what the shell is to evaluate."""
    with _explained([]), _as_hydra(args):
        hydra.main(FOLDER, "config", VERSION)(lambda cfg: None)()
    return 0


def is_sweep(args: list[str]) -> bool:
    """Do the arguments ask for several jobs, or for one to be compared like several?"""
    return _legal(read(args))[1]


def comparison_name(args: list[str]) -> str:
    """airline-1f0c9a3b: what is compared on, and a digest of the overrides in any order."""
    request = read(args)
    told = sorted(text for text in request.overrides if not text.startswith(UNTOLD))
    digest = hashlib.sha256("\n".join(told).encode()).hexdigest()[:8]
    chosen = {o.key_or_group: names(o) for o in map(_parse, _legal(request)[0])}
    files = [Path(name).stem for name in chosen.get("data.path", [])]
    on = files or chosen.get("data") or chosen.get("experiment") or [options.defaults()["data"]]
    label = "+".join(on) if len(on) < 4 else f"{on[0]}+{len(on) - 1}_more"
    return f"{label}-{digest}"


# ---- around Hydra --------------------------------------------------------------------------------


def _task(job: Job, request: Request, codes: list[int], told: Told) -> Callable[[DictConfig], None]:
    program = sys.argv[0]

    def task(cfg: DictConfig) -> None:
        mine = HydraConfig.get()
        overrides = cast(list[str], OmegaConf.to_container(mine.overrides.task))  # ${…} as typed
        # Lightning starts the other ranks from sys.argv: each has to run this job and no other
        sys.argv = [program, "run", *request.kept, *overrides]
        try:
            with _explained(overrides):
                resolved = _plain(cfg, mine.runtime.choices)
            codes.append(job(resolved, [*request.kept, *overrides]))
        except BrokenPipeError:  # nobody reads on: `stsfm run … | head`
            raise
        except Exception as error:  # the other jobs of a sweep go on
            codes.append(told(error))

    return task


@contextlib.contextmanager
def _as_hydra(argv: list[str]) -> Iterator[None]:
    """Hydra reads sys.argv; asked for full errors, it raises them instead of exit(1)."""
    saved_argv, saved_environ = sys.argv, os.environ.copy()
    sys.argv = [saved_argv[0], *argv]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        sys.argv = saved_argv
        os.environ.pop("HYDRA_FULL_ERROR")
        os.environ |= saved_environ


@contextlib.contextmanager
def _session() -> Iterator[Any]:
    """Hydra's config loader: the running one inside a job, a new one elsewhere."""
    hydra_ = GlobalHydra.instance()
    if hydra_.is_initialized():
        yield hydra_.config_loader()
    else:
        with hydra.initialize_config_dir(FOLDER, version_base=VERSION):
            yield hydra_.config_loader()


@contextlib.contextmanager
def _explained(overrides: list[str]) -> Iterator[None]:
    OmegaConf.register_new_resolver("oc.env", _unrecorded, replace=True)
    try:
        yield
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        raise explain.mistake(error, _candidates(overrides), OPEN) from error
    finally:
        OmegaConf.register_new_resolver("oc.env", oc.env, replace=True)


def _unrecorded(name: str, default: str = "") -> NoReturn:
    """${oc.env:NAME} would write what may be secret into records, and hide what a run is of."""
    raise Mistake(
        f"${{oc.env:{name}}} reads the environment, which no record keeps: type the value"
    )


def _candidates(overrides: list[str]) -> Iterator[dict[str, Any]]:
    """The configs that the choices lead to, without any override of a key."""
    for composed in _chosen(overrides, [*options.defaults(), "hydra.searchpath"]):
        yield _plain(composed, composed.hydra.runtime.choices, resolve=False)


def _chosen(overrides: list[str], groups: Iterable[str]) -> Iterator[DictConfig]:
    """What each combination of the overrides of these groups composes to, Hydra's node too."""
    parsed = [override for override in map(_parse, overrides) if override.key_or_group in groups]
    with _session():
        for texts in itertools.product(*map(each, parsed)):
            yield hydra.compose("config", list(texts), return_hydra_config=True)


def _plain(cfg: DictConfig, choices: Mapping[str, Any], resolve: bool = True) -> dict[str, Any]:
    """Without Hydra's own node, with what was chosen of every group."""
    job = OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "hydra"])
    plain = cast(
        dict[str, Any], OmegaConf.to_container(job, resolve=resolve, throw_on_missing=resolve)
    )
    chosen = {group: name for group, name in choices.items() if not group.startswith("hydra/")}
    if resolve:
        if not plain["runs_dir"].strip():
            raise Mistake("runs_dir= names no folder; runs_dir=runs is the default")
        trust.use(plain["plugins"])
    return {**plain, "choices": chosen}


def _in_context(tree: DictConfig, config: dict[str, Any]) -> dict[str, Any]:
    """A model's subtree, its ${…} resolved in a config that was composed with another model."""
    around = OmegaConf.create({**config, "model": OmegaConf.to_container(tree)})
    plain = OmegaConf.to_container(around.model, resolve=True, throw_on_missing=True)
    return cast(dict[str, Any], plain)


def _keep_out(request: Request, overrides: list[str]) -> None:
    """A file of --config-dir may be a stranger's: it sets no key of trust.TYPED.

    Hydra calls what its own node names (callbacks, handlers of logs, launchers) before any job is
    ours. An experiment may still sweep: what it adds by hydra.sweeper.params is judged, too.
    """
    if not request.folders:
        return
    with _explained([]), _session():
        own = _whole(hydra.compose("config", [], return_hydra_config=True))
    texts, swept = [*request.search_path, *overrides], set()
    groups = [*options.groups(*request.folders), "hydra.searchpath"]
    with _explained(texts):
        for composed in _chosen(texts, groups):
            trust.check_settings(_whole(composed), own)
            swept |= {(*(composed.hydra.sweeper.params or {}).items(),)}
        for params in swept - {()}:
            more = [f"{key}={value}" for key, value in params]
            legal = [allowed(_parse(text), options.groups(*request.folders)) for text in more]
            if not all(text and text.partition("=")[0] not in trust.TYPED for text in legal):
                raise Mistake(f"hydra.sweeper.params may sweep keys and choices, got {more}")
            for composed in _chosen([*texts, *legal], groups):
                trust.check_settings(_whole(composed), own)


def _whole(cfg: DictConfig) -> dict[str, Any]:
    """Plain and not resolved, with Hydra's own node."""
    return cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=False))


def _check_package(package: str, overrides: list[str]) -> None:
    composed = list(_candidates(overrides))
    if package not in explain.keys(composed[0]):
        raise explain.unknown_key(package, composed, OPEN)


# ---- what may be overridden ----------------------------------------------------------------------


def _legal(request: Request) -> tuple[list[str], bool]:
    """The overrides as Hydra shall see them, and whether they make several jobs."""
    groups = options.groups(*request.folders)
    texts = [allowed(_parse(text), groups) for text in request.overrides]
    texts = [text for text in texts if text]
    sweeps = any(_parse(text).is_sweep_override() for text in texts)
    return texts, sweeps or request.flags.multirun


def _parse(text: str) -> Override:
    try:
        override = OverridesParser.create().parse_override(text)
    except HydraException as error:
        raise explain.grammar(text) from error
    if not override.key_or_group:
        raise explain.grammar(text)
    return override
