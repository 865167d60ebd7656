"""What the process of one job does: it takes the config that it is handed, and writes its record.

The process is a fork of a server that has the libraries loaded, so it starts in milliseconds.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import sys
import traceback
from typing import NoReturn

from stsfm.identity import source_digest
from stsfm.launchers.orphans import end_after
from stsfm.mistakes import Mistake, tell
from stsfm.screen import Screen
from stsfm.sweeps.plan import Job

PRELOAD = [  # all that a job of any model imports
    "lightning.pytorch",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "stsfm.job",
    "stsfm.launchers.child",
    "stsfm.launchers.server",
    "stsfm.models.neural",
    "stsfm.plots.style",
]


def main(job: Job, environ: dict[str, str], folder: str, log: str) -> None:
    """Make a job; the exit code is 0 where its record is finished.

    environ, folder  of the sweep: the server keeps those that it was started with
    log              where all that is printed goes
    """
    os.setsid()  # Ctrl-C in a terminal is the sweep's to answer
    signal.signal(signal.SIGTERM, _terminated)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    faulthandler.enable()
    if sweep := multiprocessing.parent_process():  # which is not the server, our parent by birth
        end_after(sweep.join)
    sys.exit(_make(job))


def _make(job: Job) -> int:
    try:
        _check_source(job)
        from stsfm.job import make

        run = make(job, Screen())
    except Exception as error:  # before or after the attempt, which records its own
        traceback.print_exc()
        return tell("run", error)
    return 0 if run is not None and run.state == "finished" else 1


def _check_source(job: Job) -> None:
    """A run is named by its source as it was when the sweep was planned."""
    for module, digest in job.identity.modules.items():
        if source_digest(module) != digest:
            raise Mistake(f"{module} was edited since the sweep began; the same command goes on")


def _terminated(*_: object) -> NoReturn:
    raise SystemExit(128 + signal.SIGTERM)  # through every `finally`, so that the record is closed
