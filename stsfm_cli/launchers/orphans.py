"""A process whose parent was killed ends by itself, and takes with it what it started."""

from __future__ import annotations

import os
import signal
import threading
import time

CHILD = "STSFM_CHILD"  # set in the environment of a command that a sweep starts
PERIOD = 1.0  # seconds between two looks


def end_with_the_parent() -> None:
    """Watch the parent in a thread: who waited for a killed one would wait forever."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PERIOD)
        if os.getpgrp() == os.getpid():  # the head of a group that holds nothing but this job
            os.killpg(0, signal.SIGKILL)
        os._exit(128 + signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
