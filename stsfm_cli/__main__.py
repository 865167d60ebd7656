"""The command `stsfm`: a table of commands. A module is imported when its command is called."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import NoReturn

from stsfm.mistakes import Mistake, did_you_mean, tell

COMMANDS = {  # a module of stsfm.commands → what its main(args) does, which returns an exit code
    "ask": 'a sentence in, one command and its report out: ask "Find change points in [nile]"',
    "run": "fit, score, plot and keep: run model=lstm data=airline",
    "check": "what a file holds, or a model keeps: check my.csv",
    "compare": "one table of kept runs: compare model=lstm,gru",
    "report": "the report of anything kept: a run, a comparison …, or the last made",
    "detect": "where series change: detect data=nile",
    "analyse": "which series drives which: analyse analysis=ccm data=my.csv",
    "select": "which of many models fits: select among=recurrent data=airline",
    "predict": "forecast beyond a kept run's data, or on other data",
    "suggest": "terms of a loss that model and data admit: suggest loss",
    "list": "what there is to choose from: list model",
    "show": "a choice and its keys (show model=lstm), or a kept run",
    "new": "the files of a model of your own to start from: new model mine",
    "ls": "the kept runs: state, scores, size",
    "diff": "in what two kept runs differ: what they are made of, scores",
    "why": "whether a command is kept, and what is other in the runs there are",
    "clean": "what failed or is left over; removed by --yes",
}
SHELLS = ("bash", "fish", "zsh")


def main(argv: list[str] | None = None) -> int:
    """Call the command named first and return its exit code; a mistake costs one line."""
    if argv is None:
        _open_streams()
        signal.signal(signal.SIGTERM, _terminated)
        if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # no nohup
            signal.signal(signal.SIGHUP, _terminated)
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
        module = importlib.import_module(f"stsfm.commands.{command}")
        return int(module.main(args[1:]))
    first = args[0] if args else ""
    if first in ("-sc", "--shell-completion"):
        return _complete(args)
    if first == "--version":
        from importlib.metadata import version

        print(f"stsfm {version('stsfm')}")
        return 0
    if first and first not in ("-h", "--help", "help"):
        raise Mistake(
            f"no command {first!r}.{did_you_mean(first, COMMANDS)} `stsfm --help` lists all"
        )
    print(_help())
    return 0 if first else 2


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {about}" for name, about in COMMANDS.items()]
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
    """Answer a TAB; or print what a shell has to evaluate so that it asks."""
    what, _, shell = args[-1].partition("=")
    if what not in ("install", "uninstall", "query") or shell not in SHELLS:
        raise Mistake(f"wanted {args[0]} install=SHELL with one of {', '.join(SHELLS)}")
    if what != "query":
        from stsfm.compose import install_completion

        return install_completion(args)
    from stsfm.completion import candidates

    line = os.environ.get("COMP_LINE", "")
    words = line.split()[1:] + [""] * (line[-1:] in ("", " "))  # the last one is being typed
    print("\n".join(candidates(words or [""], COMMANDS)))
    return 0


def _terminated(number: int, _: object) -> NoReturn:
    raise SystemExit(128 + number)  # through every `finally`, so that records are closed


def _open_streams() -> None:
    """Where a standard stream was closed, the next file to be opened would take its place."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


if __name__ == "__main__":
    sys.exit(main())
