"""selection.json: all that a selection did and found, as a report and a reader need it.

runs/_selections/<name>/
  selection.json   state, task, candidates, excluded, rounds, choice, said, test
  table.{md,tex,csv,html}   plots/selection.{png,svg}
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stsfm.files import write_json
from stsfm.record import Record

if TYPE_CHECKING:
    from stsfm.selecting.judge import Standing
    from stsfm.selecting.race import Race, Runner

NAME = "selection.json"
FOLDER = "_selections"
Found = dict[str, Any]  # the content of selection.json


def place(home: Path, data: str, among: str, facts: Any) -> Path:
    """runs/_selections/airline-recurrent-1f0c9a3b: a digest of all that decides."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:8]
    name = re.sub(r"[^\w.+=-]+", "-", f"{data}-{among}")[:60]
    return home / FOLDER / f"{name}-{digest}"


def read(folder: Path) -> Found:
    """A selection that was kept; {} where there is none."""
    return Record(folder).read(NAME)


def keep(folder: Path, found: Mapping[str, Any], race: Race | None = None) -> Found:
    """Write a selection as it stands; of a race, whatever it has told so far."""
    told = {**found, **({} if race is None else _of(race, folder))}
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / NAME, told)
    return told


def _of(race: Race, folder: Path) -> Found:
    """Who ran, how far, and how each stood."""
    rounds = [
        {"blocks": list(blocks), "entered": entered,
         "ended": sum(len(runner.trail) > k for runner in race.runners)}
        for k, (blocks, entered) in enumerate(zip(race.rounds, race.entered, strict=False))
    ]  # fmt: skip
    ranked = race.finalists
    order = {runner.name: place for place, runner in enumerate(ranked, start=1)}
    rest = sorted(
        (runner for runner in race.runners if runner.name not in order and runner.trail),
        key=lambda runner: (-len(runner.trail), runner.trail[-1].loss),
    )
    shown = [*ranked, *rest, *(runner for runner in race.runners if not runner.trail)]
    return {
        "spent": round(race.spent, 1),
        "rounds": rounds,
        "candidates": [
            _candidate(runner, order.get(runner.name), folder)
            for runner in shown
            if runner.state != "excluded"
        ],
        "excluded": [
            {"name": runner.name, "reason": runner.reason}
            for runner in race.runners
            if runner.state == "excluded"
        ],
    }


def _candidate(runner: Runner, place: int | None, folder: Path) -> Found:
    last = runner.trail[-1] if runner.trail else None
    return {
        "name": runner.name,
        "model": runner.candidate.model,
        "words": list(runner.candidate.words),
        "twin": runner.candidate.twin,
        "state": "finalist" if place else runner.state,
        "reason": runner.reason,
        "place": place,
        "draws": runner.draws,
        "parameters": runner.parameters if runner.runs else None,
        "seconds": round(runner.seconds, 2),
        "trail": [_standing(standing) for standing in runner.trail],
        **(_standing(last) if last else {}),
        "runs": sorted(os.path.relpath(run.folder, folder) for run in runner.runs.values()),
    }


def _standing(standing: Standing) -> Found:
    return {
        "error": standing.loss, "se": standing.se,
        "behind": standing.behind, "behind_se": standing.behind_se, "within": standing.within,
    }  # fmt: skip
