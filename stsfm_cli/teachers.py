"""A kept run as the teacher of a net: by content in the student's identity, checked before it runs.

In a config a teacher is the folder of a run, as is typed; in the loss it is a Kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stsfm.mistakes import Mistake

if TYPE_CHECKING:
    from stsfm.datasets.panel import Forecast
    from stsfm.datasets.windows import RollingWindows

KEY = "teacher"  # of a term


@dataclass(frozen=True)
class Kept:
    """The model of a finished run, which forecasts windows."""

    folder: Path

    def __call__(self, windows: RollingWindows) -> Forecast:
        """Forecasts of all windows by what the run learned of train.

        A model that draws no numbers has been refitted to validation, too: it is fitted again, to
        these windows, and keeps what it chose.
        """
        from stsfm.datasets.panel import Forecast
        from stsfm.learned import teacher

        model = teacher(self.folder, windows)
        return Forecast.concat([model.backtest(part) for part in windows.batches(model.reads)])


def of(loss: Any) -> Iterator[tuple[str, Path]]:
    """The terms of the config of a loss that are taught by a run, and its folder."""
    for name, term in loss.get("terms", {}).items() if isinstance(loss, Mapping) else ():
        if isinstance(term, Mapping) and isinstance(folder := term.get(KEY), str) and folder:
            yield name, Path(folder).expanduser()


def put(loss: Mapping[str, Any], by: Mapping[str, Any]) -> dict[str, Any]:
    """The config of a loss with other teachers, by the name of the term."""
    terms = {name: {**term, KEY: by[name]} if name in by else term
             for name, term in loss["terms"].items()}  # fmt: skip
    return {**loss, "terms": terms}


def named(loss: Mapping[str, Any]) -> dict[str, Any]:
    """The config of a loss as it enters an identity: a teacher is what it was made of."""
    return put(loss, {name: content(folder) for name, folder in of(loss)})


def content(folder: Path) -> str:
    """What a run was made of: data, model and its id, wherever the folder lies."""
    status = _status(folder)
    return f"{status['identity']['data']}/{status['identity']['model']}/{status['run']}"


def check(loss: Mapping[str, Any], fingerprint: str) -> None:
    """Mistake unless the runs that teach are finished, and were made under the same protocol."""
    for name, folder in of(loss):
        theirs = _status(folder)
        if theirs["fingerprint"] != fingerprint:
            raise Mistake(
                f"loss.terms.{name}.{KEY}: {os.path.relpath(folder)} was made under protocol "
                f"{theirs['fingerprint']}, and this is {fingerprint}; teachers see the same task"
            )
        if theirs["rules"]["refit"] != "never":
            raise Mistake(f"loss.terms.{name}.{KEY}: {os.path.relpath(folder)} was refitted over "
                          "the rows of test; use a run with protocol.refit=never")  # fmt: skip


def _status(folder: Path) -> dict[str, Any]:
    try:
        status: dict[str, Any] = json.loads((folder / "status.json").read_text())
    except (OSError, ValueError) as error:
        raise Mistake(f"{KEY}: {folder} is no folder of a run; `stsfm ls` lists them") from error
    if status.get("state") != "finished":
        raise Mistake(f"{KEY}: {folder} is {status.get('state')}; a teacher has ended its run")
    return status
