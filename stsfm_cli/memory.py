"""The most memory that a process held while something was done, its libraries included."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Self

PROCESS = Path("/proc/self")
RESET = "5"  # to clear_refs: forget the peak of resident memory; see proc_pid_clear_refs(5)


class Peak:
    """A context manager; afterwards what was held at most inside it, None where nobody counts.

    resident  bytes of the process's memory, by the kernel (Linux only)
    gpu       bytes of tensors on the process's GPUs, by torch
    """

    def __init__(self) -> None:
        self.resident: int | None = None
        self.gpu: int | None = None
        self.counted = False

    def __enter__(self) -> Self:
        try:
            (PROCESS / "clear_refs").write_text(RESET)
            self.counted = True
        except OSError:  # no Linux, or a container that forbids it: a peak of what came before
            self.counted = False
        if _cuda_awake():
            sys.modules["torch"].cuda.reset_peak_memory_stats()
        return self

    def __exit__(self, *error: object) -> None:
        if self.counted:
            lines = (PROCESS / "status").read_text().splitlines()
            held = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
            self.resident = int(held[0]) * 1024 if held else None
        if _cuda_awake():
            self.gpu = int(sys.modules["torch"].cuda.max_memory_allocated())


def _cuda_awake() -> bool:
    """Was a GPU used? A run that did not need torch has not loaded it."""
    torch = sys.modules.get("torch")
    return torch is not None and bool(torch.cuda.is_initialized())
