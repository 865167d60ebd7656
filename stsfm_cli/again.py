"""`stsfm run --from RUN`: the words that make a kept run again, from its config.

Choices of groups first, then the keys whose values are not what these choices bring; so that it is
the same run even where a default has changed since. Files are found where the run was made.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stsfm.conf.schema import OF_A_COMMAND
from stsfm.mistakes import Mistake
from stsfm.record import Record
from stsfm.record.choosing import flatten
from stsfm.request import read, typed

FLAG = "--from"


def spelled_out(args: list[str]) -> list[str]:
    """The arguments of `stsfm run`, with the words of a run instead of --from RUN."""
    args = [part for arg in args for part in _pair(arg)]
    if FLAG not in args:
        return args
    at = args.index(FLAG)
    names, rest = args[at + 1 : at + 2], args[:at] + args[at + 2 :]
    if not names or FLAG in rest:
        raise Mistake("wanted one run: stsfm run --from RUN [key=value …]; `stsfm ls` lists them")
    from stsfm.saved import open_run

    home = next((arg.partition("=")[2] for arg in rest if arg.startswith("runs_dir=")), "runs")
    given = {text.lstrip("+").partition("=") for text in read(rest).overrides}
    return [*_kept(open_run(names[0], home), {key: value for key, _, value in given}), *rest]


def _pair(arg: str) -> list[str]:
    return [FLAG, arg.removeprefix(f"{FLAG}=")] if arg.startswith(f"{FLAG}=") else [arg]


def _kept(run: Record, given: Mapping[str, str]) -> Iterator[str]:
    """Flags and overrides that compose the config of a run, but for what is given anew."""
    config = run.config
    if not config.get("choices"):
        raise Mistake(f"{os.path.relpath(run.folder)}/config.yaml can't be read")
    choices = config["choices"]
    anew = [group for group in choices if given.get(group, choices[group]) != choices[group]]
    words = _words(config, _flags(run), _home(run))
    for word in words:
        key = word.lstrip("+").partition("=")[0]
        if key not in given and not key.startswith(tuple(f"{group}." for group in anew)):
            yield word


def _words(config: Mapping[str, Any], flags: list[str], home: Path) -> list[str]:
    from stsfm import compose

    groups = [
        f"{group}={name}"
        for group, name in config["choices"].items()
        # what an experiment sets follows key by key
        if isinstance(name, str) and group not in ("experiment", *OF_A_COMMAND)
    ]
    if "members" in (model := config["model"]):  # whose keys are there once they are named
        groups.append(f"model.members={typed(list(model['members']))}")
    wanted = {key: _here(value, home) for key, value in flatten(_keys(config)).items()}
    wanted["runs_dir"] = os.path.relpath(home / config["runs_dir"])
    plugins = [f"plugins={typed(config['plugins'])}"] * bool(config.get("plugins"))
    words = [*plugins, *groups]
    for part in ("", "model."):  # the root first: a model takes loss and trainer from there
        now = flatten(_keys(compose.config([*flags, *words])))
        words += [
            f"{'' if key in now else '+'}{key}={typed(value)}"
            for key, value in wanted.items()
            if (part or not key.startswith("model.")) and now.get(key, wanted) != value
        ]
    return [*flags, *words]


def _keys(config: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in config.items() if k not in ("choices", *OF_A_COMMAND)}


def _flags(run: Record) -> list[str]:
    """The folders with more choices that the run was told of."""
    words = shlex.split((run.folder / "command.txt").read_text())[2:]
    return [str(flag) for flag in read(words).kept]


def _home(run: Record) -> Path:
    """Where the command was given: what is relative in a config is so to this folder."""
    depth = len(Path(run.config["runs_dir"]).parts)
    if Path(run.config["runs_dir"]).is_absolute():
        return Path.cwd()
    return run.folder.resolve().parents[2 + depth]


def _here(value: Any, home: Path) -> Any:
    """The path of a file as it is called from here; any other value as it is."""
    if isinstance(value, str) and value and (home / value).is_file():
        return os.path.relpath(home / value)
    return value
