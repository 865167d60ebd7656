"""What a kept run learned: read back as it was scored, or learned again from all rows."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from zipfile import BadZipFile

import numpy as np

from stsfm.build import build_model
from stsfm.datasets.transform import Transform
from stsfm.datasets.windows import RollingWindows
from stsfm.environment import drift
from stsfm.identity import members, nets, source_of
from stsfm.mistakes import Mistake
from stsfm.models.base import Forecaster
from stsfm.record import Record

BROKEN = (OSError, EOFError, ValueError, KeyError, TypeError, RuntimeError, BadZipFile,
          UnpicklingError)  # fmt: skip

ALONE = {"devices": 1, "nodes": 1, "strategy": "auto"}  # hardware of one process


def facts(run: Record) -> dict[str, Any]:
    """What the run keeps of its data: names, borders, rules."""
    kept = run.read("data.json")
    if run.state != "finished":
        raise Mistake(f"{os.path.relpath(run.folder)} is {run.state}; {_again(run)}")
    if not {"rules", "node_names", "step"} <= kept.keys():
        raise Mistake(
            f"{os.path.relpath(run.folder)} keeps too little of its data to go on behind them: it "
            f"is damaged, or was made by an older stsfm; with force=true {_again(run)}"
        )
    return kept


def load(run: Record) -> tuple[Forecaster, str]:
    """The model as it was scored, and which rows it has seen.

    A net comes back to the processor, wherever it was trained.
    """
    config = _here(run.config["model"])
    kept, fitted_to = facts(run), run.scores["fitted_to"]
    borders = kept["borders"]
    parts = fitted_to.split(" + ")
    rows = f" ({borders[parts[0]][0]} … {borders[parts[-1]][1]})" if parts[0] in borders else ""
    with _whole(run):
        model = build_model(config, lambda row: None, kept["rules"]).load(run.folder / "model")
    return model, f"fitted to {fitted_to}{rows}"


def teacher(folder: Path, windows: RollingWindows) -> Forecaster:
    """The model of a run as it learns from `windows`, its training windows.

    One that draws random numbers has seen no others; any other was refitted behind them.
    """
    run = Record(folder)
    config, rules = _here(run.config["model"]), facts(run)["rules"] | {"calibration": 0}
    with _whole(run):
        model = build_model(config, lambda row: None, rules).load(run.folder / "model")
    if run.status["identity"]["seed"] is None or members(config):
        model.refit(windows)
    return model


def transform(run: Record) -> Transform:
    """What the run's windows were made with, for its nodes."""
    with _whole(run), np.load(run.folder / "transform.npz", allow_pickle=False) as stored:
        return Transform(**stored)


def refit(run: Record, windows: RollingWindows, folder: Path) -> tuple[Forecaster, str]:
    """The model learned from all windows, kept in `folder` and found again there.

    What `fit` chose on validation stays; a net takes as many epochs as were best there, and one
    device, on batches as large as those of all together.
    """
    config, training = run.config["model"], run.scores["training"]
    how = "refitted to all rows"
    if training:
        best = training["best_epoch"]
        config = _for_epochs(config, best)
        how += f", for the {best} epochs that were best on validation"
    elif members(config) and nets(config):
        how += ", but for nets among its members: they are as they were scored"
    model = build_model(config, lambda row: None, facts(run)["rules"])
    with suppress(Mistake), _whole(run):  # what is not there, or not whole, is made
        return model.load(folder), how
    if training:
        model.fit(windows, windows.subset(slice(0, 0)))
    else:
        with _whole(run):
            model.load(run.folder / "model")
        model.refit(windows)
    shutil.rmtree(folder, ignore_errors=True)
    draft = folder.with_name(f".model.{os.getpid()}")
    model.save(draft)
    draft.replace(folder)
    return model, how


def _for_epochs(config: Mapping[str, Any], best: int) -> dict[str, Any]:
    """The subtree of a net, or of a state space that a net continues, to be trained so long."""
    if "trainer" not in config:
        return {**config, "dynamics": _for_epochs(config["dynamics"], best)}
    trainer, hardware = config["trainer"], config["hardware"]
    batches = trainer["accumulate"] * hardware["devices"] * hardware["nodes"]
    trainer = trainer | {"epochs": best, "patience": None, "accumulate": batches}
    return {**config, "trainer": trainer, "hardware": hardware | ALONE}


def _here(config: Mapping[str, Any]) -> dict[str, Any]:
    """The subtree of a model, for one process on the processor."""
    if "hardware" in config:
        return {**config, "hardware": config["hardware"] | ALONE | {"accelerator": "cpu"}}
    return {k: _here(v) if isinstance(v, Mapping) else v for k, v in config.items()}


def aged(run: Record) -> Iterator[str]:
    """In what the program differs from the one that made the run."""
    made_by = run.status["identity"]["ingredients"]["source"]
    if made_by != source_of(run.config, facts(run)["rules"]):
        yield f"the code of {run.status['model']} has changed since the run was made"
    if changed := drift(run.read("environment.json")):
        yield f"the run was made with {', '.join(changed)}"


def _again(run: Record) -> str:
    """The command that makes a run anew."""
    try:
        command = (run.folder / "command.txt").read_text().strip()
    except OSError:
        return "make it anew"
    return f"`{command}` makes it anew"


@contextmanager
def _whole(run: Record) -> Iterator[None]:
    """What can't be read back is a Mistake that says how to get it again."""
    try:
        yield
    except BROKEN as error:
        raise Mistake(
            f"the model of {os.path.relpath(run.folder)} can't be read ({type(error).__name__}: "
            f"{error}); with force=true {_again(run)}"
        ) from error
