"""`stsfm detect`: where the series of a dataset change, kept like a run.

stsfm detect data=nile                           by the default detector; `stsfm list detector`
stsfm detect model=bocpd data=my.csv             another; detector=bocpd says the same
stsfm show detector=pelt                         its keys: model.least=5
stsfm detect -m model=pelt,bocpd data=tcpd data.path=tcpd data.series=nile,seatbelts
                                                 several values: each, then compared
  control=pelt  the detector that others are tested against (the best)
  data.key=value seed=N seeds=N runs_dir=DIR force=true plugins=[…] --config-dir FOLDER -q
  question=TEXT  as for run
"""

from __future__ import annotations

from stsfm.request import split_flags
from stsfm.screen import Screen

USAGE = __doc__.partition("\n\n")[2]


def main(args: list[str]) -> int:
    """Detect, or show what was found before; the exit code is 1 where any failed."""
    if {"-h", "--help"} & set(args):
        print(f"usage:\n{USAGE}", end="")
        return 0
    quiet, args = split_flags(args, "-q", "--quiet")
    from stsfm.detections.perform import perform

    return perform(args, Screen(quiet=quiet)).code
