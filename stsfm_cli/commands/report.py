"""`stsfm report`: the report of anything that was kept, written again.

stsfm report [NAME]          a run, comparison, detection, analysis or selection: its folder, its
                             name or id, or how that begins; the last that was made if none is named
stsfm report last            the same, said aloud
  runs_dir=DIR               where the runs are
"""

from __future__ import annotations

import os

from stsfm.mistakes import Mistake
from stsfm.record.pages import find
from stsfm.request import split_home

USAGE = __doc__.partition("\n\n")[2]


def main(args: list[str]) -> int:
    """Write report.md, report.html and report.tex beside what they are of, and name them."""
    if {"-h", "--help"} & set(args):
        print(f"usage:\n{USAGE}", end="")
        return 0
    home, names = split_home(args)
    if len(names) > 1 or any(name.startswith("-") for name in names):
        raise Mistake("wanted one thing: stsfm report NAME; `stsfm report` takes the last made")
    folder = find("".join(names), home)
    from stsfm import reports  # numpy comes with it: not for --help

    for path in reports.of(folder, folder):
        print(os.path.relpath(path))
    return 0
