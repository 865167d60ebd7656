"""`stsfm run`: one job, or a sweep of jobs that ends in one table."""

from __future__ import annotations

import os
import threading
import time

from stsfm.again import spelled_out
from stsfm.jobs import perform
from stsfm.record import rank
from stsfm.request import split_flags
from stsfm.screen import Screen


def main(args: list[str]) -> int:
    """Compose the jobs, run each, and put them side by side where there are several."""
    quiet, args = split_flags(args, "-q", "--quiet")
    if rank() > 0:
        _end_with_the_parent()
    return perform(spelled_out(args), Screen(quiet=quiet or rank() > 0)).code


def _end_with_the_parent() -> None:
    """A rank whose launcher was killed would wait for it forever."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(143)

    threading.Thread(target=watch, daemon=True).start()
