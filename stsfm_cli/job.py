"""One job, from a composed config to a recorded, compared and plotted forecast.

config → dataset → protocol → model → backtest → record → table → plots
"""

from __future__ import annotations

import logging
import os
import shlex
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from stsfm import attempt, compose, files, loggers, record
from stsfm.backtest import evaluate
from stsfm.build import build, build_model
from stsfm.checkpoints import Checkpoints
from stsfm.datasets.split import Split
from stsfm.environment import drift, environment
from stsfm.headline import describe, noticed
from stsfm.identity import identify
from stsfm.mistakes import Mistake, cause
from stsfm.present import present, show, shows
from stsfm.record import Record
from stsfm.results import save
from stsfm.screen import Screen

LOG = logging.getLogger(__name__)


def execute(
    config: dict[str, Any], overrides: list[str], screen: Screen, *, one_of_many: bool = False
) -> Record | None:
    """Run a job, unless it was finished before, and put it beside the baselines.

    Returns its record, finished or failed; None on ranks that only help to train.
    """
    loggers.check(config["loggers"])
    split = cut(config)
    others = _baselines(config)
    if not one_of_many:
        screen.say(describe(split)["headline"])
        if "path" in config["data"]:
            screen.say(noticed(split.panel, config["data"]))
    cached = found(config, split)
    if cached and (changed := drift(cached.read("environment.json"))):
        screen.say(f"this run was made with {', '.join(changed)}; force=true makes it anew")
    if cached:
        loggers.catch_up(config["loggers"], cached, screen)
    run = cached or fit(config, overrides, split, screen)
    if run is None or run.state != "finished":
        return run
    if not shows(run, [identify(config | other, split).folder for other in others]):
        _compare(run, config, others, overrides, split, screen)
    if not one_of_many:
        show(run, screen)
    return run


def _compare(
    run: Record,
    config: dict[str, Any],
    others: list[dict[str, Any]],
    overrides: list[str],
    split: Split,
    screen: Screen,
) -> None:
    """Find or make the baselines, and write the run's page beside them."""
    typed = [word for word in overrides if not word.lstrip("+~").startswith("model")]
    beside, left_out = [], []
    for other in others:
        name = other["choices"]["model"]
        member, words = config | other, [*typed, f"model={name}"]
        try:
            baseline = found(member, split) or fit(member, words, split, screen)
        except Mistake as mistake:  # such as a model that can't read missing cells
            screen.warn(f"without the baseline {name}: {mistake}")
            left_out.append(name)
            continue
        if baseline is not None:
            beside.append(baseline)
    present(run, beside, left_out, split)


def cut(config: Mapping[str, Any]) -> Split:
    """The dataset of a config, cut by its protocol."""
    panel = build(config["data"], path="data")
    return build(config["protocol"], panel, path="protocol")


def _baselines(config: dict[str, Any]) -> list[dict[str, Any]]:
    """What differs in the configs of the baselines that the model is put beside."""
    choices = config["choices"]
    trees = compose.models(config["baselines"], config)
    return [
        {"model": tree, "choices": {**choices, "model": name}}
        for name, tree in trees.items()
        if name != choices["model"]
    ]


def found(config: Mapping[str, Any], split: Split) -> Record | None:
    """The run of a config, if it was finished before and is not to be made anew."""
    run = Record(Path(config["runs_dir"]) / identify(config, split).folder)
    return run if run.state == "finished" and not config["force"] else None


def fit(
    config: Mapping[str, Any], overrides: list[str], split: Split, screen: Screen
) -> Record | None:
    """Make the run of a config. A failure is recorded, said and returned; None on helping ranks."""
    identity = identify(config, split)
    home, name = Path(config["runs_dir"]), identity.model
    run = Record(home / identity.folder)
    told = loggers.Loggers(config["loggers"], run, screen)
    settings = config["model"].get("trainer", {})
    with _ranks(settings), screen.training(name, settings.get("epochs")) as show_row:

        def monitor(row: Mapping[str, float]) -> None:
            told.row(row)
            run.append_history(row)
            show_row(row)

        store = Checkpoints(run.folder / record.CHECKPOINT, partial(_said, screen, name))
        model = build_model(config["model"], monitor, split.rules, store)
        if not split.panel.mask.all() and "missing" not in model.tags:
            raise Mistake(
                f"{name} can't read missing cells, and {identity.data} has some; "
                "use model=arima or model=ar, which filter over them"
            )
        if record.rank() > 0:
            model.fit(split.train, split.val)
            return None
        if broken := run.damage():
            screen.say(f"{os.path.relpath(run.folder)} is damaged ({broken}) and is made anew")
        status = {**describe(split), "data": identity.data, "model": name}
        try:
            with attempt.writing(home, identity, status, force=config["force"]) as mine, told:
                if mine is not None:
                    _preface(mine, config, overrides)
                    LOG.info("%s: fitting", status["headline"])
                    evaluation = evaluate(model, split, refit=identity.seed is None)
                    LOG.info("fitted to %s in %.3f s", evaluation.fitted_to, evaluation.fit_seconds)
                    save(mine, model, evaluation, split, config)
                    told.end()
        except Mistake:
            raise
        except Exception as error:
            trace = run.folder / "error.txt"
            where = f" (the trace is in {trace})" if trace.exists() else ""
            screen.warn(f"{name} failed: {cause(error)}{where}")
    return run


def _ranks(settings: Mapping[str, Any]) -> AbstractContextManager[None]:
    """The ranks of a net, which may be trained more than once; other models have none."""
    if not settings:
        return nullcontext()
    from stsfm.models.process import shared_ranks  # torch comes with it

    return shared_ranks()


def _said(screen: Screen, name: str, line: str) -> None:
    screen.say(f"{name}: {line}")
    LOG.info(line)


def _preface(run: Record, config: Mapping[str, Any], overrides: list[str]) -> None:
    """What is known before anything is fitted."""
    kept = {key: value for key, value in config.items() if key != "force"}
    files.write(
        run.folder / "config.yaml", yaml.safe_dump(kept, sort_keys=False, allow_unicode=True)
    )
    words = overrides or [f"{group}={name}" for group, name in config["choices"].items() if name]
    files.write(run.folder / "command.txt", shlex.join(["stsfm", "run", *words]) + "\n")
    files.write_json(run.folder / "environment.json", environment(config["hardware"]["threads"]))
