"""One process at a time in a folder: a lock that the kernel frees when its holder dies."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TextIO

from stsfm.mistakes import Mistake

NAME = ".lock"  # held by who writes the folder
CLAIM = ".claim"  # held by a sweep that will have it written
SEARCHING = ".searching"  # held in the folder of a comparison, by its search
UNABLE = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}  # such as NFS without its lock service


@contextmanager
def holding(folder: Path, name: str = NAME) -> Iterator[None]:
    """Hold a folder, made if need be; while another process has it, wait aloud.

    The file of the lock is gone afterwards.
    """
    with _held(folder, name, wait=True):
        yield


@contextmanager
def claiming(folder: Path, name: str = CLAIM) -> Iterator[bool]:
    """Hold a folder, made if need be, unless another process does: then False, without waiting."""
    with _held(folder, name, wait=False) as mine:
        yield mine


@contextmanager
def _held(folder: Path, name: str, *, wait: bool) -> Iterator[bool]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = _take(folder / name, wait=wait)
    except OSError as error:
        if error.errno in UNABLE:
            raise Mistake(
                f"{folder} is on a file system without locks ({error.strerror}); "
                "choose another with runs_dir=…"
            ) from error
        raise Mistake(f"can't write {folder}: {error.strerror}; see runs_dir=…") from error
    if lock is None:
        yield False
        return
    with lock:
        try:
            yield True
        finally:
            with suppress(OSError):
                (folder / name).unlink(missing_ok=True)


def held(folder: Path) -> bool:
    """Is a process at work in the folder? Asking leaves no trace."""
    with left_alone(folder) as free:
        return not free


@contextmanager
def left_alone(folder: Path) -> Iterator[bool]:
    """Hold a folder that nobody else holds, without waiting and making nothing; else False."""
    with ExitStack() as stack:
        try:
            lock = stack.enter_context((folder / NAME).open("r+"))  # as NFS wants
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            free = True
        except BlockingIOError:
            free = False
        except OSError:  # no lock, or no file system that has any
            free = True
        yield free


def _take(path: Path, *, wait: bool) -> TextIO | None:
    """The open file whose lock is ours; None where another process has it and we don't wait."""
    while True:
        lock = path.open("a")
        try:
            if not _locked(lock, path.parent, wait=wait):
                lock.close()
                return None
            with suppress(FileNotFoundError):
                if os.fstat(lock.fileno()).st_ino == path.stat().st_ino:
                    return lock
        except BaseException:
            lock.close()
            raise
        lock.close()  # of a file that its holder removed meanwhile: the lock of nothing


def _locked(lock: TextIO, folder: Path, *, wait: bool) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if not wait:
            return False
        logging.getLogger(__name__).warning("another process is at %s; waiting for it", folder)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return True
