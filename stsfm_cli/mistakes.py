"""A mistake costs one line: what was wanted, what came, what to do next."""

from __future__ import annotations

import difflib
import os
import signal
import sys
from collections.abc import Iterable


class Mistake(Exception):
    """The user asked for what cannot be done. The command ends with exit code 2."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows of it: the line."""
        return [f"Mistake: {self}"]


class Illegal(Mistake):
    """Parts that do not go together, or not on these data. Of several jobs it is left out."""


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """A hint that names the nearest options, or nothing."""
    return said(difflib.get_close_matches(word, sorted(set(options)), n=3, cutoff=0.6))


def said(near: list[str]) -> str:
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""


def no_such(kind: str, name: str, options: Iterable[str], note: str = "") -> Mistake:
    """no model named 'lsmt'. Did you mean 'lstm'? Available: ar, arima, …"""
    known = sorted(options)
    listed = f" Available: {', '.join(known)}" if known else " There is none yet"
    return Mistake(f"no {kind} named {name!r}{note}.{did_you_mean(name, known)}{listed}")


def tell(command: str, error: BaseException) -> int:
    """Say on stderr in one line what went wrong, and return the exit code that it stands for."""
    program = f"stsfm {command}".strip()
    if os.environ.get("STSFM_DEBUG") == "1":
        import traceback

        traceback.print_exception(error)
    if isinstance(error, KeyboardInterrupt):
        goes_on = "; the same command goes on" if command == "run" else ""
        line, code = f"interrupted{goes_on}", 130
    elif isinstance(error, Mistake):
        line, code = one_line(error), 2
    else:
        line, code = f"{cause(error)} (STSFM_DEBUG=1 shows where)", 1
    if not int(os.environ.get("LOCAL_RANK", "0")):  # what stops one rank stops all: say it once
        sys.stderr.write(f"{program}: {line}\n")
    return code


def cause(error: BaseException) -> str:
    """What kind of failure, and what it says; of a file, which one; of a signal, its name."""
    if isinstance(error, KeyboardInterrupt):
        return "stopped by Ctrl-C"
    if isinstance(error, SystemExit) and isinstance(error.code, int) and error.code > 128:
        return f"stopped by {signal.Signals(error.code - 128).name}"
    if isinstance(error, OSError) and error.filename:
        return f"{error.strerror}: {error.filename}"
    return f"{type(error).__name__}: {one_line(error)}".rstrip(": ")


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
