"""`stsfm report`: the report of a comparison, written again from what is kept.

stsfm report [COMPARISON]    its folder, its name, or how that begins; the newest if none is named
  runs_dir=DIR               where the runs are
"""

from __future__ import annotations

import os
from pathlib import Path

from stsfm.mistakes import Mistake, no_such
from stsfm.record import Record
from stsfm.record.shelf import compared

USAGE = __doc__.partition("\n\n")[2]


def main(args: list[str]) -> int:
    """Write report.md and report.html, and name them."""
    if {"-h", "--help"} & set(args):
        print(f"usage:\n{USAGE}", end="")
        return 0
    home = [word.partition("=")[2] for word in args if word.startswith("runs_dir=")] or ["runs"]
    names = [word for word in args if not word.startswith("runs_dir=")]
    if len(names) > 1 or any(name.startswith("-") for name in names):
        raise Mistake("wanted one comparison: stsfm report NAME; `stsfm report` takes the newest")
    from stsfm import reports
    from stsfm.comparison import again  # numpy comes with it: not for --help

    folder = find("".join(names), Path(home[-1]))
    made_of = Record(folder).read("members.json")
    said = {key: made_of.get(key, "") for key in ("question", "command")}
    for path in reports.write(folder, again(folder), compared(folder), **said):
        print(os.path.relpath(path))
    return 0


def find(name: str, home: Path) -> Path:
    """The comparison in a folder, of a name, or whose name begins so; the newest for no name.

    Mistake where that means none, or several.
    """
    if name and (Path(name) / "members.json").is_file():
        return Path(name)
    pages = (home / "_comparisons").glob("*/members.json")
    there = {page.parent.name: page.parent for page in pages}
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
