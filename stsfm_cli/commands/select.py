"""`stsfm select`: which of many models fits the data, judged before the test rows are looked at.

stsfm select data=airline                        from all models; the chosen one is tested once
stsfm select among=recurrent,arima data=my.csv   classes and models; `stsfm list class` has them
  metric=mae         the error that decides; MASE if none is named
  budget=10m         of time; 3m if none is named
  seeds=3            of models that draw random numbers, in the last round and on test
  --dry-run          who takes part, and who is left out
  protocol.horizon=6 trainer=… launcher.n_jobs=1 runs_dir=DIR force=true --config-dir FOLDER -q
                     as for run
"""

from __future__ import annotations

from stsfm.request import split_flags
from stsfm.screen import Screen

USAGE = __doc__.partition("\n\n")[2]


def main(args: list[str]) -> int:
    """Select, or show what was selected before; the exit code is 1 where the test failed."""
    if {"-h", "--help"} & set(args):
        print(f"usage:\n{USAGE}", end="")
        return 0
    quiet, args = split_flags(args, "-q", "--quiet")
    from stsfm.selecting.command import perform  # numpy comes with it

    return perform(args, Screen(quiet=quiet)).code
