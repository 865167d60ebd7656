"""The folder of a run: whole when read, trusted only when finished; attempt.py writes it.

    runs/<data>/<model>/<run id>/
      status.json      what it is, how it went, and what its files are known by; written last.
                       attempt: which it is; spent: the seconds of all that there were
      config.yaml command.txt environment.json data.json references.bib log.txt [error.txt]
      scores.json windows.npz forecast.npz history.csv model/ [checkpoint/]
      members.json     what the page is beside, and what its files are known by; plots/ table.*

A `running` status whose lock is free belongs to a process that died.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zipfile import BadZipFile

import yaml

from stsfm import files
from stsfm.record import lock

if TYPE_CHECKING:
    import numpy as np

SCHEMA = 3
KEYS = {"model", "data", "settings", "group", "identity", "fingerprint", "headline", "sha256"}
CHECKPOINT = "checkpoint"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast where it was built
State = Literal["running", "finished", "failed", "interrupted", "missing", "crashed", "damaged"]


def rank() -> int:
    """The global rank of this process; only rank 0 locks and writes."""
    for name in ("RANK", "SLURM_PROCID"):
        if os.environ.get(name, "").isdigit():
            return int(os.environ[name])
    return int(os.environ.get("NODE_RANK", "0")) or int(os.environ.get("LOCAL_RANK", "0"))


@dataclass(frozen=True)
class Record:
    """One run folder."""

    folder: Path

    @property
    def status(self) -> dict[str, Any]:
        """{} where it is missing, or not what was written."""
        status = self.read("status.json")
        return status if status.get("sha256") in (None, seal(status)) else {}

    @property
    def config(self) -> dict[str, Any]:
        """What it was made from; {} where the file is missing or broken."""
        try:
            config = yaml.load((self.folder / "config.yaml").read_text(), LOADER)
        except (OSError, ValueError, yaml.YAMLError):
            return {}
        return config if isinstance(config, dict) else {}

    @property
    def state(self) -> State:
        """What can be trusted: `crashed` where the writer died, `damaged` where files differ."""
        state = self.status.get("state", "missing")
        if state == "running" and not self.locked:
            return "crashed"
        return "damaged" if self.damage() else state

    def damage(self, *, every_byte: bool = False) -> str | None:
        """What is wrong with a run that came to its end, in words; None where nothing is."""
        status = self.status
        if not status:
            there = (self.folder / "status.json").exists()
            return "status.json can't be read" if there else None
        if status.get("state") not in ("finished", "failed"):
            return None
        if not status.keys() >= KEYS or status.get("schema") != SCHEMA:
            return "status.json is of another version"
        return files.damage(self.folder, status["files"], every_byte=every_byte)

    @property
    def scores(self) -> dict[str, Any]:
        return self.read("scores.json")

    def pooled(self, part: str) -> dict[str, float]:
        """Metric → score over all of `val` or `test`, of those that have one; {} before any."""
        entries = {name: entry for name, entry in self.scores.get(part, {}).items() if entry}
        return {name: e["pooled"] for name, e in entries.items() if e["pooled"] is not None}

    @property
    def metric(self) -> str:
        """What it is judged by: the first metric of its protocol; else MASE, or MAE where the
        training series has no scale."""
        named = self.status.get("metrics") or ["mase"]
        pooled = self.pooled("test") or self.pooled("val")
        return named[0] if named[0] in pooled else "mae"

    @property
    def tested(self) -> bool:
        """Whether it is scored on all; one of score=val knows nothing of test."""
        return self.status.get("score", "all") == "all"

    @property
    def locked(self) -> bool:
        return lock.held(self.folder)

    @property
    def spent(self) -> float:
        """Seconds of all its attempts, whatever came of them; of one under way, until its files
        last changed: that is how long one lived that died."""
        status = self.status
        if status.get("state") != "running":
            lived = status.get("ended", 0.0) - status.get("started", 0.0)
            return float(status.get("spent", lived))
        changed = (path.stat().st_mtime for path in self.folder.rglob("*") if path.is_file())
        lived = max(changed, default=0.0) - status["started"]
        return float(status.get("spent", 0.0) + max(lived, 0.0))

    def read(self, name: str) -> dict[str, Any]:
        """A JSON file of names and values; {} where it is absent or broken."""
        try:
            content = json.loads((self.folder / name).read_text())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def history(self) -> list[dict[str, Any]]:
        """A row per epoch, without one that is being written; [] for models that have none.

        Of a model whose parts are trained in turn, `stage` tells which.
        """
        path = self.folder / "history.csv"
        text = path.read_text() if path.is_file() else ""
        names, *lines = [line.split(",") for line in text.rpartition("\n")[0].splitlines()] or [[]]
        rows = [zip(names, line, strict=True) for line in lines]
        return [{k: v if k == "stage" else float(v) for k, v in row if v} for row in rows]

    def forecasts(self) -> dict[str, np.ndarray]:
        """The test forecasts, by the names of their arrays; {} where they are absent or broken."""
        return self.arrays("forecast.npz")

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        """The arrays of a .npz file by their names; {} where it is absent or broken."""
        import numpy as np

        try:
            with np.load(self.folder / name, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
        except (OSError, ValueError, BadZipFile):
            return {}

    def append_history(self, row: Mapping[str, Any]) -> None:
        """Stages may have terms of their own: what a row has no value for is left empty."""
        path, names = self.folder / "history.csv", []
        if path.exists():
            with path.open() as file:
                names = file.readline().rstrip("\n").split(",")
        if not set(row) <= set(names):
            before, names = self.history(), list(dict.fromkeys([*names, *row]))
            lines = [",".join(names), *(_cells(other, names) for other in before), ""]
            files.write(path, "\n".join(lines))
        files.append(path, _cells(row, names))


def _cells(row: Mapping[str, Any], names: list[str]) -> str:
    told = (row.get(name, "") for name in names)
    return ",".join(cell if isinstance(cell, str) else f"{cell:.8g}" for cell in told)


def records(runs: Path) -> Iterator[Record]:
    """Every run folder under `runs`, in the order of their names."""
    return (Record(path.parent) for path in sorted(runs.glob("*/*/*/status.json")))


def seal(status: Mapping[str, Any]) -> str:
    """A digest of all else in a status."""
    content = {name: value for name, value in status.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
