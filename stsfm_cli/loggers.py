"""Where a run is told of besides its own record: loggers=[tensorboard,mlflow].

They hear every epoch while it is trained, and what was scored and with which keys at the end. What
they are told changes no number; one that fails is left alone, and the run goes on.

TensorBoard: Abadi et al., TensorFlow (2015). MLflow: Zaharia et al., IEEE Data Eng. Bull. (2018).
"""

from __future__ import annotations

import importlib.util
import logging
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, Self

from stsfm.files import write
from stsfm.mistakes import Mistake, no_such, one_line
from stsfm.record import Record
from stsfm.record.choosing import flatten
from stsfm.screen import Screen


class Logger(Protocol):
    """One place. It is made when a run begins, or when a kept run is told of later."""

    def row(self, row: Mapping[str, float]) -> None:
        """An epoch: its number, losses, rate …"""

    def end(self, keys: Mapping[str, Any], scores: Mapping[str, float]) -> None:
        """The keys of the config, the pooled scores and the costs, by dotted names."""

    def fail(self) -> None:
        """The run did not come to its end."""


class TensorBoard:
    """Event files, a folder per run: tensorboard --logdir runs/_tensorboard."""

    def __init__(self, run: Record) -> None:
        from torch.utils.tensorboard.writer import SummaryWriter

        folder = run.folder.parents[2] / "_tensorboard" / Path(*run.folder.parts[-3:])
        shutil.rmtree(folder, ignore_errors=True)
        self.writer = SummaryWriter(str(folder))

    def row(self, row: Mapping[str, float]) -> None:
        for name, value in row.items():
            self.writer.add_scalar(name, value, int(row["epoch"]))
        self.writer.flush()

    def end(self, keys: Mapping[str, Any], scores: Mapping[str, float]) -> None:
        for name, value in scores.items():
            self.writer.add_scalar(name, value)
        self.writer.add_text("config", "\n".join(f"    {key}: {keys[key]}" for key in keys))
        self.writer.close()

    def fail(self) -> None:
        self.writer.close()


class MLflow:
    """One SQLite file for all runs: mlflow ui --backend-store-uri sqlite:///runs/mlflow.db."""

    def __init__(self, run: Record) -> None:
        from mlflow import MlflowClient

        for chatty in ("mlflow", "alembic"):  # they tell of every table of the file
            logging.getLogger(chatty).setLevel(logging.WARNING)
        home, (data, *name) = run.folder.parents[2].resolve(), run.folder.parts[-3:]
        self.client = MlflowClient(f"sqlite:///{home / 'mlflow.db'}")
        known = self.client.get_experiment_by_name(data)
        place = (home / "_mlflow" / data).as_uri()
        number = known.experiment_id if known else self.client.create_experiment(data, place)
        label = "/".join(name)
        for earlier in self.client.search_runs([number], f"tags.stsfm = '{label}'"):
            self.client.delete_run(earlier.info.run_id)
        begun = self.client.create_run(number, run_name=label, tags={"stsfm": label})
        self.id = begun.info.run_id

    def row(self, row: Mapping[str, float]) -> None:
        for name, value in row.items():
            self.client.log_metric(self.id, name, value, step=int(row["epoch"]))

    def end(self, keys: Mapping[str, Any], scores: Mapping[str, float]) -> None:
        from mlflow.entities import Metric, Param

        now = int(1000 * time.time())
        params = [Param(key, str(value)) for key, value in keys.items()]
        metrics = [Metric(name, value, now, 0) for name, value in scores.items()]
        self.client.log_batch(self.id, metrics=metrics, params=params)
        self.client.set_terminated(self.id)

    def fail(self) -> None:
        self.client.set_terminated(self.id, "FAILED")


LOGGERS: dict[str, Callable[[Record], Logger]] = {  # by the package that each needs
    "tensorboard": TensorBoard,
    "mlflow": MLflow,
}


def check(names: Iterable[str]) -> None:
    """Mistake unless every logger exists and its package is installed."""
    for name in names:
        if name not in LOGGERS:
            raise no_such("logger", name, LOGGERS)
        if importlib.util.find_spec(name) is None:
            raise Mistake(f"loggers=[{name}] needs {name}: pip install 'stsfm[{name}]'")


class Loggers:
    """All loggers of a run. Each is left alone after its first failure, which is said in a line."""

    def __init__(self, names: Iterable[str], run: Record, screen: Screen) -> None:
        self.names, self.run, self.screen = list(names), run, screen
        self.open: dict[str, Logger] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._tell("fail")

    def row(self, row: Mapping[str, float]) -> None:
        """Tell of an epoch that is not in the history yet."""
        self._begin()
        self._tell("row", _plain(row))

    def end(self) -> None:
        """Tell of the scores, and note who has heard all."""
        self._begin()
        run = self.run
        pooled = {f"{p}/{name}": x for p in ("val", "test") for name, x in run.pooled(p).items()}
        costs = {name: cost for name, cost in run.scores["cost"].items() if cost is not None}
        self._tell("end", flatten(run.config), pooled | costs)
        for name in self.open:
            write(_note(self.run, name), "")

    def _begin(self) -> None:
        """Open each, and tell it of the epochs of a training that went on, or is long done."""
        names, self.names = self.names, []
        for name in names:
            with self._guarded(name):
                self.open[name] = LOGGERS[name](self.run)
        for row in self.run.history() if names else ():
            self._tell("row", _plain(row))

    def _tell(self, what: str, *told: Any) -> None:
        for name, logger in list(self.open.items()):
            with self._guarded(name):
                getattr(logger, what)(*told)

    @contextmanager
    def _guarded(self, name: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.open.pop(name, None)
            self.screen.warn(f"{name} is told no more: {type(error).__name__}: {one_line(error)}")


def _plain(row: Mapping[str, Any]) -> dict[str, float]:
    """Numbers by name; of a stage each has its own: dynamics/val."""
    stage = f"{row['stage']}/" if "stage" in row else ""
    told = {
        f"{stage}{name}": value for name, value in row.items() if name not in ("stage", "epoch")
    }
    return {"epoch": row["epoch"], **told}


def catch_up(names: Iterable[str], run: Record, screen: Screen) -> None:
    """Tell loggers of a kept run that have not heard all of it."""
    if new := [name for name in names if not _note(run, name).exists()]:
        Loggers(new, run, screen).end()


def _note(run: Record, name: str) -> Path:
    return run.folder / "loggers" / name
