"""What a sweep adds to its jobs, and what a second process brings.

Wall time, for that is what several processes are for: on a machine that does other things, too, the
figures tell of those. Starting up is left out, as the difference between a long sweep and a short
one of the same jobs.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from clock import ENVIRONMENT, report

FEW, MANY = 2, 12  # jobs
JOB = ["model=lstm", "trainer.epochs=100", "trainer.patience=null", "baselines=[]"]


def main() -> bool:
    one, two = (median(per_job(n_jobs) for _ in range(3)) for n_jobs in (1, 2))
    alone = float(subprocess.run(
        [sys.executable, __file__, "alone"], env=ENVIRONMENT, check=True, capture_output=True
    ).stdout)  # fmt: skip
    more = f"({one:.2f} and {two:.2f} s a job; {alone:.2f} s alone)"
    over = max(one, 2 * two) - alone
    kept = report("a job of a sweep against the job alone, seconds more", over, 0.5, more=more)
    return kept & report("throughput of two processes to one's", one / two, 1.6, least=True)


def per_job(n_jobs: int) -> float:
    """Seconds that one job more takes."""
    return (_sweep(n_jobs, MANY) - _sweep(n_jobs, FEW)) / (MANY - FEW)


def _sweep(n_jobs: int, seeds: int) -> float:
    words = [*JOB, f"seeds={seeds}", f"launcher.n_jobs={n_jobs}"]
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        command = [sys.executable, "-m", "stsfm", "run", "-q", *words]
        subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT, cwd=folder)
        return time.perf_counter() - start


def alone() -> float:
    """Median seconds of the job where everything is loaded, its page included."""
    from stsfm import compose
    from stsfm.job import make
    from stsfm.screen import Screen
    from stsfm.sweeps.plan import plan

    times = []
    with tempfile.TemporaryDirectory() as folder:
        for job in plan(compose.jobs([*JOB, "seeds=4", f"runs_dir={Path(folder)}"])).jobs:
            start = time.perf_counter()
            make(job, Screen(quiet=True))
            times.append(time.perf_counter() - start)
    return median(times[1:])


if __name__ == "__main__":
    if sys.argv[1:] == ["alone"]:
        print(alone())
    else:
        raise SystemExit(not main())
