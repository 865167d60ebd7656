"""Which cores and GPUs there are for the jobs of a sweep, asked without waking any GPU."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

VISIBLE = "CUDA_VISIBLE_DEVICES"


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpus() -> list[str]:
    """What CUDA_VISIBLE_DEVICES calls the GPUs that this process may use.

    The driver's own tool lists them: a library that did would hold memory on one from then on.
    """
    if (named := os.environ.get(VISIBLE)) is not None:
        names = [name.strip() for name in named.split(",")]
        return [name for name in names if name and name != "-1"]
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return [str(k) for k in range(sum(x.startswith("GPU ") for x in listed.stdout.splitlines()))]


def on_gpu(hardware: Mapping[str, Any]) -> bool:
    """Does a job train on one GPU, which a launcher chooses?"""
    return hardware["accelerator"] in ("gpu", "cuda", "auto") and not spread(hardware)


def spread(hardware: Mapping[str, Any]) -> bool:
    """Does a job take several processes, which it starts by itself?"""
    return hardware["devices"] != 1 or hardware["nodes"] != 1


def free_slot(taken: Collection[int], slots: int, n_gpus: int) -> int:
    """The seat of the next job, on the GPU that has the fewest: slot k is on GPU k % n_gpus."""
    wheel = n_gpus or 1
    load = Counter(slot % wheel for slot in taken)
    return min(set(range(slots)) - set(taken), key=lambda slot: (load[slot % wheel], slot))
