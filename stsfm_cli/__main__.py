"""The command `stsfm`: a table of commands. A module is imported when its command is called."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import NoReturn

from stsfm.mistakes import Mistake, did_you_mean, tell

COMMANDS = {  # name → (module:function(args) -> exit code, what it does)
    "run": ("stsfm.run:main", "fit models, score them, keep the run: run model=lstm data=airline"),
    "compare": ("stsfm.compare:main", "tables, tests and plots over kept runs"),
    "list": ("stsfm.options:main", "what there is to choose from: list model"),
    "show": ("stsfm.show:main", "a choice and its keys (show model=lstm), or a kept run"),
    "ls": ("stsfm.ls:main", "the kept runs and their state"),
}


def main(argv: list[str] | None = None) -> int:
    """Call the command named first and return its exit code; a mistake costs one line."""
    signal.signal(signal.SIGTERM, _terminated)
    args = list(sys.argv[1:] if argv is None else argv)
    command = args[0] if args and args[0] in COMMANDS else ""
    try:
        return _call(command, args)
    except BrokenPipeError:  # `stsfm list | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (Exception, KeyboardInterrupt) as error:
        return tell(command, error)


def _call(command: str, args: list[str]) -> int:
    if command:
        module, _, function = COMMANDS[command][0].partition(":")
        return getattr(importlib.import_module(module), function)(args[1:])
    first = args[0] if args else ""
    if first in ("-sc", "--shell-completion"):
        return _complete(args)
    if first == "--version":
        from importlib.metadata import version

        print(f"stsfm {version('stsfm')}")
        return 0
    if first and first not in ("-h", "--help", "help"):
        raise Mistake(f"no command {first!r}.{did_you_mean(first, COMMANDS)} `stsfm --help` lists all")
    print(_help())
    return 0 if first else 2


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {about}" for name, (_, about) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: stsfm COMMAND …        compare models on spatial time series",
            "",
            *lines,
            "",
            "  stsfm run --help            what can be set, and how several values are compared",
            '  eval "$(stsfm -sc install=bash)"    TAB completes (also fish, zsh)',
        ]
    )


def _complete(args: list[str]) -> int:
    """Answer a TAB: the commands here, what follows `run`, `list` and `show` where it is known."""
    line = os.environ.get("COMP_LINE", "").lstrip()
    words = line.split() + [""] * line.endswith(" ")  # the last one is being typed
    query = any(arg.startswith("query=") for arg in args)
    if query and len(words) <= 2:
        print("\n".join(name for name in COMMANDS if name.startswith(words[-1])))
    elif query and words[1] in ("list", "show"):
        from stsfm.options import complete

        print("\n".join(complete(words[1], words[-1])))
    elif not query or words[1] == "run":
        from stsfm import compose

        return compose.complete(args, words[2:])
    return 0


def _terminated(*_: object) -> NoReturn:
    raise SystemExit(128 + signal.SIGTERM)  # through every `finally`, so that records are closed


if __name__ == "__main__":
    sys.exit(main())
