"""The notebook door: the commands run and compare as functions, and load for what they left.

    stsfm.run("model=lstm", "data=airline", "trainer.epochs=20")
    stsfm.run(model="lstm", data=frame, trainer={"epochs": 20})
    stsfm.run(model=["lstm", "gru"], seeds=3)

Words are those of the command line; keywords are the same with values of Python. What cannot be
done raises Mistake, what fails raises RuntimeError.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stsfm.again import spelled_out
from stsfm.conf.schema import Config
from stsfm.mistakes import Mistake
from stsfm.request import typed
from stsfm.view import Comparison, Run

LISTS = {name for name, kind in Config.__annotations__.items() if kind == list[str]}


def run(*words: str, data: Any = None, **keys: Any) -> Any:
    """Fit, score and keep what is asked for, or find it kept: a Run, or a Comparison of several.

    words   overrides as in `stsfm run`
    data    a dataset's name or file; or a DataFrame, Series, array (time[, node]) or Panel, which
            is kept as runs/_data/<name>-<digest>.csv, so that the command line can do it again
    keys    overrides: of a group or key its value, a dict for keys of a group, a list for several
            values (a tuple is one value that is a list)

    Raises Mistake, or RuntimeError where the run failed; of several, where all did. Several
    experiments are a list of Comparisons.
    """
    from stsfm.jobs import perform
    from stsfm.screen import Screen

    home = Path(keys.get("runs_dir", "runs"))
    args = spelled_out([*words, *_data_words(data, home), *_words(keys)])
    outcome = perform(args, Screen(quiet=True))
    finished = [run for run in outcome.runs if run.state == "finished"]
    if not finished and outcome.runs:
        raise RuntimeError(_failure(outcome.runs[0].folder, outcome.runs[0].status))
    if not finished:
        raise Mistake(f"nothing was run by {' '.join(args)}")
    compared = [Comparison(folder) for folder in outcome.comparisons]
    if not compared:
        return Run(finished[0])
    return compared[0] if len(compared) == 1 else compared


def compare(*words: str, all_configs: bool = False, **keys: Any) -> Comparison:
    """One table of the kept runs that match, as in `stsfm compare`. Mistake where none does."""
    from stsfm.commands import compare as command
    from stsfm.screen import Screen

    flags = ["--all-configs"] if all_configs else []
    pairs = [
        f"{key}={','.join(map(str, value)) if isinstance(value, list) else value}"
        for key, value in _flat(keys)
    ]
    return Comparison(command.compare([*words, *pairs, *flags], Screen(quiet=True)))


def load(name: str | os.PathLike[str], *, runs_dir: str = "runs") -> Run | Comparison:
    """A kept run, by its folder or the beginning of its id; or a comparison, by its folder.

    Raises Mistake where there is none, or where it has not finished.
    """
    from stsfm.record.shelf import compared
    from stsfm.saved import open_run

    folder = Path(name)
    if not (folder / "status.json").exists() and compared(folder):
        return Comparison(folder)
    found = open_run(os.fspath(name), runs_dir)
    if found.state != "finished":
        raise Mistake(_failure(found.folder, found.status, found.state))
    return Run(found)


def _failure(folder: Path, status: Mapping[str, Any], state: str = "failed") -> str:
    trace = folder / "error.txt"
    where = f" (the trace is in {os.path.relpath(trace)})" if trace.exists() else ""
    return f"{os.path.relpath(folder)} {state}: {status.get('error', 'it did not end')}{where}"


def _data_words(data: Any, home: Path) -> list[str]:
    if data is None:
        return []
    if isinstance(data, str | os.PathLike | list | Mapping):
        return list(_words({"data": data}))
    from stsfm.frames import keep

    return ["data=tabular", f"data.path={typed(str(keep(data, home)))}"]


def _words(keys: Mapping[str, Any]) -> Iterator[str]:
    """{"trainer": {"epochs": 20}, "model": ["lstm", "gru"]} → trainer.epochs=20 model=lstm,gru"""
    for key, value in _flat(keys):
        if isinstance(value, list) and key not in LISTS:
            yield f"{key}={','.join(typed(one) for one in value)}"
        else:
            yield f"{key}={typed(value)}"


def _flat(keys: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in keys.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value
