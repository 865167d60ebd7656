"""`stsfm report`: the report of anything that was kept, written again.

stsfm report [NAME]          a run, comparison, detection, analysis or selection: its folder, its
                             name or id, or how that begins; the last that was made if none is named
stsfm report last            the same, said aloud
  runs_dir=DIR               where the runs are
"""

from __future__ import annotations

import os
from pathlib import Path

from stsfm.mistakes import Mistake, did_you_mean
from stsfm.words import listed

USAGE = __doc__.partition("\n\n")[2]
LAST = "last"
PAGES = (  # whose time tells when something was made; that of a run, when its page was drawn
    "_comparisons/*/members.json", "_selections/*/selection.json", "[!_]*/[!_]*/*/members.json",
    "[!_]*/_analyses/*/*/analysis.json", "[!_]*/_detections/*/*/detection.json",
)  # fmt: skip
RUNS = "[!_]*/[!_]*/*/scores.json"  # baselines, which have no page of their own, included


def main(args: list[str]) -> int:
    """Write report.md, report.html and report.tex beside what they are of, and name them."""
    if {"-h", "--help"} & set(args):
        print(f"usage:\n{USAGE}", end="")
        return 0
    home = [word.partition("=")[2] for word in args if word.startswith("runs_dir=")] or ["runs"]
    names = [word for word in args if not word.startswith("runs_dir=")]
    if len(names) > 1 or any(name.startswith("-") for name in names):
        raise Mistake("wanted one thing: stsfm report NAME; `stsfm report` takes the last made")
    folder = find("".join(names), Path(home[-1]))
    from stsfm import reports  # numpy comes with it: not for --help

    for path in reports.of(folder, folder):
        print(os.path.relpath(path))
    return 0


def find(name: str, home: Path) -> Path:
    """The folder of what is meant by a path, a name, an id, or how these begin; "" is the last.

    Mistake where that means nothing, or several things.
    """
    if name and _is_page(Path(name)):
        return Path(name)
    pages = {path.parent: path.stat().st_mtime for what in PAGES for path in home.glob(what)}
    if not pages:
        raise Mistake(f"nothing to report in {home}; `stsfm run` makes something")
    if name in ("", LAST):
        return max(pages, key=lambda folder: (pages[folder], folder.name))
    known = [*pages, *(path.parent for path in home.glob(RUNS) if path.parent not in pages)]
    alike = [folder for folder in known if folder.name == name] or [
        folder for folder in known if _begins(folder, name)
    ]
    if len(alike) == 1:
        return alike[0]
    if alike:
        places = sorted(os.path.relpath(folder) for folder in alike)
        raise Mistake(f"{name!r} may mean {listed(places)}")
    near = did_you_mean(name, [folder.name for folder in known])
    raise Mistake(f"nothing in {home} is called {name!r}.{near} `stsfm ls` shows the runs")


def _is_page(folder: Path) -> bool:
    return any((folder / Path(what).name).is_file() for what in (*PAGES, RUNS))


def _begins(folder: Path, name: str) -> bool:
    """s1-8c1f, or 8c1f; names of comparisons by their first letters."""
    return folder.name.startswith(name) or folder.name.rpartition("-")[2].startswith(name)
