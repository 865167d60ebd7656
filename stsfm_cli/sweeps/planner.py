"""From a composed config to a job: where its run lies, and what there is to do for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stsfm.mistakes import Illegal, Mistake
from stsfm.sweeps.plan import PAGE, WHY, Job

if TYPE_CHECKING:
    from stsfm.datasets.about import About
    from stsfm.record import Record


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is kept of a dataset that was cut by its protocol: all but the data."""

    about: About
    digest: str
    fingerprint: str
    rules: Mapping[str, Any]
    status: Mapping[str, Any]  # as a record tells it
    offered: frozenset[str]  # to parts of a state space


@dataclass
class Planner:
    """Makes jobs of configs; what several have in common is looked up once."""

    tasks: dict[str, Task] = field(default_factory=dict)
    known: dict[Path, tuple[str, float]] = field(default_factory=dict)

    def job(
        self,
        config: Mapping[str, Any],
        words: tuple[str, ...],
        *,
        asked: bool = True,
        beside: Iterable[Path] = (),
    ) -> Job:
        """The job of a composed config, and whether there is anything to do."""
        from stsfm.admission import admit
        from stsfm.identity import identify
        from stsfm.record import Record

        task = self.task(config)
        admit(config, task)
        identity = identify(config, task)
        job = Job(
            config=config,
            words=words,
            run=Record(Path(config["runs_dir"]) / identity.folder),
            identity=identity,
            about={**task.status, "data": identity.data, "model": identity.model},
            asked=asked,
            beside=tuple(beside),
        )
        job = replace(job, why=self._why(job))
        if job.why not in ("", PAGE):
            _check_parts(config, task)
        return job

    def task(self, config: Mapping[str, Any]) -> Task:
        """Each dataset is loaded and cut once."""
        from stsfm.headline import describe
        from stsfm.job import cut
        from stsfm.models.legal import offered

        cut_by = [config[key] for key in ("data", "protocol", "given")]
        key = json.dumps(cut_by, sort_keys=True, default=str)
        if key not in self.tasks:
            split = cut(config)
            self.tasks[key] = Task(
                about=split.about,
                digest=split.digest,
                fingerprint=split.fingerprint,
                rules=split.rules,
                status=describe(split),
                offered=offered(split.panel),
            )
        return self.tasks[key]

    def _why(self, job: Job) -> str:
        state, _ = self._ended(job.run)
        if state != "finished" or job.config["force"]:
            return WHY[state]
        if job.config["score"] == "all" and not job.run.tested:
            return WHY["untested"]
        return "" if not job.asked or page_is_there(job, self._ended) else PAGE

    def _ended(self, run: Record) -> tuple[str, float]:
        """State, and when it ended; looked up once."""
        if run.folder not in self.known:
            self.known[run.folder] = ended(run)
        return self.known[run.folder]


def _check_parts(config: Mapping[str, Any], task: Task) -> None:
    """Illegal where parts of a state space do not go together, or not on these data."""
    from stsfm.identity import members, parts

    if not parts(config["model"]) or members(config["model"]):
        return
    from stsfm.build import build_model
    from stsfm.models.legal import Refused

    try:
        model = build_model(config["model"], lambda row: None, task.rules)
    except Mistake as mistake:
        if isinstance(mistake.__cause__, Refused):
            raise Illegal(mistake) from None
        raise
    if why := model.lacks(task.offered):
        raise Illegal(f"model: {why}")


def ended(run: Record) -> tuple[str, float]:
    """State of a run, and when it ended, in seconds since 1970."""
    return run.state, run.status.get("ended", 0.0)


def page_is_there(job: Job, ended: Callable[[Record], tuple[str, float]] = ended) -> bool:
    """Is the page of a run whole, and none of its baselines better by now than it shows?

    A run that is scored on validation alone has none.
    """
    from stsfm.present import shows

    if job.config["score"] == "val":
        return True
    page = job.run.folder / "members.json"
    written = page.stat().st_mtime if page.exists() else 0.0

    def as_it_is(baseline: Record) -> bool:
        state, at = ended(baseline)
        return state == "failed" or (state == "finished" and at <= written)

    return shows(job.run, job.beside, as_it_is)
