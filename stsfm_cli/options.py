"""What there is to choose from: the folders of conf/, and what each choice says about itself.

Reads YAML line by line and Python by its syntax tree, so that nothing heavy is imported.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Mapping
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
    found |= {group: found[of] for group, of in borrowed().items()}
    order = [*(group for group in defaults() if group in found), *sorted(found)]
    return {group: sorted(found[group]) for group in dict.fromkeys(order)}


def file_of(group: str, name: str, *folders: Path) -> Path:
    """The file of a choice; what the project has comes before what a folder has."""
    group = borrowed().get(group, group)
    files = [folder / group / f"{name}.yaml" for folder in (FOLDER, *folders)]
    return next((file for file in files if file.is_file()), files[0])


@cache
def defaults() -> dict[str, str]:
    """Group → default choice, in the order of config.yaml."""
    text = (FOLDER / "config.yaml").read_text().partition("defaults:")[2].partition("\n\n")[0]
    return dict(re.findall(r"^ +- (?!override|optional)([\w/]+): *([^\s#]*)", text, re.MULTILINE))


@cache
def borrowed() -> dict[str, str]:
    """Parts that are chosen from those of another group: analysis/embedding → model/embedding."""
    return {
        f"{file.parent.relative_to(FOLDER).as_posix()}/{name}": group
        for file in FOLDER.rglob("*.yaml")
        for group, name in re.findall(r"^ +- /([\w/]+)@([a-z]\w*):", file.read_text(), re.MULTILINE)
    }


@cache
def parts() -> tuple[str, ...]:
    """The groups that a choice of another group is made of, such as model/embedding; in order."""
    files = [file for file in FOLDER.rglob("*.yaml") if file.parent != FOLDER]
    found = {
        f"{file.parent.relative_to(FOLDER).as_posix()}/{name}"
        for file in files
        for name, _ in _defaults_list(file.read_text())
        if name and name[0] != "/"
    }
    return tuple(sorted(found))


def made_of(group: str, name: str, *folders: Path) -> dict[str, str]:
    """The parts of a choice: group → what is taken, such as model/embedding → pca."""
    file = file_of(group, name, *folders)
    found: dict[str, str] = {}
    for part, choice in _defaults_list(file.read_text()) if file.is_file() else ():
        if not part:
            found |= made_of(group, choice, *folders)
        elif part[0] != "/":
            found[f"{group}/{part}"] = choice
    return found


def builds_on(group: str, name: str, *folders: Path) -> list[str]:
    """The files of its own group that a choice builds on: pca_var on composed."""
    file = file_of(group, name, *folders)
    return [choice for part, choice in _defaults_list(file.read_text()) if not part]


def having(part: str, *folders: Path) -> list[str]:
    """The choices that have a part: composed and others have model/embedding."""
    group = part.rpartition("/")[0]
    return [
        name for name in groups(*folders).get(group, []) if part in made_of(group, name, *folders)
    ]


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


def made_by(group: str, name: str, *folders: Path) -> Iterator[targets.Target]:
    """What a choice is made by: what it names itself, else what the file it builds on does; and
    what its parts are made by."""
    yield from _makers(group, name, *folders)
    for part, choice in made_of(group, name, *folders).items():
        yield from made_by(part, choice, *folders)


def _makers(group: str, name: str, *folders: Path) -> Iterator[targets.Target]:
    file = file_of(group, name, *folders)
    if not file.is_file():
        return
    if target := target_of(file):
        yield target
        return
    for part, choice in _defaults_list(file.read_text()):
        if not part:
            home, _, base = choice[1:].rpartition("/") if choice[0] == "/" else (group, "", choice)
            yield from _makers(home, base, *folders)


def keys(file: Path, group: str, taken: Mapping[str, str] | None = None) -> Iterator[Key]:
    """The keys of a YAML file as they are typed: those of the files it builds on first, then those
    of its parts; one that is set again has its last value.

    taken  the parts that are chosen in place of its own: embedding → lle
    """
    found: dict[str, Key] = {}
    for key in _keys(file, group, group.replace("/", "."), taken or {}):
        found[key.name] = key._replace(comment=key.comment or found.get(key.name, key).comment)
    yield from found.values()


def _keys(file: Path, group: str, package: str, parts: Mapping[str, str]) -> Iterator[Key]:
    """`parts` are those that a file which builds on this one takes instead."""
    text = file.read_text()
    if header := re.match(r"# @package (\S+)", text):
        package = "" if header[1] == "_global_" else header[1]
    around = file.parents[len(Path(group).parts)]
    listed = [entry for entry in _defaults_list(text) if entry[0][:1] != "/"]
    parts = {name: choice for name, choice in listed if name} | dict(parts)
    for name, choice in listed:
        home = f"{group}/{name}" if name else group
        if choice[0] == "/":  # /model/gru, of another group
            home, _, choice = choice[1:].rpartition("/")
        below = file_of(home, parts.get(name, choice), around)
        if group and below.is_file():
            yield from _keys(below, home, _join(package, name), {} if name else parts)
    yield from _own(text, package)


def _own(text: str, package: str) -> Iterator[Key]:
    """The keys that stand in a file itself."""
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
            name = _join(package, ".".join(names))
            several = re.findall(r"(\w+): *([^,{}]+)", value) if "_target_" not in value else []
            if several and value[0] == "{":  # embedding: {dim: 3}
                yield from (Key(f"{name}.{inner}", own, comment) for inner, own in several)
            else:
                yield Key(name, value, comment)


def _join(package: str, name: str) -> str:
    return ".".join(filter(None, [package, name]))


def _defaults_list(text: str) -> list[tuple[str, str]]:
    """(group, choice) in the order of a defaults list; the group is "" where it is the file's.

    /model/embedding@embedding: lle is (embedding, lle); which group that is, `borrowed` says.
    """
    found = re.search(r"^defaults:(.*(?:\n[ -].*)*)", text, re.MULTILINE)
    words = re.split(r"[\[\],\n]", re.sub(r"#.*", "", found[1])) if found else []
    entries = (re.sub(r"^- |\boverride |@_here_", "", word.strip()).strip() for word in words)
    pairs = (entry.rpartition(":") for entry in entries if entry not in ("", "_self_"))
    return [(group.rpartition("@")[2].strip(), choice.strip()) for group, _, choice in pairs]
