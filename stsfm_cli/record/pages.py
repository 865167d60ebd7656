"""Pages: whatever was kept that a report can be of, found by its path, its name or its id."""

from __future__ import annotations

import os
from pathlib import Path

from stsfm.mistakes import Mistake, did_you_mean
from stsfm.words import listed

LAST = "last"
PAGES = (  # whose time tells when something was made; that of a run, when its page was drawn
    "_comparisons/*/members.json", "_selections/*/selection.json", "[!_]*/[!_]*/*/members.json",
    "[!_]*/_analyses/*/*/analysis.json", "[!_]*/_detections/*/*/detection.json",
)  # fmt: skip
RUNS = "[!_]*/[!_]*/*/scores.json"  # baselines, which have no page of their own, included


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
