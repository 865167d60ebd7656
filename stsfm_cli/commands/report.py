"""`stsfm report`: the report of a comparison, written again from what is kept.

stsfm report [COMPARISON]    its folder, its name, or how that begins; the newest if none is named
  runs_dir=DIR               where the runs are
"""

from __future__ import annotations

import os
from pathlib import Path

from stsfm.mistakes import Mistake

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
    from stsfm.reports.kept import find, write_again  # numpy comes with it: not for --help

    folder = find("".join(names), Path(home[-1]))
    for path in write_again(folder):
        print(os.path.relpath(path))
    return 0
