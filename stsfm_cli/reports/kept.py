"""The report of a comparison from its folder alone: members.json, their runs, figures, a search."""

from __future__ import annotations

from pathlib import Path

from stsfm.comparison import again, compared
from stsfm.mistakes import Mistake, no_such
from stsfm.record import Record
from stsfm.reports import write

NAME = "_comparisons"


def find(name: str, home: Path) -> Path:
    """The comparison in a folder, of a name, or whose name begins so; the newest for no name.

    Mistake where that means none, or several.
    """
    if name and (Path(name) / "members.json").is_file():
        return Path(name)
    there = {path.parent.name: path.parent for path in (home / NAME).glob("*/members.json")}
    if not there:
        raise Mistake(f"no comparison in {home}; `stsfm compare` writes one of kept runs")
    if not name:
        return max(there.values(), key=lambda folder: (folder / "members.json").stat().st_mtime)
    alike = [there[name]] if name in there else [there[k] for k in there if k.startswith(name)]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise Mistake(f"{name!r} may mean {', '.join(sorted(folder.name for folder in alike))}")
    raise no_such("comparison", name, there)


def write_again(folder: Path) -> list[Path]:
    """Write the report of a comparison that was made before. Mistake where its runs are gone."""
    made_of = Record(folder).read("members.json")
    return write(
        folder,
        again(folder),
        compared(folder),
        question=made_of.get("question", ""),
        command=made_of.get("command", ""),
    )
