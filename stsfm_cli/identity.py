"""What a run is: the digest of all that determines its numbers, and of nothing else.

In it: the data, the rules of the protocol, the model's subtree of the config (a net's holds its
loss, trainer, hardware and seed; ARIMA's does not), and the source that its objects are made of.
Out of it: where results are kept, threads, verbosity, comments and docstrings in the source.
"""

from __future__ import annotations

import ast
import hashlib
import io
import json
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from stsfm import teachers
from stsfm.mistakes import Mistake
from stsfm.targets import file_of

if TYPE_CHECKING:
    from stsfm.datasets.about import About

CORE = "stsfm.backtest"  # every run goes through it; it imports windows, transform and metrics
ANALYSES = "stsfm.models.analyser"  # what every analysis gives
DETECTIONS = "stsfm.models.segmenter"  # what every detector gives
MARKED = "stsfm.losses.changes"  # what it is scored by
NET = "stsfm.models.neural"
CONFORMAL = "stsfm.models.conformal"
IDLE = ("threads", "checkpoint_seconds")  # keys that decide no number of a run


class Cut(Protocol):
    """What is asked of a dataset that was cut by its protocol: a Split, or what is kept of it."""

    @property
    def about(self) -> About: ...
    @property
    def digest(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def rules(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The name of a run, and the ingredients that it is the digest of."""

    data: str
    model: str
    seed: int | None  # None = draws no random numbers
    ingredients: Mapping[str, str]  # data, protocol, model, source → digest
    modules: Mapping[str, str] = field(default_factory=dict)  # of the source: module → digest

    @property
    def run_id(self) -> str:
        prefix = "" if self.seed is None else f"s{self.seed}-"
        return prefix + _digest({**self.ingredients, "seed": self.seed})

    @property
    def group(self) -> str:
        """The same for all seeds."""
        return _digest(self.ingredients)

    @property
    def settings(self) -> str:
        """The same for all seeds and all versions of the source."""
        return _digest({k: v for k, v in self.ingredients.items() if k != "source"})

    @property
    def folder(self) -> Path:
        return Path(self.data) / self.model / self.run_id


def identify(config: Mapping[str, Any], cut: Cut) -> Identity:
    """The identity of a composed job on a dataset that was cut by its protocol."""
    seed = config["model"].get("seed")
    model = _without(_seedless(_taught(config["model"]), seed), IDLE)
    if cut.about.given is not None:
        model["given"] = repr(cut.about.given)  # with the constants that were estimated
    modules = modules_of(config, cut.rules)
    return Identity(
        data=data_name(config, cut.about),
        model=config["choices"]["model"],
        seed=seed,
        ingredients={
            "data": cut.digest[:16],
            "protocol": _digest({"fingerprint": cut.fingerprint, "rules": dict(cut.rules)}),
            "model": _digest(model),
            "source": _digest(modules),
        },
        modules=modules,
    )


def identify_analysis(config: Mapping[str, Any], name: str, digest: str) -> Identity:
    """The identity of an analysis of the data that have a name and a digest: no model is in it."""
    return _identify_look(config, "analysis", "_analyses", name, {"data": digest[:16]}, {ANALYSES})


def identify_detection(
    config: Mapping[str, Any], name: str, digest: str, marks: Mapping[str, Any]
) -> Identity:
    """The identity of a search for change points; those that people marked are scored against."""
    known = {
        "data": digest[:16],
        "marks": _digest({who: list(rows) for who, rows in marks.items()}),
    }
    modules = {DETECTIONS, MARKED} | ({NET} if nets(config["detector"]) else set())
    return _identify_look(config, "detector", "_detections", name, known, modules)


def _identify_look(
    config: Mapping[str, Any],
    group: str,
    room: str,
    name: str,
    known: Mapping[str, str],
    modules: set[str],
) -> Identity:
    """Of what looks at data and forecasts nothing: a choice of a group, kept in a room."""
    chosen = config[group]
    named = {target.rpartition(".")[0] for target in targets(chosen)}
    found = _closed(frozenset(named | modules), tuple(config.get("plugins", ())))
    source = {module: source_digest(module) for module in found}
    own = _digest(_without(_seedless(chosen, chosen.get("seed")), IDLE))
    return Identity(
        data=f"{name}/{room}",
        model=config["choices"][group],
        seed=next(_seeds(chosen), None),
        ingredients={**known, group: own, "source": _digest(source)},
        modules=source,
    )


def _seeds(tree: Mapping[str, Any]) -> Iterator[int]:
    """What is drawn from, of a tree and of those in it: one and the same."""
    for name, value in tree.items():
        if name == "seed":
            yield value
        elif isinstance(value, Mapping):
            yield from _seeds(value)


def source_of(config: Mapping[str, Any], rules: Mapping[str, Any]) -> str:
    """The digest of all source that a run's numbers come from."""
    return _digest(modules_of(config, rules))


def modules_of(config: Mapping[str, Any], rules: Mapping[str, Any]) -> dict[str, str]:
    """The modules that a run's numbers come from, and the digest of each."""
    named = [*targets(config["model"]), *targets(config.get("given"))]
    modules = {target.rpartition(".")[0] for target in named}
    modules |= {config["protocol"]["_target_"].rpartition(".")[0], CORE}
    if nets(config["model"]):
        modules.add(NET)  # named by no `_target_`: it is put around every net
    if rules["calibration"]:
        modules.add(CONFORMAL)  # around models without intervals; which they are, only they know
    found = _closed(frozenset(modules), tuple(config.get("plugins", ())))
    return {name: source_digest(name) for name in found}


def nets(model: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The subtrees of the nets that a model is, or is made of."""
    return [part for part in (model, *parts(model).values()) if "trainer" in part]


def parts(model: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The subtrees of what a model is made of, by path: members, or parts of a state space."""
    if "trainer" in model:
        return {}  # a net is one thing, its loss and optimiser included
    found = {f"members.{name}": tree for name, tree in members(model).items()}
    inner = {k: v for k, v in model.items() if isinstance(v, Mapping) and "_target_" in v}
    return found | inner


def members(model: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The subtrees of the members of an ensemble, by name; any other model has none."""
    found = model.get("members")
    return found if isinstance(found, Mapping) else {}


def data_name(config: Mapping[str, Any], about: About) -> str:
    """What was chosen as data; a user's file has the name that its panel has."""
    return about.name if "path" in config["data"] else config["choices"]["data"]


def targets(config: Any) -> Iterator[str]:
    """Every `_target_` in a config."""
    if isinstance(config, Mapping):
        if "_target_" in config:
            yield str(config["_target_"])
        for value in config.values():
            yield from targets(value)
    elif isinstance(config, list):
        for value in config:
            yield from targets(value)


def _taught(model: Mapping[str, Any]) -> dict[str, Any]:
    """The subtree of a model, in which a run that teaches enters by what it was made of."""
    return {
        name: teachers.named(tree) if name == "loss" else _taught(tree)
        if isinstance(tree, Mapping) else tree
        for name, tree in model.items()
    }  # fmt: skip


def _seedless(model: Mapping[str, Any], seed: int | None) -> dict[str, Any]:
    """The subtree of a model without its seed; a part that draws by another one keeps that."""
    return {
        name: _seedless(tree, seed) if isinstance(tree, Mapping) else tree
        for name, tree in model.items() if name != "seed" or tree != seed
    }  # fmt: skip


def _without(config: Any, idle: tuple[str, ...]) -> Any:
    if isinstance(config, int) and not isinstance(config, bool):
        return float(config)  # dropout=0 is dropout=0.0
    if not isinstance(config, Mapping):
        return config
    return {name: _without(value, idle) for name, value in config.items() if name not in idle}


def _digest(parts: Any) -> str:
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def closure(modules: set[str], plugins: Iterable[str] = ()) -> list[str]:
    """The modules of the project and of plug-ins that `modules` import, directly or not, and
    themselves; found by reading, without importing any."""
    roots = {"stsfm", *(name.partition(".")[0] for name in plugins)}
    found: set[str] = set()
    todo = set(modules)
    while todo:
        name = todo.pop()
        if name.partition(".")[0] in roots and name != "stsfm" and file_of(name):
            found.add(name)
            todo |= set(_imports(name)) - found
    return sorted(found)


@cache
def _closed(modules: frozenset[str], plugins: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(closure(set(modules), plugins))


@cache
def _imports(module: str) -> tuple[str, ...]:
    """The dotted names that a module imports, and the packages around it."""
    parts = module.split(".")
    is_package = str(file_of(module)).endswith("__init__.py")
    names = {".".join(parts[:depth]) for depth in range(1, len(parts))}
    try:
        tree = ast.parse(_source(module))
    except SyntaxError as error:  # of a plug-in
        raise Mistake(f"{file_of(module)}, line {error.lineno}: {error.msg}") from error
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            around = parts[: len(parts) + is_package - node.level] if node.level else []
            home = ".".join([*around, *([node.module] if node.module else [])])
            names |= {home, *(f"{home}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return tuple(names)


@cache
def source_digest(module: str) -> str:
    return hashlib.sha256(bare(_source(module)).encode()).hexdigest()[:10]


def bare(source: str) -> str:
    """Source text without comments, docstrings and blank lines: what a change of words leaves."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            text = node.body[0]
            for row in range(text.lineno - 1, text.end_lineno or text.lineno):
                lines[row] = ""
    code = "\n".join(lines) + "\n"
    kept = code.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            kept[row - 1] = kept[row - 1][:column]
    return "\n".join(line.rstrip() for line in kept if line.strip())


def _source(module: str) -> str:
    file = file_of(module)
    return file.read_text() if file else ""
