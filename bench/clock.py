"""Ratios that can be trusted: CPU time, the two sides in turn, the best of several rounds."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Callable

ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def interleaved(*sides: Callable[[], float], rounds: int = 5) -> list[float]:
    """The best seconds of each side; A B A B …, after one round that is not counted."""
    best = [float("inf")] * len(sides)
    for turn in range(rounds + 1):
        for k, side in enumerate(sides):
            seconds = side()
            if turn:
                best[k] = min(best[k], seconds)
    return best


def here(work: Callable[[], object]) -> Callable[[], float]:
    """CPU seconds of a function in this process."""

    def side() -> float:
        start = time.process_time()
        work()
        return time.process_time() - start

    return side


def outside(*command: str, cwd: str | None = None) -> Callable[[], float]:
    """CPU seconds of a command and its children; its output is read and thrown away."""

    def side() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT, cwd=cwd)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return side


def report(what: str, ratio: float, bound: float, *, more: str = "", least: bool = False) -> bool:
    """Print a line; was the bound kept?"""
    kept = ratio >= bound if least else ratio <= bound
    sign = "≥" if least else "≤"
    print(
        f"{'ok  ' if kept else 'SLOW'}  {what:58} {ratio:7.3f}  {sign} {bound:<6} {more}",
        flush=True,
    )
    return kept
