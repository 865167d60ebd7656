"""Windows as a training takes them: chunks that fit into memory, cut into batches.

They lie on the device of the training. A chunk is one gather, its batches are views of it; where
one cut holds all windows, it is made once.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from stsfm.datasets.panel import Array, Panel
from stsfm.datasets.windows import RollingWindows

Panels = tuple[Panel, Panel, Panel]  # past, future, blank future
CELLS = 16_000_000  # cells of windows gathered at once


class Batches:
    """All cuts of some windows, in batches of `size`."""

    def __init__(self, windows: RollingWindows, size: int, device: torch.device) -> None:
        self.windows, self.size = windows.map(lambda array: as_tensor(array, device)), size
        frame = windows.frame
        cells = (frame.context + frame.horizon) * frame.nodes * (frame.channels + frame.covariates)
        self.chunk = size * max(1, CELLS // (cells * size))
        self.whole: Panels | None = None

    def __len__(self) -> int:
        return len(self.windows)

    def keep(self, most: int) -> None:
        """Cut all windows once, if they are no more than `most`: always in the same order."""
        if 0 < len(self) <= most:
            self.whole = self._cut(slice(None))

    def of(self, rows: Tensor) -> Iterator[Panels]:
        """The batches of a chunk."""
        if self.whole is not None:
            yield self.whole
        elif len(rows) <= self.size:
            yield self._cut(rows)
        else:
            panels = self._cut(rows)
            for start in range(0, len(rows), self.size):
                past, future, blank = (p.part(slice(start, start + self.size)) for p in panels)
                yield past, future, blank

    def chunks(self) -> Iterator[Panels]:
        """All windows in order, as few cuts as fit."""
        for start in range(0, len(self), self.chunk):
            yield self.whole or self._cut(slice(start, start + self.chunk))

    def _cut(self, rows: Tensor | slice) -> Panels:
        past, future = self.windows.take(rows)
        return past, future, future.blank()


def as_tensor(array: Array, device: torch.device) -> Tensor:
    """An array on a device; real numbers in single precision."""
    tensor = torch.as_tensor(array, device=device)
    return tensor.float() if tensor.is_floating_point() else tensor
