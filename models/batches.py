"""Windows as a training takes them: chunks that fit into memory, cut into batches.

A chunk is one gather, its batches are views of it; where one cut holds all windows, it is made
once. A panel in memory is copied to the device in single precision (on the CPU a large one is
shared, and its cuts are converted), and an epoch is a permutation of its windows.

One that lies in a file stays there: an epoch goes through blocks of BLOCK windows that follow each
other, in random order; the windows of a chunk, which holds several blocks, are read in the order of
the file and shuffled among each other. So what is read lies together, and what is learned from
together does not.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from stsfm.datasets.panel import Array, Panel
from stsfm.datasets.storage.rows import mapped
from stsfm.datasets.windows import RollingWindows

Panels = tuple[Panel, Panel, Panel]  # past, future, blank future
CELLS = 4_000_000  # cells of windows gathered at once
SEEN = 1_000_000  # cells of windows that a net sees at once, where no gradient is kept
COPIED = 2**26  # bytes of an array that is copied on the CPU
BLOCK = 8  # windows that follow each other in a file, read together


class Batches:
    """All cuts of some windows, in batches of `size`, on the device of the training."""

    def __init__(self, windows: RollingWindows, size: int, device: torch.device) -> None:
        self.size, self.device = size, device
        self.mapped = mapped(windows.panel.values)
        moved = windows if self.mapped else windows.map(self._near)
        self.windows, self.transform = moved, windows.transform.map(self._single)
        frame = windows.frame
        cells = (frame.context + frame.horizon) * frame.nodes * (frame.channels + frame.covariates)
        self.chunk, self.seen = (size * max(1, most // (cells * size)) for most in (CELLS, SEEN))
        self.whole: Panels | None = None

    def __len__(self) -> int:
        return len(self.windows)

    def keep(self, most: int) -> None:
        """Cut all windows once, if they are no more than `most`: always in the same order."""
        if 0 < len(self) <= most:
            self.whole = self._cut(slice(None))

    def order(self) -> Tensor:
        """Every window once, in the order of an epoch; torch's seed decides it."""
        if not self.mapped:
            return torch.randperm(len(self))
        blocks = torch.arange(len(self)).split(BLOCK)
        mixed = torch.cat([blocks[k] for k in torch.randperm(len(blocks)).tolist()])
        return torch.cat([part[torch.randperm(len(part))] for part in mixed.split(self.chunk)])

    def of(self, rows: Tensor) -> Iterator[Panels]:
        """The batches of a chunk."""
        if self.whole is not None:
            yield self.whole
        elif len(rows) <= self.size:
            yield self._cut(rows)
        elif self.mapped:
            ascending, places = rows.sort()
            panels = self._cut(ascending)
            for part in places.argsort().split(self.size):
                past, future, blank = (p.part(part) for p in panels)
                yield past, future, blank
        else:
            panels = self._cut(rows)
            for start in range(0, len(rows), self.size):
                past, future, blank = (p.part(slice(start, start + self.size)) for p in panels)
                yield past, future, blank

    def chunks(self) -> Iterator[Panels]:
        """All windows in order, as many at once as a net may see."""
        for start in range(0, len(self), self.seen):
            yield self.whole or self._cut(slice(start, start + self.seen))

    def _cut(self, rows: Tensor | slice) -> Panels:
        held = self.mapped and isinstance(rows, Tensor)  # numpy reads what lies in a file
        taken = self.windows.take(rows.cpu().numpy() if held else rows)  # type: ignore[union-attr]
        past, future = (panel.map(self._single) for panel in taken)
        return past, future, future.blank()

    def _near(self, array: Array) -> Tensor:
        """An array of the whole panel on the device; an unbroken mask is one cell for all."""
        tensor = torch.as_tensor(array, device=self.device)
        if tensor.dtype is torch.bool:
            whole = bool(tensor.all())
            return tensor.new_ones(()).expand(tensor.shape) if whole else tensor.contiguous()
        shared = self.device.type == "cpu" and tensor.nbytes > COPIED
        return tensor if shared else _float(tensor)

    def _single(self, array: Array) -> Tensor:
        return as_tensor(array, self.device)


def as_tensor(array: Array, device: torch.device) -> Tensor:
    """An array on a device; real numbers in single precision."""
    return _float(torch.as_tensor(array, device=device))


def _float(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor
