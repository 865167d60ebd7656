"""What a training holds: above the imports for a panel in memory, and of its own for one in a file.

Each case is a process of its own; memory is the kernel's count (Linux). `python memory.py large`
adds the panel of 4 GiB, which lies in the folder of temporary files and is deleted afterwards.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
from clock import ENVIRONMENT, report

NODES, CONTEXT, HORIZON = 256, 48, 12
MIB, GIB = 2**20, 2**30


def write(folder: str, size: int, dtype: str) -> Path:
    """A random panel of `size` bytes (time, NODES, 1), some rows at a time, and its stamps."""
    rows = size // (NODES * np.dtype(dtype).itemsize)
    path, rng = Path(folder) / "panel.npy", np.random.default_rng(0)
    out = np.lib.format.open_memmap(path, "w+", dtype, (rows, NODES, 1))
    for first in range(0, rows, 65_536):
        part = out[first : first + 65_536]
        part[:] = rng.standard_normal(part.shape, dtype)
    out.flush()
    told = {"start": "2024-01-01", "step": "5min", "season": 288}
    path.with_suffix(".json").write_text(json.dumps(told))
    return path


def held(name: str) -> int:
    """Bytes that the kernel counts for this process: VmHWM, VmRSS or RssAnon."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith(f"{name}:")))


class Watch(threading.Thread):
    """The most of a count while something goes on."""

    def __init__(self, name: str) -> None:
        super().__init__(daemon=True)
        self.counted, self.most, self.over = name, 0, threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.005):
            self.most = max(self.most, held(self.counted))


def train(path: str, kind: str) -> None:
    """One epoch of a small net over at most 4096 origins; prints what was held."""
    import lightning.pytorch  # noqa: F401  of the imports, whose memory is not the training's
    import torch

    from stsfm.datasets.mapped import mapped
    from stsfm.datasets.panel import Panel
    from stsfm.datasets.protocols.rolling import rolling
    from stsfm.losses.base import Loss
    from stsfm.losses.point import MSE
    from stsfm.models.ltsf_linear import NLinear
    from stsfm.models.neural import Neural
    from stsfm.models.settings import Hardware, Trainer

    torch.set_num_threads(1)
    trainer = Trainer(
        epochs=1, patience=None, batch_size=32, lr=0.001, schedule="constant", clip=1.0,
        accumulate=1, optimizer=partial(torch.optim.AdamW, weight_decay=0.0),
        checkpoint_seconds=None, update_epochs=1,
    )  # fmt: skip
    hardware = Hardware(
        accelerator="cpu", devices=1, nodes=1, strategy="auto", precision="32-true", threads=1
    )
    loss = Loss(terms={"task": MSE()})
    baseline, watch = held("VmRSS"), Watch("RssAnon" if kind == "file" else "VmRSS")
    watch.start()
    start = time.perf_counter()
    panel = mapped(path=path)
    if kind == "memory":
        values = np.load(path)
        mask = np.ones(values.shape, bool)
        panel = Panel(values=values, mask=mask, time=panel.time, about=panel.about)
    split = rolling(panel, horizon=HORIZON, transform="none")
    ready = time.perf_counter() - start
    model = Neural(
        NLinear, context=CONTEXT, seed=1, loss=loss, trainer=trainer, hardware=hardware
    )  # fmt: skip
    some = [
        part.subset(slice(None, None, -(-len(part) // 4096))) for part in (split.train, split.val)
    ]
    model.fit(*some)
    watch.over.set()
    watch.join()
    most = watch.most - (0 if kind == "file" else baseline)
    print(json.dumps({"most": most, "ready": ready, "all": time.perf_counter() - start}))


def measured(path: Path, kind: str) -> dict[str, float]:
    command = [sys.executable, __file__, kind, str(path)]
    made = subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT, text=True)
    return json.loads(made.stdout.splitlines()[-1])


def main(large: bool = False) -> bool:
    kept = []
    with tempfile.TemporaryDirectory() as folder:
        size = 256 * MIB
        most = measured(write(folder, size, "float64"), "memory")["most"]
        bound = (2 * size + 100e6) / MIB
        what = "training on a panel of N = 256 MiB, MiB above the imports"
        kept.append(report(what, most / MIB, round(bound), more="(2 N + 100 MB)"))
    for size, dtype in [(256 * MIB, "float64"), *([(4 * GIB, "float32")] if large else [])]:
        with tempfile.TemporaryDirectory() as folder:
            made = measured(write(folder, size, dtype), "file")
            what = f"training on a file of {size / GIB:g} GiB, MiB of its own"
            more = f"({made['ready']:.0f} s to scale it, {made['all']:.0f} s in all)"
            kept.append(report(what, made["most"] / MIB, 1536, more=more))
    return all(kept)


if __name__ == "__main__":
    if sys.argv[1:2] in (["memory"], ["file"]):
        train(sys.argv[2], sys.argv[1])
    else:
        raise SystemExit(not main(large=sys.argv[1:] == ["large"]))
