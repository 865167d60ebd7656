"""What each stage learned is kept until the run is finished: one that was killed goes on there."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from stsfm.datasets.windows import RollingWindows
from stsfm.models.checkpoint import Store, windows_digest
from stsfm.models.learned import Learned


@dataclass(frozen=True)
class Kept:
    """The stages of one fit: those learned from the same windows before are not learned again."""

    store: Store | None
    digest: str  # of the windows

    @classmethod
    def of(cls, store: Store | None, train: RollingWindows, val: RollingWindows | None) -> Self:
        seen = [train] if val is None else [train, val]
        return cls(store, windows_digest(*seen)[:10] if store else "")

    def stage(self, name: str, part: Learned, learn: Callable[[], object]) -> None:
        """Learn, unless it was done; without a store always. What fails says in which stage."""
        file = f"{name}-{self.digest}.zip"
        if self.store and (content := self.store.read(file)):
            with TemporaryDirectory() as folder:
                zipfile.ZipFile(io.BytesIO(content)).extractall(folder)
                part.load(Path(folder))
            self.store.say(f"{name}: as it was learned before")
            return
        try:
            learn()
        except (ValueError, FloatingPointError) as error:
            error.args = (f"{name}: {error}",)
            raise
        if self.store:
            self.store.write(file, _packed(part))


def _packed(part: Learned) -> bytes:
    """All files that it saves, as one."""
    out = io.BytesIO()
    with TemporaryDirectory() as folder, zipfile.ZipFile(out, "w") as packed:
        part.save(Path(folder))
        for file in sorted(Path(folder).rglob("*")):
            packed.write(file, file.relative_to(folder))
    return out.getvalue()
