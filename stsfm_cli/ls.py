"""`stsfm ls`: the kept runs and their state; and what `stsfm show RUN` says of one."""

from __future__ import annotations

import os
from pathlib import Path

from stsfm.compare import filters, select
from stsfm.mistakes import Mistake, did_you_mean
from stsfm.options import groups
from stsfm.present import line
from stsfm.record import records
from stsfm.screen import Screen


def main(args: list[str]) -> int:
    """`stsfm ls [key=value …]`: a line per run, newest last."""
    if {"-h", "--help"} & set(args):
        print("usage: stsfm ls [model=…] [data=…] [state=finished|failed|…] [any.key=value]")
        return 0
    wanted = filters(args, "ls")
    home = Path(wanted.pop("runs_dir", ["runs"])[0])
    found = select(records(home), wanted)
    for record in sorted(found, key=lambda record: record.status.get("started", 0)):
        print(line(record))
    if not found:
        none = f"no run in {home} matches {' '.join(args)}" if args else f"no runs in {home}"
        print(f"{none}; try: stsfm run model=lstm data=airline")
    return 0


def show(name: str) -> int:
    """A run by its path, or by the beginning of its id: what it is, its table, its files."""
    from stsfm.saved import matching, open_run

    if not matching(name):
        known = {choice for choices in groups().values() for choice in choices}
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
        from stsfm.present import show as show_table

        show_table(run, Screen())
    print("\n".join(sorted(_files(run.folder))))
    return 0


def _files(folder: Path) -> list[str]:
    files = (f for f in folder.rglob("*") if f.is_file() and not f.name.startswith("."))
    return [f"  {os.path.relpath(f)}" for f in files]
