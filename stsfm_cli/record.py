"""The folder of a run: locked while written, whole when read, trusted only when finished.

    runs/<data>/<model>/<run id>/
      status.json      what it is and how it went; written last
      config.yaml command.txt environment.json data.json references.bib log.txt [error.txt]
      scores.json windows.npz forecast.npz history.csv model/ plots/ table.md table.csv

A `running` status whose lock is free belongs to a process that died.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
import socket
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

import yaml

from stsfm.identity import Identity
from stsfm.mistakes import Mistake

SCHEMA = 2
KEYS = {"model", "data", "settings", "group", "identity", "fingerprint", "headline"}
State = Literal["running", "finished", "failed", "interrupted", "missing", "crashed", "damaged"]


def rank() -> int:
    """The global rank of this process; only rank 0 locks and writes."""
    for name in ("RANK", "SLURM_PROCID"):
        if os.environ.get(name, "").isdigit():
            return int(os.environ[name])
    return int(os.environ.get("NODE_RANK", "0")) or int(os.environ.get("LOCAL_RANK", "0"))


def write(path: Path, content: str | bytes) -> None:
    """Write a whole file or none: readers see the old one or the new one, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    with new.open("wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def write_json(path: Path, content: Any) -> None:
    write(path, json.dumps(content, indent=1, default=str) + "\n")


@dataclass(frozen=True)
class Record:
    """One run folder."""

    folder: Path

    @property
    def status(self) -> dict[str, Any]:
        return self.read("status.json")

    @property
    def config(self) -> dict[str, Any]:
        """What it was made from; {} where the file is missing or broken."""
        try:
            config = yaml.safe_load((self.folder / "config.yaml").read_text())
        except (OSError, yaml.YAMLError):
            return {}
        return config if isinstance(config, dict) else {}

    @property
    def state(self) -> State:
        """What can be trusted: `crashed` where the writer died, `damaged` where files lack."""
        status = self.status
        state = status.get("state", "missing")
        if state == "running" and not self.locked:
            return "crashed"
        known = status.keys() >= KEYS and status.get("schema") == SCHEMA
        if state in ("finished", "failed") and not known:
            return "damaged"
        if state == "finished" and not {"val", "test", "cost"} <= self.scores.keys():
            return "damaged"
        return state

    @property
    def scores(self) -> dict[str, Any]:
        return self.read("scores.json")

    @property
    def locked(self) -> bool:
        try:
            with (self.folder / ".lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def read(self, name: str) -> dict[str, Any]:
        """A JSON file of names and values; {} where it is absent or broken."""
        try:
            content = json.loads((self.folder / name).read_text())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def history(self) -> list[dict[str, float]]:
        """A row per epoch; [] for models that have none."""
        path = self.folder / "history.csv"
        lines = path.read_text().splitlines() if path.is_file() else []
        names = lines[0].split(",") if lines else []
        return [
            dict(zip(names, map(float, line.split(",")), strict=True)) for line in lines[1:] if line
        ]

    def append_history(self, row: Mapping[str, float]) -> None:
        path = self.folder / "history.csv"
        new = not path.exists()
        with path.open("a") as file:
            if new:
                file.write(",".join(row) + "\n")
            file.write(",".join(f"{value:.8g}" for value in row.values()) + "\n")


def records(runs: Path) -> Iterator[Record]:
    """Every run folder under `runs`, in the order of their names."""
    return (Record(path.parent) for path in sorted(runs.glob("*/*/*/status.json")))


@contextmanager
def writing(
    runs: Path, identity: Identity, about: Mapping[str, Any], *, force: bool
) -> Iterator[Record | None]:
    """Hold the run's folder; yields its record, or None where another has finished it already.

    An exception leaves the status `failed` or `interrupted`, its trace in error.txt, and goes on.
    """
    record = Record(runs / identity.folder)
    try:
        record.folder.mkdir(parents=True, exist_ok=True)
        lock = (record.folder / ".lock").open("w")
    except OSError as error:
        raise Mistake(f"can't write {record.folder}: {error.strerror}; see runs_dir=…") from error
    with lock:
        _wait_for(lock, record.folder)
        if record.state == "finished" and not force:
            yield None
            return
        attempt = record.status.get("attempt", 0) + 1
        _clear(record.folder)
        status = {
            "schema": SCHEMA, "state": "running", "attempt": attempt, "run": identity.run_id,
            "group": identity.group, "settings": identity.settings, "identity": asdict(identity),
            **about, "pid": os.getpid(), "host": socket.gethostname(), "started": time.time(),
        }  # fmt: skip
        write_json(record.folder / "status.json", status)
        log = _log_to(record.folder / "log.txt")
        try:
            yield record
            status["state"] = "finished"
        except BaseException as error:
            stopped = isinstance(error, KeyboardInterrupt | SystemExit)
            status["state"] = "interrupted" if stopped else "failed"
            status["error"] = f"{type(error).__name__}: {error}".rstrip(": ")
            write(record.folder / "error.txt", traceback.format_exc())
            raise
        finally:
            logging.captureWarnings(False)
            logging.getLogger().removeHandler(log)
            log.close()
            write_json(record.folder / "status.json", status | {"ended": time.time()})


def _wait_for(lock: TextIO, folder: Path) -> None:
    """Take the lock; while another process is at the same run, wait to find it done."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        logging.getLogger(__name__).warning("another process is at %s; waiting for it", folder)
        fcntl.flock(lock, fcntl.LOCK_EX)


def _clear(folder: Path) -> None:
    """What an earlier attempt left must not be taken for this one's."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != ".lock":
            path.unlink()


def _log_to(path: Path) -> logging.Handler:
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    logging.getLogger("stsfm").setLevel(logging.INFO)
    logging.captureWarnings(True)
    return handler
