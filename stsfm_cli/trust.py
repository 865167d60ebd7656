"""What a config may name and set, for it may come from a stranger.

A `_target_` is a class or function of the project's rooms, a class of a few libraries, or what a
plug-in named by the user defines. It is judged twice: by its name before anything is imported,
for importing runs code; and by where it was defined, for a module also shows what it imported.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from stsfm import targets
from stsfm.mistakes import Mistake

ROOMS = ("stsfm.datasets", "stsfm.losses", "stsfm.models")
LAUNCHERS = ("stsfm.launchers",)  # what only the key `launcher` may name
TYPED = ("force", "hydra", "launcher", "plugins", "runs_dir")  # what only the command line may set
LIBRARIES = (
    "lightning.pytorch.callbacks",
    "lightning.pytorch.loggers",
    "torch.nn",
    "torch.optim",
)
_plugins: set[str] = set()  # top-level names of the modules and packages that the user named


def use(plugins: Iterable[str]) -> None:
    """Let configs name what these modules and packages define; nothing is imported yet.

    They are looked for where Python looks, and last in the working folder.
    """
    for name in plugins:
        top = name.partition(".")[0]
        if top in {*sys.stdlib_module_names, "stsfm"}:
            owner = "stsfm" if top == "stsfm" else "Python"
            raise Mistake(f"plugins: {name!r} is a part of {owner} itself, and no plug-in")
        if not targets.is_importable(top):
            raise Mistake(
                f"plugins: no module {name!r} is installed or lies in {Path.cwd()}; "
                "my_models.py there is plugins=[my_models]"
            )
        _plugins.add(top)
        if (here := str(Path.cwd())) not in sys.path:
            sys.path.append(here)  # last, so that no file in it hides a library


def locate(target: Any, path: str) -> Callable[..., Any]:
    """The object that a dotted name means, if it is one that a config may name."""
    module, _, name = str(target).rpartition(".")
    private = any(part.startswith("_") for part in str(target).split("."))
    rooms, libraries = (LAUNCHERS, ()) if path == "launcher" else ((*ROOMS, *_plugins), LIBRARIES)
    if private or not _within(module, (*rooms, *libraries)):
        raise _refused(target, path)
    try:
        found = getattr(importlib.import_module(module), name)
    except Exception as error:  # a plug-in may fail in any way while it is imported
        raise Mistake(
            f"{path}._target_: nothing is called {target!r} ({type(error).__name__}: {error})"
        ) from error
    home = getattr(found, "__module__", None) or ""
    own = inspect.isfunction(found) and _within(home, rooms)
    if not own and not (inspect.isclass(found) and _within(home, (*rooms, *libraries))):
        raise _refused(target, path)
    return found


def check_settings(config: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    """Mistake where a file set what only the command line may, or chose by a path.

    Both are whole configs, plain and not resolved: the user's, and that of the project alone.
    """
    found, settled = _settings(config), _settings(own)
    for key in settled | found:
        if settled.get(key) != found.get(key):
            raise Mistake(f"{key} is set by a file of --config-dir; only the command line may")
    for group, name in config["hydra"]["runtime"]["choices"].items():
        if Path(str(name)).is_absolute() or ".." in Path(str(name)).parts:
            raise Mistake(f"{group}={name} is chosen by a file of --config-dir, and is no name")


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Key → value of TYPED; of Hydra's node all but what was chosen."""
    node, chosen = dict(config["hydra"]), ("overrides", "runtime", "searchpath")
    node["job"] = {k: v for k, v in node["job"].items() if k != "override_dirname"}
    inner = {f"hydra.{key}": value for key, value in node.items() if key not in chosen}
    return inner | {key: value for key, value in config.items() if key in TYPED and key != "hydra"}


def _within(module: str, roots: Iterable[str]) -> bool:
    return any(f"{module}.".startswith(f"{root}.") for root in roots)


def _refused(target: Any, path: str) -> Mistake:
    top = str(target).partition(".")[0]
    hint = f"; your own module is named by plugins=[{top}]" if targets.is_own(top) else ""
    return Mistake(
        f"{path}._target_: {target!r} is not one of the objects that may be named here{hint}"
    )
