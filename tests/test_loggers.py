"""Loggers hear every epoch and every score, change no number and stop no run."""

import subprocess
import sys

import pytest

from stsfm import loggers

NET = ["run", "-q", "model=gru", "model.hidden=4", "trainer.epochs=3", "baselines=[]"]
NAIVE = ["run", "-q", "model=naive", "baselines=[]"]


def tensorboard(desk, run):
    """tag → [(step, value)] of the event files of a run."""
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    folder = desk.folder / "runs/_tensorboard" / run.folder.relative_to(desk.folder / "runs")
    read = events.EventAccumulator(str(folder)).Reload()
    return {tag: [(e.step, e.value) for e in read.Scalars(tag)] for tag in read.Tags()["scalars"]}


def mlflow_runs(desk):
    mlflow = pytest.importorskip("mlflow")
    client = mlflow.MlflowClient(f"sqlite:///{desk.folder / 'runs/mlflow.db'}")
    number = client.get_experiment_by_name("airline").experiment_id
    return client, client.search_runs([number])


def test_tensorboard_hears_every_epoch_and_score(desk):
    pytest.importorskip("tensorboard")
    assert desk(*NET, "loggers=[tensorboard]") == 0 and desk.err == ""
    run = desk.only("/gru/")
    heard = tensorboard(desk, run)
    rows = run.history()
    assert heard["val"] == [(row["epoch"], pytest.approx(row["val"], rel=1e-6)) for row in rows]
    assert heard["test/mae"] == [(0, pytest.approx(desk.mae("/gru/"), rel=1e-6))]
    before = heard, run.status
    assert desk(*NET, "loggers=[tensorboard]") == 0
    assert (tensorboard(desk, run), desk.only("/gru/").status) == before, "told once"


def test_mlflow_hears_of_classical_models_and_of_kept_runs(desk):
    pytest.importorskip("mlflow")
    assert desk(*NAIVE, "loggers=[mlflow]") == 0 and desk.err == ""
    assert desk(*NET) == 0, "kept without any logger"
    status = desk.only("/gru/").status
    assert desk(*NET, "loggers=[mlflow]") == 0 and desk.only("/gru/").status == status
    client, found = mlflow_runs(desk)
    told = {run.data.tags["stsfm"].split("/")[0]: run for run in found}
    assert set(told) == {"naive", "gru"} and len(found) == 2
    assert {run.info.status for run in found} == {"FINISHED"}
    assert told["naive"].data.metrics["test/mae"] == pytest.approx(desk.mae("/naive/"))
    assert told["gru"].data.params["model.hidden"] == "4"
    heard = client.get_metric_history(told["gru"].info.run_id, "val")
    assert [m.value for m in heard] == [row["val"] for row in desk.only("/gru/").history()]
    assert not list(desk.folder.glob("mlruns"))


def test_loggers_are_no_part_of_a_run(desk, monkeypatch):
    monkeypatch.setattr(loggers, "LOGGERS", {"json": Deaf})
    assert desk(*NAIVE, "loggers=[json]") == desk(*NAIVE) == 0
    assert len(desk.runs()) == 1


class Deaf:
    """A logger that fails at the second epoch, or at the end where there is none."""

    def __init__(self, run) -> None:
        pass

    def row(self, row) -> None:
        if row["epoch"] > 1:
            raise OSError("nobody listens")

    def end(self, keys, scores) -> None:
        raise OSError("nobody listens")

    def fail(self) -> None:
        raise AssertionError("the run did not fail")


@pytest.mark.parametrize("words", [NET, NAIVE])
def test_a_failing_logger_fails_no_run(desk, monkeypatch, words):
    monkeypatch.setattr(loggers, "LOGGERS", {"json": Deaf})
    assert desk(*words, "loggers=[json]") == 0
    assert desk.err == "json is told no more: OSError: nobody listens\n"
    assert desk.only("/").state == "finished"


def test_a_failed_run_is_told(desk, monkeypatch):
    heard = []
    kind = type("Log", (), {"__init__": lambda self, run: None,
                            "row": lambda self, row: heard.append(row["epoch"]),
                            "fail": lambda self: heard.append("failed")})  # fmt: skip
    monkeypatch.setattr(loggers, "LOGGERS", {"json": kind})
    monkeypatch.setattr("stsfm.job.save", lambda *_: 1 / 0)
    assert desk(*NET, "loggers=[json]") == 1
    assert heard == [1, 2, 3, "failed"]


def test_what_is_unknown_or_absent_is_refused_before_training(desk, monkeypatch):
    assert desk(*NET, "loggers=[tensorbord]") == 2
    assert "no logger named 'tensorbord'. Did you mean 'tensorboard'?" in desk.err
    monkeypatch.setattr(loggers.importlib.util, "find_spec", lambda name: None)
    assert desk(*NET, "loggers=[mlflow]") == 2
    assert desk.err == "stsfm run: loggers=[mlflow] needs mlflow: pip install 'stsfm[mlflow]'\n"
    assert not desk.runs()


def test_loggers_cost_nothing_unless_asked_for(tmp_path):
    code = (
        "import sys; from stsfm.__main__ import main; "
        f"main({NAIVE}); print({{'torch', 'tensorboard', 'mlflow'}} & set(sys.modules))"
    )
    printed = subprocess.check_output([sys.executable, "-c", code], cwd=tmp_path, text=True)
    assert printed.splitlines()[-1] == "set()"
