"""The kept runs of a home as they are now: each file is read once, however often it is used."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from stsfm.record import Record, State, records


class Snapshot(Record):
    """A run as it was when it was first looked at."""

    @cached_property
    def status(self) -> dict[str, Any]:
        return super().status

    @cached_property
    def config(self) -> dict[str, Any]:
        return super().config

    @cached_property
    def state(self) -> State:
        return super().state

    @cached_property
    def scores(self) -> dict[str, Any]:
        return super().scores


@dataclass(frozen=True)
class Effort:
    """What went into one protocol: all its runs, shown or not, finished or failed."""

    tried: int  # configurations
    runs: int
    failed: int
    seconds: float


class Shelf:
    """Every run under a folder of runs."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._held: dict[Path, Snapshot] = {}
        self.runs = [self.at(run.folder) for run in records(home)]

    def at(self, folder: Path) -> Snapshot:
        """The run in a folder, which may lie elsewhere: one and the same by whatever path."""
        return self._held.setdefault(folder.resolve(), Snapshot(folder))

    @cached_property
    def _by_protocol(self) -> dict[str, list[Snapshot]]:
        found: dict[str, list[Snapshot]] = {}
        for run in self.runs:
            found.setdefault(run.status.get("fingerprint", ""), []).append(run)
        return found

    def under(self, fingerprint: str) -> list[Snapshot]:
        """The runs that follow a protocol, in the order of their names."""
        return self._by_protocol.get(fingerprint, [])

    def effort(self, fingerprint: str) -> Effort:
        """Configurations and seconds that a protocol has cost so far."""
        runs = self.under(fingerprint)
        statuses = [run.status for run in runs]
        return Effort(
            tried=len({status.get("settings") for status in statuses}),
            runs=len(runs),
            failed=sum(status.get("state") == "failed" for status in statuses),
            seconds=sum(run.spent for run in runs),
        )

    def baselines(
        self, runs: Iterable[Record], planned: Iterable[Snapshot] | None = None
    ) -> list[Snapshot]:
        """The very runs that these, of one protocol, were put beside; else those others of it were.

        planned  what a command wants beside its runs, which may all have failed, and have no page

        Of each the newest of its settings; none whose model is among `runs`.
        """
        runs = list(runs)
        fingerprint = runs[0].status.get("fingerprint", "")
        if planned is None:
            found = self._beside(runs) or self._beside(self.under(fingerprint))
        else:
            found = [run for run in planned if run.status.get("fingerprint", "") == fingerprint]
        models = {run.status.get("model") for run in runs}
        found = [self._newest.get(run.status["settings"], run) for run in found if run.status]
        return [run for run in found if run.status["model"] not in models]

    def _beside(self, runs: Iterable[Record]) -> list[Snapshot]:
        places = (
            os.path.normpath(run.folder / path)
            for run in runs
            for path in run.read("members.json").get("beside", [])
        )
        return [self.at(Path(place)) for place in dict.fromkeys(places)]

    @cached_property
    def _newest(self) -> dict[str, Snapshot]:
        """Settings → the run of them that finished last."""
        done = (run for run in self.runs if run.state == "finished")
        return {
            run.status["settings"]: run for run in sorted(done, key=lambda run: run.status["ended"])
        }


def compared(folder: Path) -> list[Snapshot]:
    """The runs of a comparison that was written, those that are still there."""
    names = Record(folder).read("members.json").get("members", [])
    return [run for name in names if (run := Snapshot((folder / name).resolve())).status]
