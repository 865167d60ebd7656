"""How long jobs may take, judged by what alike runs took before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stsfm.sweeps.plan import Job

Times = dict[tuple[str, ...], list[float]]


def estimated(jobs: Iterable[Job]) -> list[Job]:
    """The jobs, those to do with the seconds that the runs most like them took."""
    from stsfm.sweeps.plan import PAGE

    found, past = [], dict[Path, Times]()
    for job in jobs:
        if job.why and job.why != PAGE:
            home = Path(job.config["runs_dir"])
            if home not in past:
                past[home] = _times(home)
            job = replace(job, seconds=_seconds(job, past[home]))
        found.append(job)
    return found


def said(jobs: Sequence[Job], n_jobs: Any) -> str:
    """about 40 s; of jobs like none before nothing is said."""
    known = [job.seconds for job in jobs if job.seconds is not None]
    if not known:
        return ""
    side_by_side = n_jobs if isinstance(n_jobs, int) and n_jobs > 0 else 1
    total = max(sum(known) / side_by_side, *known)
    rest = f" for {len(known)} of them" if len(known) < len(jobs) else ""
    return seconds(total) + rest


def seconds(length: float) -> str:
    """about 40 s, about 3 min, about 2.5 h"""
    if length < 100:
        return f"about {max(1, round(length))} s"
    return f"about {length / 60:.0f} min" if length < 6000 else f"about {length / 3600:.1f} h"


def _times(home: Path) -> Times:
    """Kind of run, from alike to alike in name only → seconds of each that finished."""
    from stsfm.record import records

    times: Times = defaultdict(list)
    for run in records(home):
        status = run.read("status.json")
        if status.get("state") == "finished":
            took = status["ended"] - status["started"]
            for key in _keys(status["group"], status["settings"], status["data"], status["model"]):
                times[key].append(took)
    return times


def _seconds(job: Job, times: Times) -> float | None:
    mine = job.identity
    keys = _keys(mine.group, mine.settings, mine.data, mine.model)
    return next((median(times[key]) for key in keys if key in times), None)


def _keys(group: str, settings: str, data: str, model: str) -> list[tuple[str, ...]]:
    """All but the seed alike; all but seed and version; data and model; the model."""
    return [("group", group), ("settings", settings), ("task", data, model), ("model", model)]
