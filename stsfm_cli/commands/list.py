"""`stsfm list [GROUP …]`: every choice in a line; a * marks what is taken if none is named.

`stsfm list class` shows the classes of models with their members, `stsfm list --matrix` which parts
of a state space go together.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from stsfm.detections.words import DEFAULT
from stsfm.mistakes import no_such
from stsfm.options import about, defaults, file_of, groups
from stsfm.request import split_folders

CLASS = "class"  # of models: no group of conf/, but may be listed as one


def main(args: list[str]) -> int:
    """Print the choices of the groups named, else of all."""
    if {"-h", "--help"} & set(args):
        print(f"usage: stsfm list [{'|'.join(groups())}] [--config-dir FOLDER]")
        print("       stsfm list class       the classes of models, and who is in each")
        print("       stsfm list --matrix    which parts of a state space go together")
        return 0
    folders, args = split_folders(args)
    if args == ["--matrix"]:
        from stsfm.matrix import lines

        print("\n".join(lines(*folders)))
        return 0
    known = groups(*folders)
    for group in args:
        if group not in known and group != CLASS:
            raise no_such("group", group, [*known, CLASS])
    if CLASS in args:
        print("\n".join(_classes(*folders)))
        args = [group for group in args if group != CLASS]
        if not args:
            return 0
    width = max(len(name) for group in args or known for name in known[group])
    taken = {**defaults(), "detector": DEFAULT}
    for group in args or known:
        print(f"{group}=")
        for name in known[group]:
            mark = "*" if name == taken.get(group) else " "
            print(_fitted(f"{mark} {name:{width}}  {about(file_of(group, name, *folders))}"))
    print("* is taken if none is named; `stsfm show GROUP=NAME` tells more")
    return 0


def _classes(*folders: Path) -> Iterator[str]:
    """Each class, what is common to it, and its models."""
    from stsfm.selecting.classes import ABOUT, every

    yield "class="
    for word, models in every(*folders).items():
        yield f"  {word:13}  {ABOUT.get(word, '')}".rstrip()
        yield from textwrap.wrap(
            ", ".join(models), 96, initial_indent=" " * 17, subsequent_indent=" " * 17
        )
    yield "stsfm select among=recurrent,gru data=airline chooses one of them"


def _fitted(line: str) -> str:
    """Cut to the terminal's width; whole where nobody looks."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else len(line)
    return line if len(line) <= width else f"{line[: width - 1]}…"
