"""`stsfm select`, from what was typed to what is kept.

words ─► task ─► candidates ─► race before the test border ─► choice ─► test, once ─► selection.json
"""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stsfm import compose
from stsfm.losses.metrics import METRIC
from stsfm.mistakes import Mistake
from stsfm.outcome import Outcome
from stsfm.record.lock import holding
from stsfm.selecting import kept, law, opened, story
from stsfm.selecting.asked import Asked, asked
from stsfm.selecting.candidates import Candidate, Entry, Has, entries, of_models
from stsfm.selecting.classes import chosen
from stsfm.selecting.origins import Origins
from stsfm.selecting.progress import Progress
from stsfm.selecting.race import Heat, Race, Runner
from stsfm.sweeps.planner import Planner
from stsfm.tables.claims import ADDITIVE

if TYPE_CHECKING:
    from stsfm.launchers.base import Launcher
    from stsfm.screen import Screen
    from stsfm.sweeps.plan import Job
    from stsfm.sweeps.planner import Task

RACE = 0.75  # of the budget at most; the rest is for the test and the figures,
REST = 12.0  # which keep a core busy for some seconds: longer on a machine that is busy itself
LEAST = 0.4  # of the budget, however busy it is
LOCK = ".selecting"
PROBABILISTIC = ("crps", "pinball")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """A selection that is ready to run."""

    asked: Asked
    task: Task
    origins: Origins
    entries: Sequence[Entry]
    config: dict[str, Any]  # of a run of the task by any model
    planner: Planner
    known: compose.Known
    typed: str
    slow: float  # seconds by the clock per second of a core, as it was made
    said: Sequence[str] = ()  # of a law that is given

    @property
    def data(self) -> str:
        return str(self.task.about.name)

    @property
    def metric(self) -> str:
        """What decides: asked for, else that of the protocol; MASE for want of either."""
        return self.asked.metric or next(iter(self.task.status.get("metrics", ())), "mase")

    @property
    def loss(self) -> str:
        """The loss of an origin: a root, or a share of a variance, is no mean of any."""
        return ADDITIVE.get(self.metric, self.metric)

    @property
    def label(self) -> str:
        return METRIC[self.loss].label if self.loss in METRIC else "squared error"

    @property
    def seconds(self) -> float:
        """Of the race."""
        budget = self.asked.budget
        return max(LEAST * budget, min(RACE * budget, budget - REST * self.slow))

    @property
    def folder(self) -> Path:
        facts = [
            self.asked.task, self.asked.given, self.loss, self.asked.budget, self.asked.seeds,
            self.task.fingerprint,
            [(entry.candidate.name, entry.config.get("model")) for entry in self.entries],
        ]  # fmt: skip
        home = Path(self.config["runs_dir"])
        return kept.place(home, self.data, "+".join(self.asked.among), facts)

    def words(self, candidate: Candidate, heat: Heat) -> list[str]:
        """What makes the run of a candidate on a block."""
        conformal = [] if self.loss in PROBABILISTIC else ["protocol.calibration=0"]
        seed = [] if heat.seed is None else [f"seed={heat.seed}"]
        words = [*self.asked.task, *candidate.words, *self.origins.words(heat.block)]
        return [*words, *conformal, *seed]

    def job(self, words: Sequence[str]) -> Job:
        (one,) = compose.jobs(list(words), self.known).jobs
        return self.planner.job(one.config, one.words, asked=False)

    def facts(self) -> kept.Found:
        """What is known before anything runs."""
        return {
            "state": "running", "command": self.typed, "data": self.data,
            "headline": self.task.status["headline"], "fingerprint": self.task.fingerprint,
            "among": list(self.asked.among), "metric": self.metric, "label": self.label,
            "unit": self.task.status["units"] if METRIC[self.metric].unit == "data" else "",
            "budget": self.asked.budget, "seeds": list(self.asked.seeds),
            "origins": self.origins.facts(), "given": list(self.asked.given),
        }  # fmt: skip


def perform(args: list[str], screen: Screen) -> Outcome:
    """Do what `stsfm select ARGS` asks for. Mistake where any of it can't be done at all."""
    began = time.monotonic()
    one = ready(args)
    if one.asked.dry_run:
        for line in story.planned(one.entries, one.facts(), one.said):
            screen.say(line)
        return Outcome()
    with holding(one.folder, LOCK):
        found = kept.read(one.folder)
        if found.get("state") != "finished" or one.config["force"]:
            spent = found.get("spent", 0.0) * (found.get("state") == "running")
            found = _selected(one, spent + time.monotonic() - began, screen)
    if found["choice"] is None:
        raise Mistake(story.nobody(found))
    story.show(found, one.folder, screen)
    code = 0 if found["test"]["finished"] else 1
    return Outcome(code, opened.runs(found), [one.folder])


def ready(args: Sequence[str], known: compose.Known | None = None) -> Selection:
    """Read the words, load the task and compose the candidates; nothing is fitted.

    known  given to several calls, choices that they share are composed once
    """
    began, worked = time.monotonic(), time.process_time()
    told, planner = asked(args), Planner()
    known = compose.Known() if known is None else known
    models = chosen(told.among, *told.folders)
    compose.together(models, [*told.task, "model=naive"], known)
    config = compose.config([*told.task, "model=naive"], known)
    os.environ.setdefault("OMP_NUM_THREADS", str(config["hardware"]["threads"]))
    if config["choices"]["protocol"] != "rolling":
        raise Mistake("a selection is by protocol=rolling, which cuts development rows in blocks")
    task = planner.task(config)
    origins = Origins.of(task.rules, task.about.name)
    added, said = law.candidates(models, told, known) if told.given else ([], [])
    has = Has(
        data=task.about.name, offered=task.offered, rows=origins.least, horizon=origins.horizon
    )
    everyone = [*of_models(models), *added]
    found = entries(everyone, told.task, has, *told.folders, known=known)
    return Selection(
        slow=max(1.0, (time.monotonic() - began) / (time.process_time() - worked)),
        said=said,
        asked=told,
        task=task,
        origins=origins,
        entries=found,
        config=config,
        planner=planner,
        known=known,
        typed=shlex.join(["stsfm", "select", *args]),
    )


def _selected(one: Selection, spent: float, screen: Screen) -> kept.Found:
    """The race, the choice and the test; kept as it goes on, for one who is killed.

    spent  seconds of the budget, of this attempt and those before it
    """
    base = one.facts()
    screen.say(base["headline"])
    for line in (*one.said, *story.begun(one.entries, base)):
        screen.say(line)
    race = raced(one, spent, screen, partial(kept.keep, one.folder, base))
    found = kept.keep(one.folder, base, race)
    winner = race.chosen()
    found |= story.choice(found, winner)
    if winner is None:
        return kept.keep(one.folder, found)
    found |= {"test": opened.test(winner.candidate, one.asked, screen)}
    if one.asked.given:
        found["ablation"] = law.ablation(race, winner, one.asked, one.label)
    found["said"] += opened.said(found)
    found["said"] += [found["ablation"]["said"]] if found.get("ablation") else []
    found["state"] = "finished"
    story.write(found, one.folder)
    return kept.keep(one.folder, found)


def raced(
    one: Selection, spent: float, screen: Screen, keep: Any, launcher: Launcher | None = None
) -> Race:
    """Run the race of a selection through the engine; by the launcher of its words if by none."""
    from stsfm.build import build
    from stsfm.sweeps.engine import carry_out

    runners = [
        Runner(
            entry.candidate,
            entry.draws,
            state="excluded" if entry.excluded else "racing",
            reason=entry.excluded,
        )
        for entry in one.entries
    ]
    race = Race(
        runners, one.origins.rounds, one.job,
        words=one.words, metric=one.loss, horizon=one.origins.horizon, seeds=one.asked.seeds,
        seconds=one.seconds, spent=spent, told=keep,
    )  # fmt: skip
    where = one.asked.where or ("launcher.n_jobs=auto",)
    config = compose.config([*one.asked.task, *where, "model=naive"], one.known)
    launcher = launcher or build(config["launcher"], path="launcher")
    status = Progress(screen, one.metric, METRIC[one.metric].label)
    status.begin(story.begins(race), len(race))
    carry_out(race, launcher, retries=config["retries"], fail_fast=False, status=status)
    return race
