"""A command that searches: its plan, its source of jobs, and how well it ended."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from stsfm import compose
from stsfm.mistakes import Mistake
from stsfm.record import Record
from stsfm.record.lock import SEARCHING, holding
from stsfm.search import facts, told
from stsfm.search.settings import Settings
from stsfm.search.source import Search
from stsfm.search.space import spaces
from stsfm.sweeps.plan import Job, Plan
from stsfm.sweeps.planner import Planner
from stsfm.sweeps.rounds import Rounds


@contextmanager
def alone(planned: Plan) -> Iterator[None]:
    """One search at a time in a comparison, for a trial that is open is taken up; others wait."""
    home = _home(planned)
    try:
        with holding(home, SEARCHING):
            yield
    finally:
        with suppress(OSError):  # not empty: only a mistake leaves nothing there
            os.removedirs(home)


def search(planned: Plan) -> Search:
    """The search of a command whose jobs are planned. Mistake where it makes no sense."""
    planner, known = Planner(), compose.Known()

    def make(words: Sequence[str], beside: Sequence[Path] | None) -> Job:
        config = compose.config(list(words), known)
        asked = beside is not None
        return planner.job(config, tuple(words), asked=asked, beside=beside or ())

    n_jobs = planned.config["launcher"].get("n_jobs", 1)
    asked = [job for job in planned.jobs if job.asked]
    side_by_side = 1 if n_jobs == 1 else 2  # auto is known when the first job starts
    return Search(Rounds(planned), asked, _home(planned), make, n_jobs=side_by_side)


def lines(planned: Plan) -> Iterator[str]:
    """What a search would do, for --dry-run."""
    groups = {job.identity.group: job for job in planned.jobs if job.asked}
    settings = Settings.of(planned.config)
    jobs = list(groups.values())
    for job, space in zip(jobs, spaces([job.config for job in jobs]), strict=True):
        what = f"{settings.budget} over {space}" if space else "nothing to tune"
        yield f"{job.identity.model}: {what}"


def written(search: Search, planned: Plan) -> tuple[list[Record], bool]:
    """What was chosen, and whether all of it is there; search.json and its figures are written."""
    from stsfm.plots.search import draw

    home = _home(planned)
    found = facts.write(search, home)
    draw(found, home / "plots")
    runs = [job.run for tuning in search.tunings for job in search.chosen(tuning)]
    well = all(run.state == "finished" for run in runs) and not told.failed(found)
    return runs, well


def _home(planned: Plan) -> Path:
    """The folder of the comparison."""
    if len(planned.comparisons) > 1:
        raise Mistake("a search makes one comparison: run its experiments one after the other")
    (name,) = planned.comparisons
    return Path(planned.config["runs_dir"]) / "_comparisons" / name
