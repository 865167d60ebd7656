"""What was typed after `stsfm run`: flags, and overrides with their short forms spelled out."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from stsfm.mistakes import Mistake, did_you_mean

FIELDS = (".nc", ".nc4", ".zarr", ".zarr/")  # what data=grid reads
INFO = ["all", "config", "defaults", "defaults-tree", "plugins", "searchpath"]


@dataclass(frozen=True)
class Request:
    """Flags, and overrides in their long form."""

    flags: argparse.Namespace
    overrides: list[str]

    @property
    def folders(self) -> list[Path]:
        """Folders of the user with more choices."""
        return [Path(self.flags.config_dir).absolute()] if self.flags.config_dir else []

    @property
    def kept(self) -> list[str]:
        """The flags that every job of the request needs again."""
        return [token for folder in self.folders for token in ("--config-dir", str(folder))]

    @property
    def search_path(self) -> list[str]:
        """The same as an override, for composing outside of hydra.main."""
        return [f"hydra.searchpath=['file://{folder}']" for folder in self.folders]

    @property
    def shows(self) -> list[str]:
        """The flags that show something instead of running."""
        flags = self.flags
        named = [("--cfg", flags.cfg), ("--package", flags.package), ("--info", flags.info)]
        shown = [token for name, value in named if value for token in (name, value)]
        return [*shown, *["--resolve"] * flags.resolve, *["--hydra-help"] * flags.hydra_help]


def read(args: list[str]) -> Request:
    """Flags may stand anywhere; a wrong one is a Mistake."""
    flags = _parser().parse_intermixed_args(args)
    if (flags.package or flags.resolve) and not flags.cfg:
        raise Mistake(
            "--package and --resolve go with --cfg, as in `stsfm run --cfg job --resolve`"
        )
    request = Request(flags, spell_out(flags.overrides))
    _check(request.folders)
    return request


def split_folders(args: list[str]) -> tuple[list[Path], list[str]]:
    """The folder of --config-dir, and the other words, for commands that take no other flag."""
    flags, words = _parser().parse_known_args(args)
    folders = Request(flags, []).folders
    _check(folders)
    return folders, [*flags.overrides, *words]


def _check(folders: list[Path]) -> None:
    for folder in folders:
        if not folder.is_dir():
            raise Mistake(f"--config-dir: {str(folder)!r} is no folder")


def split_flags(args: list[str], *names: str) -> tuple[bool, list[str]]:
    """Whether a flag was given, and the args without it: quiet, args = split_flags(args, "-q")."""
    rest = [arg for arg in args if arg not in names]
    return len(rest) < len(args), rest


def split_home(args: Iterable[str]) -> tuple[Path, list[str]]:
    """The folder of runs that runs_dir= names, and the args without it."""
    rest, home = list[str](), "runs"
    for arg in args:
        key, _, value = arg.partition("=")
        if key == "runs_dir":
            home = value
        else:
            rest.append(arg)
    return Path(home), rest


def spell_out(texts: Iterable[str]) -> list[str]:
    """seeds=3 → seed=1,2,3 · seeds=2,7 → seed=2,7 · data=my.csv → data=tabular data.path=my.csv

    protocol.folds=3 → protocol.folds=3 protocol.fold=1,2,3
    """
    texts, long = list(texts), []
    keys = {text.partition("=")[0] for text in texts}
    for text in texts:
        key, _, value = text.partition("=")
        if key == "seeds":
            long.append(f"seed={_seeds(value)}")
        elif key == "protocol.folds" and value.isdigit() and "protocol.fold" not in keys:
            long += [text, f"protocol.fold={','.join(str(k + 1) for k in range(int(value)))}"]
        elif key == "data" and (files := _files(value)):
            long += [f"data={_kind(value, files)}", f"data.path={','.join(map(typed, files))}"]
        else:
            long.append(text)
    if {"seed", "seeds"} <= keys:
        raise Mistake("seeds=… is short for seed=…: give one of the two")
    return long


def _seeds(value: str) -> str:
    if not re.fullmatch(r"-?\d+", value):
        return value.strip("[]")
    if int(value) < 1:
        raise Mistake(f"seeds={value}: wanted how many seeds, or which: seeds=5 or seeds=2,7")
    return ",".join(str(seed) for seed in range(1, int(value) + 1))


def _files(value: str) -> list[str]:
    """The files among what is called data: their names have a dot or a slash, choices have none."""
    bare = value.strip("'\"")
    names = [bare] if bare != value or Path(bare).is_file() else value.split(",")
    files = [name for name in names if "." in name or "/" in name]
    if files and len(files) < len(names):
        raise Mistake(
            f"data={value}: files and names in one sweep; compare the files of one command, "
            "and run the others by another"
        )
    return files


def _kind(value: str, files: list[str]) -> str:
    """The dataset that reads files: fields are known by their endings."""
    kinds = {"grid" if name.endswith(FIELDS) else "tabular" for name in files}
    if len(kinds) > 1:
        raise Mistake(f"data={value}: tables and fields in one sweep; run each by a command")
    return kinds.pop()


def quoted(text: str) -> str:
    """As Hydra reads any text: in quotes, which keep blanks, commas, brackets and signs."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def typed(value: Any) -> str:
    """A value of Python as the command line reads it."""
    if isinstance(value, str | os.PathLike):
        value = os.fspath(value)
        plain = re.fullmatch(r"[A-Za-z_/.][\w/.\-]*", value) and value.lower() not in (
            "null", "true", "false", "nan", "inf",
        )  # fmt: skip
        return value if plain else quoted(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(map(typed, value))}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{typed(inner)}" for key, inner in value.items()) + "}"
    return json.dumps(value, default=lambda number: number.item())  # of NumPy


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        word = message.rpartition(": ")[2].split()[0]
        hint = did_you_mean(word, self._option_string_actions) if word.startswith("--") else ""
        raise Mistake(f"{message}.{hint} `stsfm run --help` lists all")


def _parser() -> _Parser:
    parser = _Parser(prog="stsfm run", add_help=False, allow_abbrev=False)
    add = parser.add_argument
    add("overrides", nargs="*")
    add("-h", "--help", action="store_true")
    add("-m", "--multirun", action="store_true")
    add("-c", "--cfg", choices=["job", "hydra", "all"])
    add("--resolve", action="store_true")
    add("-p", "--package")
    add("-i", "--info", nargs="?", const="all", choices=INFO)
    add("-cd", "--config-dir")
    add("--dry-run", action="store_true")
    add("--hydra-help", action="store_true")
    return parser
