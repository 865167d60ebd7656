"""Ratios that can be trusted: CPU time, the two sides in turn, the median of their ratios."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Callable
from statistics import median

ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def paired(
    ours: Callable[[], float], theirs: Callable[[], float], rounds: int = 5
) -> tuple[float, float, float]:
    """Median of the ratios of neighbours in A B A B …, and the median seconds of each side.

    The speed of a shared machine drifts; what ran side by side saw the same speed. One more round
    comes first and is not counted.
    """
    pairs = [(ours(), theirs()) for _ in range(rounds + 1)][1:]
    return (
        median(a / b for a, b in pairs),
        median(a for a, _ in pairs),
        median(b for _, b in pairs),
    )


def seconds(side: Callable[[], float], rounds: int = 5) -> float:
    """The median of several rounds after one that is not counted."""
    return median([side() for _ in range(rounds + 1)][1:])


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
