"""The state of a training after an epoch, so that one that was killed goes on from there.

What is random is derived from (seed, epoch): the weights, the optimiser's state, the best copy and
the rows of past epochs are all that the next epoch needs, and a resumed training ends with the bits
of an unbroken one. A file is one line, then tensors that are read without running code:

    sha256 of what follows · torch 2.13.0, 1 process
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from stsfm.datasets.windows import RollingWindows


class Store(Protocol):
    """Where checkpoints are kept; it belongs to one run, and a run is its content."""

    def read(self, name: str) -> bytes | None:
        """What was last written under a name; None where nothing was."""

    def write(self, name: str, content: bytes) -> None:
        """Write all of it, or leave what was there."""

    def say(self, line: str) -> None:
        """Tell the user."""


@dataclass(frozen=True)
class Checkpoint:
    """The checkpoint of one training of a run."""

    store: Store
    name: str

    def save(
        self,
        net: nn.Module,
        optimizer: torch.optim.Optimizer,
        progress: Mapping[str, Any],
        processes: int,
    ) -> None:
        """Keep the state of a training instead of the one before."""
        state = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), **progress}
        out = io.BytesIO()
        torch.save(state, out)
        content = out.getvalue()
        head = f"{hashlib.sha256(content).hexdigest()} · {_maker(processes)}\n"
        self.store.write(self.name, head.encode() + content)

    def read(self, processes: int) -> bytes | None:
        """What `restore` takes; None, said aloud, where it is damaged or its bits would differ."""
        head, _, content = (self.store.read(self.name) or b"").partition(b"\n")
        digest, _, maker = head.decode(errors="replace").partition(" · ")
        if digest == hashlib.sha256(content).hexdigest() and maker == _maker(processes):
            return content
        if digest == hashlib.sha256(content).hexdigest():
            why = f"is of {maker}, this is {_maker(processes)}"
            self.store.say(f"the checkpoint {why}: training begins anew")
        elif head:
            self.store.say("the checkpoint is damaged: training begins anew")
        return None

    def tell(self, epochs: int) -> None:
        """Say how much of the training need not be done again."""
        self.store.say(
            f"resumed at epoch {epochs}"
            if epochs
            else "the checkpoint can't be read without running code: training begins anew"
        )


def restore(content: bytes, net: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Bring net and optimiser into the state that was kept; returns the rest of it.

    What holds more than tensors and plain values is not read: then there is no rest.
    """
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        return {}
    net.load_state_dict(state.pop("net"))
    optimizer.load_state_dict(state.pop("optimizer"))
    return dict(state)


def training_name(net: nn.Module, windows: RollingWindows, val: RollingWindows) -> str:
    """What tells the trainings of a run apart: what they start from, and the windows they see."""
    seen = f"{weights_digest(net)} {windows_digest(windows, val)}"
    return f"{hashlib.sha256(seen.encode()).hexdigest()[:10]}.pt"


def windows_digest(*several: RollingWindows) -> str:
    """sha256 of what is seen through windows: the parts of a model see other panels than it."""
    digest = hashlib.sha256()
    for windows in several:
        for array in (windows.origins, windows.panel.values, windows.panel.mask):
            digest.update(np.ascontiguousarray(array).tobytes() + b"|")
    return digest.hexdigest()


def weights_digest(net: nn.Module) -> str:
    """sha256 of all weights: equal on every rank after training."""
    digest = hashlib.sha256()
    for name, value in net.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def _maker(processes: int) -> str:
    """What decides the bits beside the run's identity."""
    return f"torch {torch.__version__}, {processes} process" + "es" * (processes > 1)
