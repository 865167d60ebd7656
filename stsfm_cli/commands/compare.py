"""`stsfm compare`: one table from run folders, rebuilt whenever asked for.

stsfm compare [model=a,b] [data=…] [seed=…] [protocol=…] [model.hidden=64] [--all-configs]
"""

from __future__ import annotations

from stsfm.comparison import compare
from stsfm.request import split_flags
from stsfm.screen import Screen

USAGE = __doc__.partition("\n\n")[2]


def main(args: list[str]) -> int:
    """Write the table of the runs that match, and print it."""
    if {"-h", "--help"} & set(args):
        print(f"usage:\n{USAGE}")
        return 0
    quiet, args = split_flags(args, "-q", "--quiet")
    compare(args, Screen(quiet=quiet))
    return 0
