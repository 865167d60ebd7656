"""From a resolved config to objects: what a `_target_` names is called with its keys.

Keys are checked against the constructor's, values against its annotations, so that a mistake costs
one line instead of a traceback from inside a library.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from stsfm import teachers
from stsfm.checkpoints import OfMember
from stsfm.identity import members, parts
from stsfm.mistakes import Mistake, did_you_mean
from stsfm.trust import LIBRARIES, locate

if TYPE_CHECKING:
    from stsfm.losses.base import Loss
    from stsfm.models.analyser import Analyser
    from stsfm.models.base import Forecaster
    from stsfm.models.checkpoint import Store
    from stsfm.models.ensemble import Library

NET_KEYS = ("context", "seed", "loss", "trainer", "hardware")  # conf/model/_net.yaml


def build(config: Mapping[str, Any], *args: Any, path: str) -> Any:
    """Call the config's `_target_` with its keys, inner ones first; `path` names it in errors."""
    target = locate(config["_target_"], path)
    keys = {name: value for name, value in config.items() if name not in ("_target_", "_partial_")}
    check_keys(target, keys, path)
    built = {name: _inner(value, f"{path}.{name}") for name, value in keys.items()}
    if config.get("_partial_"):
        return partial(target, *args, **built)
    try:
        return target(*args, **built)
    except ValueError as error:
        raise Mistake(f"{path}: {error}") from error


def build_model(
    config: Mapping[str, Any],
    monitor: Callable[..., None],
    rules: Mapping[str, Any],
    store: Store | None = None,
    library: Library = lambda member: None,
) -> Forecaster:
    """A Forecaster, with intervals where the rules of the protocol keep a calibration block.

    monitor  is told about every epoch
    store    keeps the checkpoints of its trainings
    library  finds what a member of an ensemble learned in a run of its own
    """
    model = _model(config, monitor, store, library)
    if not rules["calibration"] or "intervals" in model.tags:
        return model
    from stsfm.models.conformal import Conformal

    twin = _model(config, lambda row: None, store)  # of other rows: no library has it
    return Conformal(model, twin, rows=rules["calibration"], gap=rules["gap"])


def part(config: Mapping[str, Any], path: str) -> Any:
    """A part of a state space, by itself."""
    return _model(config, lambda row: None, None, path=path, part=True)


def analyser(config: Mapping[str, Any]) -> Analyser:
    """An analysis, with the parts that it is made of."""
    made: Any = part(config, "analysis")
    return made


def _model(
    config: Mapping[str, Any],
    monitor: Callable[..., None],
    store: Store | None,
    library: Library = lambda member: None,
    path: str = "model",
    part: bool = False,
) -> Forecaster:
    """A Forecaster; a config with the keys of a net is a net, and is given a trainer; one that is
    made of others, an ensemble or a state space, is given these."""
    if trees := parts(config):
        stores = {name: OfMember(store, name) if store else None for name in trees}
        built = {
            name: _model(
                tree,
                lambda row: None,
                stores[name],
                path=f"{path}.{name}",
                part=not members(config),
            )
            for name, tree in trees.items()
        }
        own = {name: value for name, value in config.items() if name != "seed"}  # the parts'
        if members(config):
            every = {name.removeprefix("members."): member for name, member in built.items()}
            return build(own | {"members": every}, library, path=path)
        told = (monitor, store) if _is_told(locate(config["_target_"], path)) else ()
        return build(own | built, *told, path=path)
    if "trainer" not in config:
        return build(config, path=path)
    from stsfm.models.learned import Learned

    target: Any = locate(config["_target_"], path)
    if issubclass(target, Learned):  # a part that trains itself
        loss = build_loss(config["loss"])
        return build({**config, "loss": loss}, monitor, store, path=path)
    from stsfm.models.neural import Neural

    own = {name: value for name, value in config.items() if name not in NET_KEYS}
    net = build(own | {"_partial_": True}, path=path)
    shared = {name: _inner(config[name], name) for name in NET_KEYS if name != "loss"}
    shared["loss"] = build_loss(config["loss"])
    try:
        return Neural(net, **shared, monitor=monitor, store=store, part=part)
    except ValueError as error:
        raise Mistake(f"loss: {error}") from error


def _is_told(target: Callable[..., Any]) -> bool:
    """Whether it takes something by position; a flow, which is made of an equation, does not."""
    kinds = {parameter.kind for parameter in inspect.signature(target).parameters.values()}
    return inspect.Parameter.POSITIONAL_ONLY in kinds


def build_loss(config: Mapping[str, Any]) -> Loss:
    """A Loss; the folder of a run that teaches becomes a teacher."""
    taught = {name: teachers.Kept(folder.absolute()) for name, folder in teachers.of(config)}
    return _inner(teachers.put(config, taught), "loss")


def _inner(value: Any, path: str) -> Any:
    if isinstance(value, Mapping):
        if "_target_" in value:
            return build(value, path=path)
        return {name: _inner(inner, f"{path}.{name}") for name, inner in value.items()}
    if isinstance(value, list):
        return [_inner(inner, f"{path}.{index}") for index, inner in enumerate(value)]
    return value


def check_keys(target: Callable[..., Any], keys: Mapping[str, Any], path: str) -> None:
    """Mistake unless the keys are those of the target, with values of the annotated types."""
    parameters = inspect.signature(target).parameters
    if target.__module__.startswith(LIBRARIES):  # which check the values themselves
        if unknown := [name for name in keys if name not in parameters]:
            known = did_you_mean(unknown[0], parameters)
            raise Mistake(f"unknown key '{path}.{unknown[0]}'.{known}")
        return
    allowed = {
        name: parameter
        for name, parameter in parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    for name in keys:
        if name not in allowed:
            raise Mistake(f"unknown key '{path}.{name}'.{did_you_mean(name, allowed)}")
    for name, parameter in allowed.items():
        if parameter.default is parameter.empty and name not in keys:
            raise Mistake(f"missing key '{path}.{name}'")
    function = target.__init__ if inspect.isclass(target) else target
    hints = typing.get_type_hints(function)
    for name, value in keys.items():
        if name in hints and not fits(value, hints[name]):
            key, inner, hint = _unfit(name, value, hints[name])
            raise Mistake(f"{path}.{key}: wanted {_words(hint)}, got {inner!r}")


def fits(value: Any, hint: Any) -> bool:
    """Could a value from a YAML file be meant by an annotation? A nested target is not judged."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or (isinstance(value, Mapping) and "_target_" in value):
        return True
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, inner) for inner in arguments)
    if origin is typing.Literal:
        return value in arguments
    if hint is None or hint is type(None):
        return value is None
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if origin and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(fits(v, arguments[1]) for v in value.values())
    if origin and issubclass(origin, Sequence):
        return isinstance(value, list | tuple) and all(fits(v, arguments[0]) for v in value)
    return isinstance(value, hint) if inspect.isclass(hint) and hint in (str, bool) else True


def _unfit(key: str, value: Any, hint: Any) -> tuple[str, Any, Any]:
    """What does not fit: a value, or the first one inside a mapping, with its key and its hint."""
    if isinstance(value, Mapping) and issubclass(typing.get_origin(hint) or object, Mapping):
        wanted = typing.get_args(hint)[1]
        for name, inner in value.items():
            if not fits(inner, wanted):
                return _unfit(f"{key}.{name}", inner, wanted)
    return key, value, hint


def _words(hint: Any) -> str:
    """An annotation as a user would say it."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return " or ".join(_words(inner) for inner in typing.get_args(hint))
    if typing.get_origin(hint) is typing.Literal:
        return " or ".join(str(choice) for choice in typing.get_args(hint))
    if hint is type(None):
        return "null"
    names = {int: "a whole number", float: "a number", str: "a word", bool: "true or false"}
    if typing.get_origin(hint):
        return f"a list of {_words(typing.get_args(hint)[0])}".replace("of a ", "of ") + "s"
    return names.get(hint, getattr(hint, "__name__", str(hint)))
