"""`stsfm show`: a choice of a group and its keys, or what there is of a kept run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from stsfm import help, options
from stsfm.mistakes import Mistake, did_you_mean
from stsfm.request import split_folders


def main(args: list[str]) -> int:
    """Show one choice, such as model=lstm; the choices of a group; or one run."""
    if {"-h", "--help"} & set(args):
        print("usage: stsfm show model=lstm, or a run: its folder, or how its id begins")
        return 0
    folders, args = split_folders(args)
    if len(args) != 1:
        raise Mistake("wanted one choice or run: stsfm show model=lstm; see `stsfm list` and ls")
    group, equals, name = args[0].partition("=")
    known = options.groups(*folders)
    if equals:
        print(help.choice(group, name, *folders))
        return 0
    own = [group for group in known if group not in options.borrowed()]
    of = [group for group in own if args[0] in known[group]]
    of = [group for group in of if group not in options.parts()] or of  # var is a model first
    if len(of) == 1:  # no run is called like a model
        print(help.choice(of[0], args[0], *folders))
        return 0
    if args[0] in known:
        from stsfm.commands import list

        return list.main([*args, *(w for folder in folders for w in ("-cd", str(folder)))])
    return _run(args[0])


def _run(name: str) -> int:
    """A run by its path, or by the beginning of its id: what it is, its table, its files."""
    from stsfm.present import line, show
    from stsfm.saved import matching, open_run
    from stsfm.screen import Screen

    if not matching(name):
        known = {choice for choices in options.groups().values() for choice in choices}
        raise Mistake(
            f"no choice and no run is called {name!r}.{did_you_mean(name, known)} "
            "`stsfm list` and `stsfm ls` show what there is"
        )
    run = open_run(name)
    print(line(run))
    if broken := run.damage(every_byte=True):
        print(f"damaged: {broken}; the same command makes it anew")
        return 1
    print(run.status.get("headline", ""))
    print((run.folder / "command.txt").read_text().strip())
    if run.state == "finished" and (run.folder / "table.md").exists():
        show(run, Screen())
    print("\n".join(sorted(_files(run.folder))))
    return 0


def _files(folder: Path) -> Iterator[str]:
    files = (f for f in folder.rglob("*") if f.is_file() and not f.name.startswith("."))
    return (f"  {os.path.relpath(f)}" for f in files)
