"""What learns from data and is kept: learned arrays have names that end with an underscore."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

import numpy as np


class Learned:
    """Saves and loads what it learned; loading never runs code."""

    classes: ClassVar[frozenset[str]] = frozenset()  # that it belongs to; `stsfm list class`

    @property
    def parameters(self) -> int:
        """How many numbers were learned."""
        return sum(np.size(value) for value in self._learned().values())

    def save(self, folder: Path) -> None:
        """Write what was learned; loading it again never runs code."""
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / "learned.npz", allow_pickle=False, **self._learned())

    def load(self, folder: Path) -> Self:
        """Read what `save` wrote, into an object of the same hyperparameters."""
        with np.load(folder / "learned.npz", allow_pickle=False) as learned:
            for name in learned.files:
                setattr(self, name, learned[name])
        return self

    def _learned(self) -> dict[str, np.ndarray]:
        return {k: np.asarray(v) for k, v in vars(self).items() if k.endswith("_") and k[0] != "_"}
