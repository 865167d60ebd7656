"""What there is to choose from: the folders of conf/ and the first sentence of what each file names.

Reads YAML line by line and Python by its syntax tree, so that nothing heavy is imported.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from stsfm.mistakes import Mistake, did_you_mean, no_such

FOLDER = Path(next(iter(importlib.util.find_spec("stsfm.conf").submodule_search_locations)))  # type: ignore[union-attr, arg-type]
KEY = re.compile(r"(?P<indent> *)(?P<name>[\w.]+):(?: +(?P<value>.*?))??(?: +# *(?P<comment>.*))?")


def main(args: list[str]) -> int:
    """`stsfm list [GROUP …]`: every choice with its one line; the default is marked."""
    known = groups()
    for group in args:
        if group not in known:
            raise Mistake(f"no group named {group!r}.{did_you_mean(group, known)} Available: {', '.join(known)}")
    for group in args or known:
        print(listing(group, known[group]))
    return 0


def groups(*folders: Path) -> dict[str, list[str]]:
    """Group → its choices, from conf/ and the folders given; names with a _ are for other files."""
    found: dict[str, set[str]] = {}
    for folder in (FOLDER, *folders):
        for file in sorted(folder.rglob("*.yaml")):
            group = file.parent.relative_to(folder).as_posix()
            if group != "." and not group.startswith("hydra") and file.stem[0] != "_":
                found.setdefault(group, set()).add(file.stem)
    order = [*(group for group in defaults() if group in found), *sorted(found)]
    return {group: sorted(found[group]) for group in dict.fromkeys(order)}


@cache
def defaults() -> dict[str, str]:
    """Group → default choice, in the order of config.yaml."""
    text = (FOLDER / "config.yaml").read_text().partition("defaults:")[2].partition("\n\n")[0]
    return dict(re.findall(r"^ +- (?!override|optional)([\w/]+): *([^\s#]*)", text, re.MULTILINE))
