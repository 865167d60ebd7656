"""The process of one job, in two ways: a fork of a warm server, or a command.

The server (multiprocessing's) has all libraries loaded and no thread, so a fork of it is safe and
starts in milliseconds. A job on several devices is a command, for Lightning starts its other
processes by repeating the command line.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Protocol

import psutil

from stsfm.launchers import child, limits
from stsfm.launchers.orphans import CHILD
from stsfm.launchers.watched import command
from stsfm.sweeps.plan import Job


class Process(Protocol):
    """A job's process, the head of a group that holds nothing else."""

    pid: int

    def code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""

    def interrupt(self) -> None:
        """Ask it to close its record and end."""


class Forked:
    """A fork of the server."""

    def __init__(self, job: Job, environ: Mapping[str, str], log: Path) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(child.PRELOAD)
        arguments = (job, dict(environ), str(Path.cwd()), str(log.resolve()))
        self.process: BaseProcess = context.Process(target=child.main, args=arguments)
        with _server_born_with(environ):
            self.process.start()
        assert self.process.pid is not None
        self.pid = self.process.pid

    def code(self) -> int | None:
        return self.process.exitcode

    def interrupt(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)


class Command:
    """`stsfm run …`, and the processes that it starts."""

    def __init__(self, job: Job, environ: Mapping[str, str], log: Path) -> None:
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                command(job), env={**environ, CHILD: "1"}, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.pid = self.process.pid

    def code(self) -> int | None:
        return self.process.poll()

    def interrupt(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGTERM)


def kill(process: Process) -> None:
    """End a process, its group and all that it started; its group also where it has ended."""
    gone = (ProcessLookupError, PermissionError)
    started = limits.family(process.pid)[1:] if process.code() is None else []
    if process.code() is None:  # else its number may be another's by now
        with suppress(*gone):
            os.kill(process.pid, signal.SIGKILL)  # it may not head its group yet
    with suppress(*gone):
        os.killpg(process.pid, signal.SIGKILL)
    for one in started:  # those that lead groups of their own
        with suppress(psutil.Error):
            one.kill()


@contextmanager
def _server_born_with(environ: Mapping[str, str]) -> Iterator[None]:
    """The first start of a process starts the server, too.

    Libraries read the number of their threads from the environment as they are loaded. Ctrl-C is
    no business of the server's. And a script that called us must not be run again in each process,
    as multiprocessing would.
    """
    main, ours = sys.modules["__main__"], dict(os.environ)
    theirs = {name: value for name, value in environ.items() if ours.get(name) != value}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    sys.modules["__main__"] = ModuleType("__main__")
    os.environ.update(theirs)
    try:
        yield
    finally:
        for name in theirs:
            if name in ours:
                os.environ[name] = ours[name]
            else:
                del os.environ[name]
        sys.modules["__main__"] = main
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
