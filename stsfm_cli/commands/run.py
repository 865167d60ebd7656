"""`stsfm run`: one job, or a sweep of jobs that ends in one table."""

from __future__ import annotations

import os

from stsfm.again import spelled_out
from stsfm.jobs import perform
from stsfm.launchers.orphans import CHILD, end_with_the_parent
from stsfm.mistakes import Mistake
from stsfm.record import rank
from stsfm.request import split_flags
from stsfm.screen import Screen


def main(args: list[str]) -> int:
    """Compose the jobs, run each, and put them side by side where there are several."""
    quiet, args = split_flags(args, "-q", "--quiet")
    if asked := next((word for word in args if word.startswith("analysis")), ""):
        raise Mistake(f"{asked}: a run forecasts; `stsfm analyse {asked} …` analyses")
    if asked := next((word for word in args if word.startswith("detector")), ""):
        raise Mistake(f"{asked}: a run forecasts; `stsfm detect {asked} …` finds change points")
    if rank() > 0 or CHILD in os.environ:
        end_with_the_parent()
    return perform(spelled_out(args), Screen(quiet=quiet or rank() > 0)).code
