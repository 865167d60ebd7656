"""What a search may vary: a key as it is typed → a list of values, or an interval.

    model.context: [12, 24, 36]                             one of these
    trainer.lr: {low: 1.0e-4, high: 1.0e-2, log: true}      a number between, by its logarithm
    model.hidden: {low: 8, high: 64, step: 8}               whole numbers, for its ends are whole

Only keys of the model, its loss and its trainer: another dataset or protocol is another task.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from stsfm.identity import nets
from stsfm.mistakes import Mistake, did_you_mean

if TYPE_CHECKING:
    from optuna import Trial

ENDS = ("low", "high", "step", "log")
GROUPS = ("model", "loss", "trainer")
WORD = r"(?!(?i:null|true|false|nan|inf)$)[A-Za-z_][\w.-]*"  # needs no quotes
DIGITS = 4  # significant ones of a number between two ends: enough to search, short to type


@dataclass(frozen=True)
class Among:
    """One of some values."""

    key: str
    values: tuple[Any, ...]

    @cached_property
    def texts(self) -> tuple[str, ...]:
        return tuple(map(typed, self.values))

    def suggest(self, trial: Trial) -> str:
        return str(trial.suggest_categorical(self.key, self.texts))

    def every(self) -> tuple[str, ...] | None:
        """The values as they are typed, where they can be counted."""
        return self.texts

    def parameter(self, value: Any) -> str | None:
        """How the sampler knows a value of the config; None where it is not in the space."""
        return self.texts[self.values.index(value)] if value in self.values else None

    def __str__(self) -> str:
        return f"{self.key} in {', '.join(self.texts)}"


@dataclass(frozen=True)
class Between:
    """A number between two ends, both of them included; a whole one where all it has is whole."""

    key: str
    low: float
    high: float
    step: float | None = None
    log: bool = False

    @property
    def whole(self) -> bool:
        return all(isinstance(x, int) for x in (self.low, self.high, self.step or 1))

    def suggest(self, trial: Trial) -> str:
        if self.whole:
            low, high, step = int(self.low), int(self.high), int(self.step or 1)
            return str(trial.suggest_int(self.key, low, high, step=step, log=self.log))
        drawn = trial.suggest_float(self.key, self.low, self.high, step=self.step, log=self.log)
        return repr(min(max(float(f"{drawn:.{DIGITS}g}"), self.low), self.high))

    def every(self) -> tuple[str, ...] | None:
        if not self.whole and self.step is None:
            return None if self.low < self.high else (repr(float(self.low)),)
        step = self.step or 1
        steps = int((self.high - self.low) / step + 1e-9)
        numbers = [self.low + k * step for k in range(steps + 1)]
        return tuple(str(x) if self.whole else repr(float(f"{x:.12g}")) for x in numbers)

    def parameter(self, value: Any) -> float | None:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not self.low <= value <= self.high:
            return None
        off = (value - self.low) / self.step if self.step else 0
        fits = math.isclose(off, round(off)) and (not self.whole or value == int(value))
        return value if fits else None

    def __str__(self) -> str:
        how = [f"step {self.step}"] * bool(self.step) + ["log"] * self.log
        return f"{self.key} {self.low:g} … {self.high:g}" + f" ({', '.join(how)})" * bool(how)


Axis = Among | Between


@dataclass(frozen=True)
class Space:
    """The axes of a search, in the order of their keys."""

    axes: tuple[Axis, ...]

    def __bool__(self) -> bool:
        return bool(self.axes)

    def suggest(self, trial: Trial) -> dict[str, str]:
        """A configuration: key → value as it is typed."""
        return {axis.key: axis.suggest(trial) for axis in self.axes}

    def size(self) -> float:
        """How many configurations there are."""
        counts = [axis.every() for axis in self.axes]
        return math.prod(math.inf if every is None else len(every) for every in counts)

    def nth(self, index: int) -> dict[str, Any]:
        """The parameters of one configuration of a finite space, the last axis turning fastest."""
        found: dict[str, Any] = {}
        for axis in reversed(self.axes):
            every = axis.every() or ()
            index, place = divmod(index, len(every))
            text = every[place]
            number = int if isinstance(axis, Between) and axis.whole else float
            found[axis.key] = text if isinstance(axis, Among) else number(text)
        return found

    def parameters(self, config: Mapping[str, Any]) -> dict[str, Any] | None:
        """How the sampler knows the configuration of a job; None where it is outside."""
        found = {axis.key: axis.parameter(default(config, axis.key)) for axis in self.axes}
        return None if None in found.values() else found

    def __str__(self) -> str:
        return "; ".join(map(str, self.axes))


def spaces(configs: Sequence[Mapping[str, Any]]) -> list[Space]:
    """Those of composed jobs. A key counts for the models that have it; Mistake where none has."""
    found: list[list[Axis]] = [[] for _ in configs]
    for key in sorted({key for config in configs for key in config["space"]}):
        unknown: list[Mistake] = []
        for config, axes in zip(configs, found, strict=True):
            if (given := config["space"].get(key)) is None:
                continue
            try:
                default(config, key)
            except Mistake as mistake:
                unknown.append(mistake)
            else:
                axes.append(axis(key, given))
        if unknown and not any(axes and axes[-1].key == key for axes in found):
            raise unknown[0]
    return [Space(tuple(axes)) for axes in found]


def merged(own: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The space of a model with what was typed in its place: an end alone, or all of a key."""
    space = dict(_leaves(own))
    for key, value in _leaves(given):
        both = isinstance(value, Mapping) and isinstance(space.get(key), Mapping)
        space[key] = {**space[key], **value} if both else value
    return space


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping) and not (value and set(value) <= set(ENDS)):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def axis(key: str, given: Any) -> Axis:
    """What YAML says of a key."""
    wanted = "wanted [a, b, …] or {low: a, high: b}, with log: true or step: c"
    if isinstance(given, Sequence) and not isinstance(given, str) and given:
        return Among(key, tuple(value for k, value in enumerate(given) if value not in given[:k]))
    if not isinstance(given, Mapping) or not {"low", "high"} <= set(given):
        raise Mistake(f"space.{key}: {wanted}, got {given!r}")
    low, high, step, log = (given.get(name) for name in ENDS)
    numbers = [x for x in (low, high, step) if x is not None]
    if not all(isinstance(x, int | float) and not isinstance(x, bool) for x in numbers):
        raise Mistake(f"space.{key}: {wanted}, got {given!r}")
    if low is None or high is None or low > high:
        raise Mistake(f"space.{key}: low must not be above high, got {low} and {high}")
    if log and (low <= 0 or step):
        raise Mistake(f"space.{key}: log needs a low above 0 and no step, got {given!r}")
    if step is not None and step <= 0:
        raise Mistake(f"space.{key}: step must be above 0, got {step}")
    return Between(key, low, high, step, bool(log))


def default(config: Mapping[str, Any], key: str) -> Any:
    """The value of a key before any search. Mistake unless its model has such a key."""
    group, *path = key.split(".")
    chosen = config["choices"].get("model")
    if group not in GROUPS or key == "model" or path[:1] == ["seed"]:
        raise Mistake(f"space.{key}: a search varies keys of model, loss and trainer only")
    if group != "model" and not any(group in net for net in nets(config["model"])):
        raise Mistake(f"space.{key}: {chosen} has no {group}; space.{key}=null leaves it out")
    if not path:
        return config["choices"][group]
    value: Any = config[group]
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            known = did_you_mean(name, value) if isinstance(value, Mapping) else ""
            of = f"{group}={config['choices'][group]}"
            raise Mistake(f"space.{key}: unknown key '{key}' of {of}.{known}")
        value = value[name]
    return value


def typed(value: Any) -> str:
    """A value of YAML as the command line reads it."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{','.join(map(typed, value))}]"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{name}:{typed(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, str) and not re.fullmatch(WORD, value):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return repr(value) if isinstance(value, float) else str(value)
