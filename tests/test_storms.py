"""Sweeps as they are typed, and what a night does to them: kills, closed terminals, company.

They take a minute, and so are looked at where STSFM_STORMS=1, as .ci/run sets it.
"""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import sweeping

from stsfm.record import Record, records

pytestmark = pytest.mark.skipif("STSFM_STORMS" not in os.environ, reason="is done by .ci/run")

STARTED: list[subprocess.Popen] = []
STSFM = [sys.executable, "-m", "stsfm", "run"]

ODD = """

class Wanders(_Bad):
    def harm(self): os.chdir("/")

class Wipes(_Bad):
    def harm(self):
        import glob, shutil
        for folder in glob.glob("runs/*/wipes/*"): shutil.rmtree(folder)

class Refuses(_Bad):
    def __init__(self):
        from stsfm.mistakes import Mistake
        raise Mistake("there is no such model here")

class Hides(_Bad):
    def harm(self):
        import subprocess
        subprocess.Popen(["sleep", "617"], start_new_session=True)
        time.sleep(600)
"""


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A folder with models that misbehave; no sweep outlives its test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sweeping, "SPOILT", sweeping.SPOILT + ODD)
    sweeping.lay_out(tmp_path)
    yield tmp_path
    while STARTED:
        STARTED[-1].kill()
        STARTED.pop().wait()


def begin(*words: str, out: str = "out.txt") -> subprocess.Popen:
    with Path(out).open("w") as file:
        typed = [*STSFM, *words, *sweeping.PLUGIN]
        STARTED.append(subprocess.Popen(typed, stdout=file, stderr=subprocess.STDOUT))
    return STARTED[-1]


def run(*words: str) -> int:
    return begin(*words).wait(timeout=120)


def until(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def finished() -> list[Record]:
    return [one for one in records(Path("runs")) if one.state == "finished"]


def scored() -> list[tuple[str, ...]]:
    """The columns of the comparison's table that are scores."""
    (table,) = Path("runs").glob("_comparisons/*/table.csv")
    names, *rows = [line.split(",") for line in table.read_text().splitlines()]
    scores = ("model", "seeds", "failed", "rank", "val_", "test_")
    kept = [k for k, name in enumerate(names) if name.startswith(scores)]
    return [tuple(row[k] for k in kept) for row in (names, *rows)]


NET = ["trainer.epochs=3", "trainer.patience=null", "model.hidden=3", "protocol.calibration=0"]


def test_killed_at_any_time_the_same_command_ends_with_the_table_of_an_unbroken_one(bench):
    words = ["model=rnn,gru", "baselines=[naive]", *NET]
    sweep = begin(*words)
    until(lambda: len(finished()) >= 2)
    sweep.kill()
    sweep.wait()
    done = [one.folder for one in finished()]
    core = ("status.json", "scores.json", "windows.npz", "config.yaml", "history.csv")
    files = [folder / name for folder in done for name in core if (folder / name).exists()]
    times = [file.stat().st_mtime_ns for file in files]
    assert run(*words) == 0, Path("out.txt").read_text()
    assert times == [file.stat().st_mtime_ns for file in files]
    broken = scored()
    Path("runs").rename("broken")
    assert run(*words) == 0
    assert len(finished()) == 3 and scored() == broken


def test_what_a_job_does_to_its_folders_and_processes_is_its_own_affair(bench):
    words = ["model=wanders,wipes,hides,naive", "baselines=[]", "launcher.timeout=4"]
    assert run(*words, "launcher.n_jobs=2") == 1
    told = {one.folder.parent.name: one.status for one in records(Path("runs"))}
    assert {name for name, status in told.items() if status["state"] == "finished"} == {
        "wanders", "naive",
    }  # fmt: skip
    assert "was removed while it was made" in told["wipes"]["error"]
    assert told["hides"]["error"] == "took longer than 4 s"
    assert not [
        p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", "617"]
    ]


def test_a_baseline_that_cannot_begin_fails_where_it_was_asked_for(bench):
    assert run("model=naive,refuses", "baselines=[refuses]") == 1
    assert "there is no such model here)" in Path("out.txt").read_text().partition("FAILED(")[2]
    assert len(finished()) == 1


@pytest.mark.parametrize("number, code", [(signal.SIG_DFL, 129), (signal.SIG_IGN, 0)])
def test_a_terminal_that_is_closed_ends_a_sweep_unless_it_was_told_to_go_on(bench, number, code):
    words = ["model=slow", "protocol.horizon=1,2", "baselines=[]", *sweeping.PLUGIN]
    pid, terminal = pty.fork()
    if not pid:
        signal.signal(signal.SIGHUP, number)
        os.execv(sys.executable, [*STSFM, *words])
    os.set_blocking(terminal, False)

    def begun() -> bool:
        with suppress(BlockingIOError):
            os.read(terminal, 65536)  # or it would wait for its reader
        return bool(list(records(Path("runs"))))

    until(begun)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == code
    states = {one.state for one in records(Path("runs"))}
    assert states == ({"finished"} if code == 0 else {"interrupted"})
    assert (code == 0) == bool(list(Path("runs").glob("_comparisons/*/report.html")))


def test_two_searches_at_once_are_one(bench):
    words = ["model=linear", "baselines=[]", "search=optuna", "search.trials=2"]
    both = [begin(*words, out=f"{k}.txt") for k in range(2)]
    assert [one.wait(timeout=120) for one in both] == [0, 0]
    (file,) = Path("runs").glob("_comparisons/*/search.json")
    (model,) = json.loads(file.read_text())["models"]
    assert [trial["state"] for trial in model["trials"]] == ["finished"] * 2
    assert all(one.status["attempt"] == 1 for one in records(Path("runs")))
    assert "waiting for it" in Path("0.txt").read_text() + Path("1.txt").read_text()
