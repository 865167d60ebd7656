"""`stsfm compare`: tables from run folders, rebuilt whenever asked for.

stsfm compare [model=a,b] [data=…] [seed=…] [protocol=…] [any.key=value]
  --metric mae         the score that models are ordered by (mase)
  --rows, --columns    model, data, horizon, protocol, seed or any key: what a grid has where
  --by KEY             a grid for each of its values
  --control arima      the model that others are tested against (best classical on validation)
  --question TEXT      what is asked: a sentence for the report
  --all-configs        every configuration; stamps the tables EXPLORATORY
"""

from __future__ import annotations

from stsfm.request import split_flags
from stsfm.screen import Screen

USAGE = __doc__.partition("\n\n")[2]


def main(args: list[str]) -> int:
    """Write the tables of the runs that match, and print them."""
    if {"-h", "--help"} & set(args):
        print(f"usage:\n{USAGE}", end="")
        return 0
    from stsfm.comparison import compare  # numpy comes with it

    quiet, args = split_flags(args, "-q", "--quiet")
    compare(args, Screen(quiet=quiet))
    return 0
