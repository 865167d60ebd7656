"""Jobs on this machine, each in a process of its own: what one does to itself, no other feels."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, final

from stsfm.launchers import limits
from stsfm.launchers.base import Ending, Launcher
from stsfm.launchers.devices import VISIBLE, cores, free_slot, gpus, on_gpu, spread
from stsfm.launchers.processes import Command, Forked, Process, kill
from stsfm.launchers.watched import Watched, log_of
from stsfm.mistakes import Mistake
from stsfm.sweeps.plan import Job

GRACE = 7.0  # seconds that a job has to close its record before it is killed
PERIOD = 0.25  # seconds between two looks at the memory of a job


@dataclass
class _Seat:
    """A job that runs, and where."""

    watched: Watched
    process: Process
    slot: int
    began: float  # by the monotonic clock, as all here
    doomed: float | None = None  # when it is killed, once it was asked to end
    looked: float = 0.0


@final
class Local(Launcher):
    """n_jobs processes at a time, each with limits of its own.

    n_jobs   "auto" = the GPUs where the first job needs one, else the cores over its threads
    timeout  of one attempt, in seconds or as "10m", "2h"
    memory   resident memory of a job's processes together, as "4GiB"
    """

    def __init__(
        self,
        *,
        n_jobs: int | Literal["auto"],
        timeout: float | str | None,
        memory: float | str | None,
    ) -> None:
        if n_jobs != "auto" and n_jobs < 1:
            raise Mistake(f"launcher.n_jobs: wanted at least 1, or auto; got {n_jobs}")
        self.auto = n_jobs == "auto"
        self.n_jobs = 1 if n_jobs == "auto" else n_jobs
        self.timeout = limits.seconds(timeout, "launcher.timeout")
        self.memory, self.limit = limits.size(memory, "launcher.memory"), memory
        self.gpus: list[str] | None = None  # asked for when a job needs one
        self._seats: list[_Seat] = []
        self._gone: list[tuple[Job, Ending]] = []

    def start(self, job: Job) -> None:
        hardware = job.config["hardware"]
        visible = self._gpus(hardware)
        if self.auto:
            self.n_jobs, self.auto = _room(hardware, visible), False
        slot = free_slot([seat.slot for seat in self._seats], self.n_jobs, len(visible))
        environ = {**os.environ, "OMP_NUM_THREADS": str(hardware["threads"])}
        if visible:
            environ[VISIBLE] = visible[slot % len(visible)]
        log, watched = log_of(job), Watched(job)
        kind = Command if spread(hardware) else Forked
        self._seats.append(_Seat(watched, kind(job, environ, log), slot, time.monotonic()))

    def ended(self) -> list[tuple[Job, Ending]]:
        for seat in list(self._seats):
            code = seat.process.code()
            if code is None:
                self._watch(seat, time.monotonic())
                continue
            kill(seat.process)  # what it may have left behind
            self._seats.remove(seat)
            self._gone.append((seat.watched.job, seat.watched.ending(code)))
        gone, self._gone = self._gone, []
        return gone

    def stop(self, job: Job, reason: str) -> None:
        for seat in self._seats:
            if seat.watched.job is job and seat.doomed is None:
                seat.watched.stopped = reason
                seat.doomed = time.monotonic() + GRACE
                seat.process.interrupt()

    def close(self) -> None:
        for seat in self._seats:
            self.stop(seat.watched.job, "stopped with its sweep")
        gone: list[tuple[Job, Ending]] = []
        try:
            self._wait(gone, GRACE + 0.5)
        finally:  # a second Ctrl-C ends the patience
            for seat in self._seats:
                kill(seat.process)
            self._wait(gone, 2.0)
            self._gone = gone

    def _wait(self, gone: list[tuple[Job, Ending]], seconds: float) -> None:
        end = time.monotonic() + seconds
        while self._seats and time.monotonic() < end:
            gone += self.ended()
            time.sleep(0.01)

    def advice(self, job: Job) -> str:
        hardware = job.config["hardware"]
        each = hardware["threads"] * (hardware["devices"] if spread(hardware) else 1)
        if self.n_jobs * each <= cores() or self.n_jobs == 1:
            return ""
        return (
            f"launcher.n_jobs={self.n_jobs} × {each} threads each are more than the {cores()} "
            "cores: jobs will wait for each other"
        )

    def _watch(self, seat: _Seat, now: float) -> None:
        """Limits, of a job that runs."""
        if seat.doomed is not None:
            if now > seat.doomed:
                kill(seat.process)
            return
        if self.timeout and now - seat.began > self.timeout:
            seat.watched.broke = f"took longer than {limits.lasting(self.timeout)}"
        elif self.memory and now - seat.looked > PERIOD:
            seat.looked, used = now, limits.resident(seat.process.pid)
            if used > self.memory:
                held = limits.sized(used)
                seat.watched.broke = f"used {held}, more than launcher.memory={self.limit}"
        if seat.watched.broke:
            seat.doomed = now
            kill(seat.process)

    def _gpus(self, hardware: Mapping[str, Any]) -> list[str]:
        """Those that a job may be given one of; none where it trains elsewhere, or on several."""
        if not on_gpu(hardware):
            return []
        if self.gpus is None:
            self.gpus = gpus()
        return self.gpus


def _room(hardware: Mapping[str, Any], visible: list[str]) -> int:
    """How many jobs like this one run at a time."""
    return len(visible) or max(1, cores() // hardware["threads"])
