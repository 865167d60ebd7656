"""One job, from a composed config to a recorded, compared and plotted forecast.

config → dataset → protocol → model → backtest → record → table → plots
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, chdir, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from stsfm import files, given, loggers, record, trust
from stsfm.admission import admit
from stsfm.backtest import evaluate
from stsfm.build import build, build_model
from stsfm.checkpoints import Checkpoints
from stsfm.datasets.panel import Panel
from stsfm.datasets.split import Split
from stsfm.environment import drift, environment
from stsfm.headline import describe, noticed
from stsfm.identity import identify, members, nets
from stsfm.memory import Peak
from stsfm.mistakes import Mistake, cause
from stsfm.models.base import Forecaster
from stsfm.models.legal import offered
from stsfm.present import line, present, show, shows
from stsfm.record import Record, attempt
from stsfm.results import save
from stsfm.screen import Screen
from stsfm.sweeps.plan import Job, instead

LOG = logging.getLogger(__name__)


def execute(
    config: Mapping[str, Any],
    words: Sequence[str],
    screen: Screen,
    baselines: Sequence[Mapping[str, Any]] = (),
) -> Record | None:
    """Run a job alone, unless it was finished before, and put it beside its baselines.

    words      what makes this job, after `stsfm run`
    baselines  what differs in their configs; each is run here, too, unless it is there

    Returns its record, finished or failed; None on ranks that only help to train.
    """
    loggers.check(config["loggers"])
    split = cut(config)
    for told in (describe(split)["headline"], *split.warned):
        screen.say(told)
    if config["data"].get("path"):
        screen.say(noticed(split.panel, config["data"]))
    cached = found(config, split)
    if cached and (changed := drift(cached.read("environment.json"))):
        screen.say(f"this run was made with {', '.join(changed)}; force=true makes it anew")
    if cached:
        loggers.catch_up(config["loggers"], cached, screen)
    with _as_typed(words):
        run = cached or fit(config, words, split, screen)
        if run is None or run.state != "finished":
            return run
        if config["score"] == "val":  # nothing is put beside what has no test score
            screen.say(line(run))
            return run
        theirs = _split_of(baselines, config, split)
        folders = [identify({**config, **other}, theirs).folder for other in baselines]
        if not shows(run, folders):
            beside = [*_made(config, baselines, words, theirs, screen)]
            present(run, beside, _lacking(config, beside), split)
    show(run, screen)
    return run


def make(job: Job, screen: Screen) -> Record | None:
    """Run a job of several, in a process that knows nothing of the others.

    Its page is drawn if it was asked for and its baselines have ended; they are jobs of their own.
    Returns its record as `execute` does. A Mistake leaves none.
    """
    config, beside = job.config, [Record(folder) for folder in job.beside]
    trust.use(config["plugins"])
    split = cut(config)
    run: Record | None = job.run
    if not has_all(job.run, config):
        with _as_typed(job.words):
            run = fit(config, job.words, split, screen)
    if run is None or run.state != "finished" or not job.asked or config["score"] == "val":
        return run
    if all(other.state not in ("missing", "running") for other in beside):
        present(run, beside, _lacking(config, beside), split)
    return run


@contextmanager
def _as_typed(words: Sequence[str]) -> Iterator[None]:
    """Lightning starts the other ranks from sys.argv: each has to run this job and no other."""
    saved = sys.argv
    sys.argv = [saved[0], "run", *words]
    try:
        yield
    finally:
        sys.argv = saved


def _made(
    config: Mapping[str, Any],
    baselines: Sequence[Mapping[str, Any]],
    words: Sequence[str],
    split: Split,
    screen: Screen,
) -> Iterator[Record]:
    """Find or make the baselines; one that can't be made is said and left out."""
    for other in baselines:
        name, member = other["choices"]["model"], {**config, **other}
        try:
            made = found(member, split) or fit(member, instead(words, other), split, screen)
        except Mistake as mistake:  # such as a model that can't read missing cells
            screen.warn(f"without the baseline {name}: {mistake}")
            continue
        if made is not None:
            yield made


def _split_of(
    baselines: Sequence[Mapping[str, Any]], config: Mapping[str, Any], split: Split
) -> Split:
    """The split of the baselines: the same, but for an ablated graph or a law that is given."""
    other = {**config, **(baselines[0] if baselines else {})}
    same = all(other[key] == config[key] for key in ("data", "given"))
    return split if same else cut(other)


def _lacking(config: Mapping[str, Any], beside: Sequence[Record]) -> list[str]:
    """The baselines that a page is without, since they could not be made."""
    there = {config["choices"]["model"], *(run.folder.parent.name for run in beside)}
    return [name for name in config["baselines"] if name not in there]


def cut(config: Mapping[str, Any]) -> Split:
    """The dataset of a config, cut by its protocol; and the law that is given of it."""
    panel = build(config["data"], path="data")
    split: Split = build(config["protocol"], panel, path="protocol")
    if config["given"] is None:
        return split
    return given.stated(split, config["given"], config["choices"]["given"])


def found(config: Mapping[str, Any], split: Split) -> Record | None:
    """The run of a config, if it was finished before and is not to be made anew."""
    run = Record(Path(config["runs_dir"]) / identify(config, split).folder)
    return run if has_all(run, config) else None


def has_all(run: Record, config: Mapping[str, Any]) -> bool:
    """Whether a run has all that a config wants of it, test scores included."""
    whole = run.tested or config["score"] == "val"
    return run.state == "finished" and whole and not config["force"]


def fit(
    config: Mapping[str, Any], words: Sequence[str], split: Split, screen: Screen
) -> Record | None:
    """Make the run of a config. A failure is recorded, said and returned; None on helping ranks."""
    admit(config, split)
    identity = identify(config, split)
    home, name = Path(config["runs_dir"]).absolute(), identity.model
    run = Record(home / identity.folder)
    told = loggers.Loggers(config["loggers"], run, screen)
    trained = [] if members(config["model"]) else nets(config["model"])
    epochs = trained[0]["trainer"]["epochs"] if trained else None
    with _ranks(config["model"]), screen.training(name, epochs) as show_row:

        def monitor(row: Mapping[str, Any]) -> None:
            told.row(row)
            run.append_history(row)
            show_row(row)

        store = Checkpoints(run.folder / record.CHECKPOINT, partial(_said, screen, name))
        library = partial(_kept, config, split=split, screen=screen)
        model = build_model(config["model"], monitor, split.rules, store, library)
        _check(model, name, identity.data, split.panel)
        if record.rank() > 0:
            model.fit(split.train, split.val)
            return None
        if broken := run.damage():
            screen.say(f"{os.path.relpath(run.folder)} is damaged ({broken}) and is made anew")
        val_only = config["score"] == "val"
        refits = identity.seed is None or bool(members(config["model"]))  # each as it does alone
        status = {**describe(split), "data": identity.data, "model": name}
        status |= {"score": "val"} if val_only else {}
        anew = config["force"] or not (run.tested or val_only)  # what lacks test scores gets them
        try:
            with attempt.writing(home, identity, status, force=anew) as mine, told:
                if mine is not None:
                    attempt.preface(mine, config, words)
                    versions = environment(config["hardware"]["threads"])
                    files.write_json(mine.folder / "environment.json", versions)
                    LOG.info("%s: fitting", status["headline"])
                    with Peak() as peak, chdir("."):  # a model may go elsewhere
                        evaluation = evaluate(model, split, refit=refits, test=not val_only)
                    LOG.info("fitted to %s in %.3f s", evaluation.fitted_to, evaluation.fit_seconds)
                    save(mine, model, evaluation, split, config, peak)
                    told.end()
        except Mistake:
            raise
        except Exception as error:
            trace = run.folder / "error.txt"
            where = f" (the trace is in {trace})" if trace.exists() else ""
            screen.warn(f"{name} failed: {cause(error)}{where}")
    return run


def _check(model: Forecaster, name: str, data: str, panel: Panel) -> None:
    """Mistake where the data lack what the model cannot do without."""
    if not panel.mask.all() and "missing" not in model.tags:
        raise Mistake(
            f"{name} can't read missing cells, and {data} has some; "
            "use model=arima or model=ar, which filter over them"
        )
    if why := model.lacks(offered(panel)):
        raise Mistake(f"model: {why}")


def _kept(config: Mapping[str, Any], member: str, split: Split, screen: Screen) -> Path | None:
    """What a member of an ensemble learned where it was run by itself, for nobody trains twice.

    Nothing where the protocol asks for refits: what that run left has learned the rows of test.
    """
    if split.rules["refit"] != "never":
        return None
    alone = {"model": config["model"]["members"][member]}
    choices = {"choices": {**config["choices"], "model": member}}
    run = Record(Path(config["runs_dir"]) / identify({**config, **alone, **choices}, split).folder)
    if run.state != "finished":
        return None
    _said(screen, member, f"as it was learned in {os.path.relpath(run.folder)}")
    return run.folder / "model"


def _ranks(model: Mapping[str, Any]) -> AbstractContextManager[None]:
    """The ranks of nets, which may be trained more than once; other models have none."""
    if not nets(model):
        return nullcontext()
    from stsfm.models.process import shared_ranks  # torch comes with it

    return shared_ranks()


def _said(screen: Screen, name: str, line: str) -> None:
    screen.say(f"{name}: {line}")
    LOG.info(line)
