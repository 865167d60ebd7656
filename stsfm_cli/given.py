"""A law that a user states of the data: given=pendulum. What it leaves open is learned on train.

It is no part of the data, so scores with it and without it are comparable; runs that are told of
it are others. Constants that are `auto` are estimated on the rows of train, and on no others.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from stsfm.build import build, check_keys
from stsfm.datasets.equations.arrange import arranged
from stsfm.datasets.equations.base import Equation
from stsfm.datasets.equations.grids import grid_of
from stsfm.datasets.panel import Panel, Space
from stsfm.datasets.split import Split
from stsfm.datasets.windows import RollingWindows
from stsfm.mistakes import Mistake
from stsfm.trust import locate

if TYPE_CHECKING:
    from stsfm.datasets.equations.estimate import Estimate

AUTO = "auto"
DIGITS = 6  # behind the point, of a constant that is told


def stated(split: Split, config: Mapping[str, Any], name: str) -> Split:
    """The split, whose data are said to obey the law of a config. Mistake where they can't."""
    train = split.panel.upto(len(split.train.panel)).only_targets()
    try:
        law, found = _law(config, train)
    except ValueError as error:
        raise Mistake(f"given={name}: {error}") from error
    told = f"given {name}: " + (", ".join(_words(config, found, law)) or "all its constants given")
    if found:
        told += f", estimated on {len(train)} rows of train"
    return replace(
        split,
        panel=of(split.panel, law),
        train=_told(split.train, law),
        val=_told(split.val, law),
        test=_told(split.test, law),
        development=None if split.development is None else _told(split.development, law),
        warned=(*split.warned, told),  # a line of the task, as warnings are
    )


def again(panel: Panel, config: Mapping[str, Any], known: Mapping[str, float]) -> Panel:
    """A panel of which a kept run states a law, with the constants that it had there."""
    return of(panel, _law({**config, **known}, panel.only_targets())[0])


def constants(law: Equation) -> dict[str, float]:
    """Its constants that are numbers, by name."""
    return {key: value for key, value in vars(law).items() if isinstance(value, float)}


def of(panel: Panel, law: Equation) -> Panel:
    """The panel, of which a law is stated."""
    return panel._derive(about=replace(panel.about, given=law))


def _told(windows: RollingWindows, law: Equation) -> RollingWindows:
    return replace(windows, panel=of(windows.panel, law))


def _law(config: Mapping[str, Any], train: Panel) -> tuple[Equation, Estimate | None]:
    """The law with all its constants, and what of them was estimated."""
    target: Any = locate(config["_target_"], "given")
    if not (inspect.isclass(target) and issubclass(target, Equation)):
        raise Mistake(f"given._target_: {config['_target_']} is no Equation")
    keys = {key: value for key, value in config.items() if key != "_target_"}
    free = [key for key, value in keys.items() if value == AUTO]
    check_keys(target, keys | dict.fromkeys(free, 1.0), "given")
    fixed = {key: _made(key, keys[key], train.space) for key in keys if key not in free}
    _fits(target, train)

    def law(theta: Any) -> Equation:
        made: Equation = target(**fixed, **dict(zip(free, map(float, theta), strict=True)))
        return made

    way = arranged(law(np.ones(len(free))), train.about)
    if not free:
        return law(np.zeros(0)), None
    if way.words == "apart":
        raise ValueError(f"its constants are estimated of one channel, not of {train.channels}")
    return _found(law, len(free), *way.rows(train.values, train.mask), train)


def _found(
    law: Callable[[Any], Equation], count: int, rows: Any, seen: Any, train: Panel
) -> tuple[Equation, Estimate]:
    """The law with the constants that rows of states tell; what took seconds is kept."""
    from stsfm.datasets.equations.estimate import Estimate, estimated  # scipy comes with it
    from stsfm.datasets.storage.solutions import kept

    seconds = np.diff(train.time) / 1e9
    made = kept(
        law(np.ones(count)), np.where(seen, rows, np.nan), seconds, train.space,
        lambda: np.stack(estimated(law, count, rows, seen, seconds, train.space)),
    )  # fmt: skip
    found = Estimate(*made)
    return law(found.values), found


def _fits(target: type[Equation], train: Panel) -> None:
    """ValueError where the law acts along a graph that the data do not have, or not so."""
    if "graph" not in target.needs:
        return
    graph = train.space.adjacency
    if graph is None:
        raise ValueError(f"{target.__name__} acts along a graph, and {train.about.name} has none")
    if train.space.changes:
        raise ValueError(f"{target.__name__} follows one graph, and this one changes in time")


def _made(key: str, value: Any, space: Space) -> Any:
    """A constant that is given; a grid of which something is left open is that of the nodes."""
    if not isinstance(value, Mapping):
        return value
    if AUTO in value.values():
        return grid_of(space, value["boundary"])
    return build(value, path=f"given.{key}")


def _words(config: Mapping[str, Any], found: Estimate | None, law: Equation) -> Iterator[str]:
    """pull = 3.002 ± 0.010, of what was estimated."""
    free = [key for key, value in config.items() if value == AUTO]
    for key, error in zip(free, found.errors if found else (), strict=True):
        value, digits = getattr(law, key), 1 - int(np.floor(np.log10(max(error, 1e-300))))
        style = f".{digits}f" if 0 <= digits <= DIGITS else ".4g"  # two digits of the error
        yield f"{key} = {value:{style}} ± {error:{style if 'f' in style else '.2g'}}"
