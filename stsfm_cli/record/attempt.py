"""An attempt at a run: its folder is held while it is written, and its end is always recorded.

An attempt that came to its own end, good or bad, says so itself; who was killed is buried by the
process that watched it.
"""

from __future__ import annotations

import json
import logging
import os
import shlex
import shutil
import socket
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from stsfm import files
from stsfm.conf.schema import OF_A_COMMAND
from stsfm.mistakes import cause
from stsfm.record import CHECKPOINT, SCHEMA, Record, lock, seal

if TYPE_CHECKING:
    from stsfm.identity import Identity

HELD = {"status.json", lock.NAME, lock.CLAIM}
KEPT = {"log.txt", CHECKPOINT} | HELD  # from one attempt to the next


@contextmanager
def writing(
    runs: Path, identity: Identity, about: Mapping[str, Any], *, force: bool
) -> Iterator[Record | None]:
    """Hold the run's folder; yields its record, or None where another has finished it already.

    An exception leaves the status `failed` or `interrupted`, its trace in error.txt, and goes on;
    so does a disk that is full at the end.
    """
    record = Record(runs / identity.folder)
    with lock.holding(record.folder):
        if record.state == "finished" and not force:
            yield None
            return
        status = _opened(record, identity, about, time.time())
        write_status(record, status)
        _clear(record.folder, kept=HELD if force else KEPT)
        with _logging_to(record.folder / "log.txt"):
            try:
                yield record
                if record.status.get("pid") != status["pid"]:
                    raise RuntimeError("the folder of the run was removed while it was made")
                shutil.rmtree(record.folder / CHECKPOINT, ignore_errors=True)
                write_status(record, status | {"state": "finished"})
            except BaseException as error:
                stopped = isinstance(error, KeyboardInterrupt | SystemExit)
                ended = {"state": "interrupted" if stopped else "failed", "error": cause(error)}
                with suppress(OSError):  # what can't be written can't be said here either
                    files.write(record.folder / "error.txt", traceback.format_exc())
                    write_status(record, status | ended)
                raise


def bury(
    run: Record,
    identity: Identity,
    about: Mapping[str, Any],
    error: str,
    *,
    after: int,
    began: float,
    config: Mapping[str, Any],
    words: Sequence[str],
    state: Literal["failed", "interrupted"] = "failed",
) -> None:
    """Record how an attempt ended that could not say it, even one that had written nothing.

    after  how many attempts there were before it
    began  when its process was started, in seconds since 1970
    config, words  what it was to be: tables tell rows apart by it, failures included

    Where another process is at the run by now, or has finished it, nothing is written.
    """
    with lock.claiming(run.folder, lock.NAME) as mine:
        if not mine or run.state == "finished":
            return
        status = run.status
        if status.get("attempt", 0) <= after:  # it died before it had written any
            status = _opened(run, identity, about, began)
            _clear(run.folder, kept=KEPT)
            preface(run, config, words)
        elif status["state"] != "running":  # it had added up its time itself
            status = status | {"spent": run.spent - (status["ended"] - status["started"])}
        write_status(run, status | {"state": state, "error": error})


def preface(run: Record, config: Mapping[str, Any], words: Sequence[str]) -> None:
    """What a run is to be, before anything is fitted: its config, and the command that makes it."""
    choices = {k: v for k, v in config["choices"].items() if k not in OF_A_COMMAND}
    kept = {k: v for k, v in config.items() if k not in OF_A_COMMAND} | {"choices": choices}
    files.write(
        run.folder / "config.yaml", yaml.safe_dump(kept, sort_keys=False, allow_unicode=True)
    )
    words = words or [f"{group}={name}" for group, name in choices.items() if name]
    files.write(run.folder / "command.txt", shlex.join(["stsfm", "run", *words]) + "\n")


def write_status(record: Record, status: Mapping[str, Any]) -> None:
    """Last of all at the end of an attempt, with what its files are known by."""
    ended: dict[str, Any] = {}
    if status["state"] != "running":
        now = time.time()
        spent = status.get("spent", 0.0) + now - status["started"]
        ended = {"ended": now, "spent": spent, "files": _known(record.folder)}
    content = json.loads(json.dumps({**status, **ended}, default=str))
    files.write_json(record.folder / "status.json", content | {"sha256": seal(content)})


def _opened(
    record: Record, identity: Identity, about: Mapping[str, Any], began: float
) -> dict[str, Any]:
    """The status of an attempt that begins."""
    return {
        "schema": SCHEMA, "state": "running", "attempt": record.status.get("attempt", 0) + 1,
        "run": identity.run_id, "group": identity.group, "settings": identity.settings,
        "identity": asdict(identity), **about, "spent": record.spent,
        "pid": os.getpid(), "host": socket.gethostname(), "started": began,
    }  # fmt: skip


def _known(folder: Path) -> dict[str, Any]:
    """What the files of an attempt are known by; a log may grow, and a checkpoint goes."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    names = [str(path) for path in found if not {path.parts[0], path.name} & KEPT]
    return files.manifest(folder, names)


def _clear(folder: Path, kept: set[str]) -> None:
    """What an earlier attempt left must not be taken for this one's."""
    for path in folder.iterdir():
        if path.name in kept:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


class _Log(logging.FileHandler):
    """A log that can't be written stops nothing and says nothing."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    handler = _Log(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    logging.getLogger("stsfm").setLevel(logging.INFO)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        logging.getLogger().removeHandler(handler)
        with suppress(OSError):
            handler.close()
