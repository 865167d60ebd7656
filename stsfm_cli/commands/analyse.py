"""`stsfm analyse`: what there is between the series of a dataset, kept like a run.

stsfm analyse analysis=ccm data=my.csv           who drives whom; `stsfm list analysis` has others
stsfm analyse analysis=ccm data=ring seed=2 analysis.dim=3
stsfm analyse analysis=states analysis/embedding=lle data=lorenz63    in which coordinates they move
stsfm show analysis=ccm                          its keys
  data.key=value runs_dir=DIR force=true plugins=[…] --config-dir FOLDER -q    as for run
"""

from __future__ import annotations

import re

from stsfm.mistakes import Mistake, did_you_mean
from stsfm.request import split_flags
from stsfm.screen import Screen

USAGE = __doc__.partition("\n\n")[2]
KEYS = ("analysis", "data", "force", "plugins", "runs_dir", "seed")
FOLDER = ("-cd", "--config-dir")


def main(args: list[str]) -> int:
    """Analyse, or show what was found before; the exit code is 1 where it failed."""
    if {"-h", "--help"} & set(args):
        print(f"usage:\n{USAGE}", end="")
        return 0
    quiet, args = split_flags(args, "-q", "--quiet")
    for before, word in zip(["", *args], args, strict=False):
        if before not in FOLDER and not word.startswith(FOLDER):
            _check(word)
    from stsfm import compose

    config = compose.config(args)
    if not config["analysis"]:
        raise Mistake(
            "wanted an analysis: stsfm analyse analysis=ccm data=…; `stsfm list analysis` has all"
        )
    from stsfm.analyses import analyse  # numpy comes with it

    return 0 if analyse(config, args, Screen(quiet=quiet)).state == "finished" else 1


def _check(word: str) -> None:
    """Only what an analysis is made of may be said."""
    if word.startswith("-"):
        raise Mistake(f"unknown option {word!r}; `stsfm analyse --help` lists all")
    key = re.split(r"[./]", word.lstrip("+").partition("=")[0])[0]
    if key not in KEYS:
        raise Mistake(
            f"{word}: an analysis has no {key!r}.{did_you_mean(key, KEYS)} It reads "
            f"{', '.join(KEYS)}"
        )
