"""A process whose parent was killed ends by itself, and takes with it what it started."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

CHILD = "STSFM_CHILD"  # set in the environment of a command that a sweep starts
PERIOD = 1.0  # seconds between two looks


def end_after(death: Callable[[], object]) -> None:
    """End this process and its own group when `death` returns, which a thread waits for."""

    def watch() -> None:
        death()
        if os.getpgrp() == os.getpid():  # the head of a group that holds nothing but this job
            os.killpg(0, signal.SIGKILL)
        os._exit(128 + signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def end_with_the_parent() -> None:
    """Who waited for a parent that was killed would wait forever."""
    parent = os.getppid()

    def death() -> None:
        while os.getppid() == parent:
            time.sleep(PERIOD)

    end_after(death)
