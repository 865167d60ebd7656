"""`stsfm clean`: what failed, was left over or is superseded; and how much room it takes.

stsfm clean                              failed and damaged runs; leftovers
stsfm clean state=interrupted,crashed    those that would go on from their checkpoint, too
stsfm clean state=finished model=lstm    the runs that match; finished ones only where told so
stsfm clean --superseded                 finished runs that were made anew by newer source code
  --yes                                  remove what is listed: without it nothing is
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from stsfm.files import size
from stsfm.mistakes import Mistake, one_line
from stsfm.record import SCHEMA, Record, lock, records
from stsfm.record.choosing import filters, select
from stsfm.record.shelf import compared
from stsfm.words import sized

USAGE = __doc__.partition("\n\n")[2]
BROKEN = ["failed", "interrupted", "crashed", "damaged", "missing"]
DRAFT = re.compile(r"\..+\.\d+")  # what a write that was cut off leaves: .name.pid
SETTLED = 3600  # seconds after which nobody is at a file any more


@dataclass(frozen=True)
class Litter:
    """Something to remove, and why."""

    path: Path
    why: str


def main(args: list[str]) -> int:
    """List what there is to remove, or remove it."""
    if {"-h", "--help"} & set(args):
        print(f"usage:\n{USAGE}", end="")
        return 0
    flags = {arg for arg in args if arg.startswith("-")}
    if unknown := flags - {"--yes", "--superseded"}:
        raise Mistake(f"unknown option {sorted(unknown)[0]!r}; `stsfm clean --help` lists all")
    wanted = filters((arg for arg in args if arg not in flags), "clean")
    home = Path(wanted.pop("runs_dir", ["runs"])[0])
    found = [one for one in _found(home, wanted, "--superseded" in flags) if _inside(one, home)]
    if not found:
        print(f"nothing to remove in {home}")
        return 0
    total = sized(sum(size(one.path) for one in found))
    if "--yes" not in flags:
        for one in found:
            print(f"{one.why:44} {sized(size(one.path)):>8}  {os.path.relpath(one.path)}")
        command = " ".join(["stsfm clean", *args, "--yes"])
        print(f"{len(found)} to remove, {total}; `{command}` does it")
        return 0
    gone = [one for one in found if _remove(one.path, home)]
    print(f"removed {len(gone)} of {len(found)}, {total} at most, from {home}")
    return 0 if len(gone) == len(found) else 1


def _found(home: Path, wanted: dict[str, list[str]], superseded: bool) -> list[Litter]:
    """Runs that match, in the states that may go; without filters also what belongs to no run."""
    if superseded:
        return list(_superseded(select(records(home), wanted)))
    states = wanted.get("state", BROKEN)
    runs = [run for run in select(records(home), wanted) if run.state in states]
    if "state" not in wanted:
        runs = [run for run in runs if not _precious(run)]
    litter = [Litter(run.folder, _reason(run)) for run in runs]
    return litter if wanted else [*litter, *_leftovers(home)]


def _precious(run: Record) -> bool:
    """Does it hold work that a new attempt goes on from, or that another version can read?"""
    older = run.status.get("schema", SCHEMA) != SCHEMA
    return older or (run.folder / "checkpoint").exists()


def _reason(run: Record) -> str:
    error = one_line(run.status.get("error", ""))
    return f"{run.state:12}{error if len(error) < 32 else f'{error[:31]}…'}".rstrip()


def _superseded(runs: Iterable[Record]) -> Iterator[Litter]:
    """Finished runs of which there is another, of the same settings and seed, of newer source."""
    newest: dict[tuple[str, str], Record] = {}
    done = sorted(
        (run for run in runs if run.state == "finished"), key=lambda run: -run.status["ended"]
    )
    for run in done:
        same = (run.status["settings"], str(run.status["identity"]["seed"]))
        if newest.setdefault(same, run) is not run:
            yield Litter(run.folder, f"superseded  by {newest[same].folder.name}")


def _leftovers(home: Path) -> Iterator[Litter]:
    """Comparisons without runs, empty run folders, data of no run, drafts of files."""
    for folder in sorted(home.glob("_comparisons/*/")):
        if not compared(folder) and _settled(folder):
            yield Litter(folder, "comparison  of runs that are gone")
    for folder in sorted(home.glob("[!_]*/[!_]*/*/")):
        if not (folder / "status.json").exists() and _settled(folder):
            yield Litter(folder, "no status   a run that never began")
    used = {str(run.config.get("data", {}).get("path")) for run in records(home)}
    for file in sorted(home.glob("_data/[!.]*")):
        if not any(path.endswith(file.name) for path in used) and _settled(file):
            yield Litter(file, "data        of no run")
    for folder in sorted(home.glob("_tensorboard/*/*/*/")):
        if not (home / Path(*folder.parts[-3:])).exists() and _settled(folder):
            yield Litter(folder, "tensorboard of a run that is gone")
    for file in sorted(home.rglob(".*")):
        if DRAFT.fullmatch(file.name) and _settled(file):
            yield Litter(file, "draft       of a file never written")


def _settled(path: Path) -> bool:
    return time.time() - path.lstat().st_mtime > SETTLED


def _inside(one: Litter, home: Path) -> bool:
    """Is it where its path says: behind no link that leads elsewhere, and no link itself?"""
    return one.path.resolve() == home.resolve() / one.path.relative_to(home)


def _remove(path: Path, home: Path) -> bool:
    """Remove a file or folder, and the folders that this empties; not a run that is being made."""
    if not path.is_dir():
        path.unlink(missing_ok=True)
    else:
        with lock.left_alone(path) as free:
            if not free:
                print(f"a process is at {os.path.relpath(path)}: it stays")
                return False
            shutil.rmtree(path)
    for parent in path.parents:
        if parent == home:
            break
        with suppress(OSError):  # not empty
            parent.rmdir()
    return True
