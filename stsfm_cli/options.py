"""What there is to choose from: the folders of conf/, and what each choice says about itself.

Reads YAML line by line and Python by its syntax tree, so that nothing heavy is imported.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from stsfm import targets

_spec = importlib.util.find_spec("stsfm.conf")
FOLDER = Path(next(iter(_spec.submodule_search_locations)))  # type: ignore[union-attr, arg-type]


UNTYPED = ("defaults", "hydra", "sweep", "space")  # no keys of what a file makes


class Key(NamedTuple):
    """A key that may be set: model.hidden, its default, and why."""

    name: str
    value: str
    comment: str


def groups(*folders: Path) -> dict[str, list[str]]:
    """Group → its choices, in conf/ and the folders given. Files named _… are for other files."""
    found: dict[str, set[str]] = {}
    for folder in (FOLDER, *folders):
        for file in folder.rglob("*.yaml"):
            group = file.parent.relative_to(folder).as_posix()
            if group != "." and not group.startswith("hydra") and file.stem[0] != "_":
                found.setdefault(group, set()).add(file.stem)
    order = [*(group for group in defaults() if group in found), *sorted(found)]
    return {group: sorted(found[group]) for group in dict.fromkeys(order)}


def file_of(group: str, name: str, *folders: Path) -> Path:
    """The file of a choice; what the project has comes before what a folder has."""
    files = [folder / group / f"{name}.yaml" for folder in (FOLDER, *folders)]
    return next((file for file in files if file.is_file()), files[0])


@cache
def defaults() -> dict[str, str]:
    """Group → default choice, in the order of config.yaml."""
    text = (FOLDER / "config.yaml").read_text().partition("defaults:")[2].partition("\n\n")[0]
    return dict(re.findall(r"^ +- (?!override|optional)([\w/]+): *([^\s#]*)", text, re.MULTILINE))


@cache
def parts() -> set[str]:
    """The groups that a choice of another group is made of, such as model/embedding."""
    files = [file for file in FOLDER.rglob("*.yaml") if file.parent != FOLDER]
    return {
        f"{file.parent.relative_to(FOLDER).as_posix()}/{name}"
        for file in files
        for name in re.findall(r"^ +- (\w+):", _defaults_list(file.read_text()), re.MULTILINE)
    }


def about(file: Path) -> str:
    """One line: the comment at the head of the file, else the docstring of what it names."""
    text = file.read_text()
    if head := re.match(r"(?:# @package.*\n)?((?:# .*\n)+)", text):
        return targets.sentence(head[1].replace("# ", ""))
    target = target_of(file)
    return target.sentence if target else ""


def target_of(file: Path) -> targets.Target | None:
    """What a file configures; of a loss its first term."""
    names = re.findall(r"^( *)_target_: *(\S+)", file.read_text(), re.MULTILINE)
    inner = [name for indent, name in names if indent and "loss" in file.parent.parts]
    dotted = (inner or [name for indent, name in names if not indent] or [""])[0]
    return targets.find(dotted)


def keys(file: Path, package: str) -> Iterator[Key]:
    """The keys of a YAML file as they are typed, those of the files it builds on first."""
    text = file.read_text()
    if header := re.match(r"# @package (\S+)", text):
        package = "" if header[1] == "_global_" else header[1]
    for base in re.findall(r"_\w+", _defaults_list(text)):
        if (below := file_of(file.parent.name, base, file.parent.parent)).is_file():
            yield from keys(below, package)
    path: list[tuple[int, str]] = []  # (indent, name) down to this line
    for line in text.splitlines():
        found = re.fullmatch(r"( *)([\w.]+):(?: +(.*))?", line)
        if not found:
            continue
        value, _, comment = re.sub(r"(^|\s+)#\s*", "\0", found[3] or "", count=1).partition("\0")
        path = [part for part in path if part[0] < len(found[1])]
        path.append((len(found[1]), found[2]))
        names = [name for _, name in path]
        if value and not names[-1].startswith("_") and names[0] not in UNTYPED:
            yield Key(".".join([*([package] if package else []), *names]), value, comment)


def _defaults_list(text: str) -> str:
    found = re.search(r"^defaults:(.*(?:\n[ -].*)*)", text, re.MULTILINE)
    return found[1].replace("_self_", "") if found else ""
