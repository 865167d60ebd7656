"""`stsfm list [GROUP …]`: every choice in a line; a * marks what is taken if none is named.

`stsfm list --matrix` tells which parts of a state space go together.
"""

from __future__ import annotations

import shutil
import sys

from stsfm.mistakes import no_such
from stsfm.options import about, defaults, file_of, groups
from stsfm.request import split_folders


def main(args: list[str]) -> int:
    """Print the choices of the groups named, else of all."""
    if {"-h", "--help"} & set(args):
        print(f"usage: stsfm list [{'|'.join(groups())}] [--config-dir FOLDER]")
        print("       stsfm list --matrix    which parts of a state space go together")
        return 0
    folders, args = split_folders(args)
    if args == ["--matrix"]:
        from stsfm.matrix import lines

        print("\n".join(lines(*folders)))
        return 0
    known = groups(*folders)
    for group in args:
        if group not in known:
            raise no_such("group", group, known)
    width = max(len(name) for group in args or known for name in known[group])
    for group in args or known:
        print(f"{group}=")
        for name in known[group]:
            mark = "*" if name == defaults().get(group) else " "
            print(_fitted(f"{mark} {name:{width}}  {about(file_of(group, name, *folders))}"))
    print("* is taken if none is named; `stsfm show GROUP=NAME` tells more")
    return 0


def _fitted(line: str) -> str:
    """Cut to the terminal's width; whole where nobody looks."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else len(line)
    return line if len(line) <= width else f"{line[: width - 1]}…"
