"""A job in a process of its own: what it does to itself is recorded, and no other feels it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import sweeping

from stsfm.launchers import devices, limits
from stsfm.launchers.local import Local
from stsfm.launchers.watched import Watched, command
from stsfm.mistakes import Mistake
from stsfm.record import records
from stsfm.record.attempt import writing

TYPED: list[subprocess.Popen] = []


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A folder with models that misbehave; no sweep outlives its test."""
    monkeypatch.chdir(tmp_path)
    sweeping.lay_out(tmp_path)
    yield tmp_path
    while TYPED:
        sweep = TYPED.pop()
        sweep.kill()
        sweep.wait()


def states(folder: Path) -> dict[str, tuple[str, str]]:
    """Model → state and reason, of every run there is."""
    runs = records(folder / "runs")
    return {run.folder.parent.name: (run.state, run.status.get("error", "")) for run in runs}


def elsewhere(*words: str) -> subprocess.Popen:
    """A sweep that is typed."""
    typed = ["run", "-m", "baselines=[]", *words, *sweeping.PLUGIN]
    with Path("out.txt").open("w") as out:
        command = [sys.executable, "-m", "stsfm", *typed]
        TYPED.append(subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT))
    return TYPED[-1]


def until(condition, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


def all_gone(family: list[psutil.Process]) -> bool:
    """Within seconds; one that ended may wait to be asked for by who inherited it."""
    _, left = psutil.wait_procs(family, timeout=9)
    return all(one.status() == psutil.STATUS_ZOMBIE for one in left)


def running(folder: Path) -> set[str]:
    return {run.folder.parent.name for run in records(folder / "runs") if run.state == "running"}


@pytest.mark.slow
def test_what_one_job_does_to_itself_no_other_feels(bench):
    bad = {
        "raises": "ValueError: as it was written",
        "exits": "ended without a result (exit code 0)",
        "leaves": "ended without a result (exit code 0)",
        "aborts": "killed by SIGABRT",
        "crashes": "killed by SIGSEGV",
        "sleeps": "took longer than 8 s",
        "eats": "used ",
    }
    good = ["naive", "mean"]
    words = [f"model={name}" for name in ["naive", *bad, "mean"]]
    ended = sweeping.sweep(words, n_jobs=2, timeout=8, memory="900MiB")
    recorded = states(bench)
    for name, reason in bad.items():
        assert ended[name].state == "failed" and ended[name].reason.startswith(reason)
        assert recorded[name] == ("failed", ended[name].reason)
    assert ended["eats"].reason.endswith("iB, more than launcher.memory=900MiB")
    assert {name: recorded[name][0] for name in good} == dict.fromkeys(good, "finished")
    for run in records(bench / "runs"):  # a failure says what it was to be, however it ended
        assert run.config["choices"]["model"] == run.folder.parent.name
    # a bad job alone gives the sweep's exit code, and what was printed is in the run's log
    (log,) = bench.glob("runs/*/crashes/*/log.txt")
    assert "Segmentation fault" in log.read_text()


@pytest.mark.parametrize(
    "number, code, other", [(signal.SIGINT, 130, "deaf"), (signal.SIGTERM, 143, "dozes")]
)
def test_a_signal_stops_everything_and_leaves_no_process(bench, number, code, other):
    sweep = elsewhere(f"model=sleeps,{other},naive", "launcher.n_jobs=2")
    until(lambda: running(bench) == {"sleeps", other})
    family = psutil.Process(sweep.pid).children(recursive=True)
    sweep.send_signal(number)
    began = time.monotonic()
    sweep.wait(timeout=10)
    assert time.monotonic() - began < 10
    assert sweep.returncode == code, Path("out.txt").read_text()
    assert len(family) >= 3 and all_gone(family)
    why = {signal.SIGINT: "stopped by Ctrl-C", signal.SIGTERM: "stopped by SIGTERM"}[number]
    assert states(bench) == dict.fromkeys(("sleeps", other), ("interrupted", why))


def test_the_children_of_a_sweep_that_is_killed_end_by_themselves_and_it_goes_on(bench):
    sweep = elsewhere("model=slow,mean,sleeps,naive")
    until(lambda: running(bench) == {"sleeps"})
    family = psutil.Process(sweep.pid).children(recursive=True)
    sweep.kill()
    sweep.wait()
    assert all_gone(family)
    assert states(bench)["sleeps"][0] == "crashed"
    done = {r.folder: r.status["ended"] for r in records(bench / "runs") if r.state == "finished"}
    times = {f: [p.stat().st_mtime_ns for p in sorted(f.rglob("*"))] for f in done}
    assert len(done) == 2
    words = [f"model={name}" for name in ("slow", "mean", "naive")]
    assert sweeping.sweep(words)["naive"].state == "finished"
    assert times == {f: [p.stat().st_mtime_ns for p in sorted(f.rglob("*"))] for f in done}
    shutil.move(bench / "runs", bench / "broken")
    sweeping.sweep(words)  # unbroken
    for run in records(bench / "runs"):
        (other,) = bench.glob(f"broken/*/*/{run.folder.name}/scores.json")
        ours, theirs = run.scores, run.read(str(other))
        assert [ours["val"], ours["test"]] == [theirs["val"], theirs["test"]]


@pytest.mark.slow
def test_a_job_on_two_devices_is_a_command_of_its_own(bench):
    net = "model=rnn model.hidden=2 trainer.epochs=1 protocol.calibration=0"
    ended = sweeping.sweep([f"{net} hardware=cpu_ddp2", net.replace("rnn", "gru")], n_jobs=2)
    assert [ending.state for ending in ended.values()] == ["finished", "finished"]


def test_what_an_attempt_took_is_added_up_whatever_became_of_it(bench):
    job = sweeping.job("model=naive")
    home = Path(job.config["runs_dir"])

    def attempt(error: BaseException | None):
        with writing(home, job.identity, job.about, force=False):
            time.sleep(0.05)
            if error:
                raise error

    for error in (ValueError("no"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            attempt(error)
    assert 0.1 <= job.run.status["spent"] < 1
    before, watched = job.run.status["spent"], Watched(job)
    watched.began -= 5.0  # it died before it wrote anything, 5 s from its start
    assert watched.ending(-9).reason.startswith("killed by SIGKILL")
    assert before + 5 <= job.run.status["spent"] < before + 6
    attempt(None)
    assert job.run.status["attempt"] == 4 and job.run.spent > before + 5.05
    assert Watched(job).ending(0).state == "finished"


def test_the_command_of_a_job_is_one_that_can_be_typed(bench):
    job = sweeping.job("model=naive launcher.n_jobs=2")
    assert command(job)[1:4] == ["-m", "stsfm", "run"] and "model=naive" in job.command
    assert "launcher.n_jobs=2" not in command(job)  # it would be a sweep that waits for its own job


@pytest.mark.parametrize(
    "typed, seconds",
    [(60, 60), ("60", 60), ("90s", 90), ("10m", 600), ("1.5h", 5400), (None, None)],
)
def test_times_as_they_are_typed(typed, seconds):
    assert limits.seconds(typed, "launcher.timeout") == seconds


@pytest.mark.parametrize(
    "typed, size", [("4GiB", 4 * 2**30), ("500 MB", 5e8), ("1g", 2**30), (100, 100), (None, None)]
)
def test_sizes_as_they_are_typed(typed, size):
    assert limits.size(typed, "launcher.memory") == size


@pytest.mark.parametrize("keys", [{"timeout": "soon"}, {"memory": "4 apples"}, {"timeout": 0},
                                  {"n_jobs": 0}])  # fmt: skip
def test_a_limit_that_is_none_costs_one_line(keys):
    with pytest.raises(Mistake, match=f"launcher.{next(iter(keys))}: wanted"):
        Local(**{"n_jobs": 1, "timeout": None, "memory": None} | keys)


def test_each_job_is_given_the_gpu_with_the_fewest(monkeypatch):
    monkeypatch.setenv(devices.VISIBLE, "3,GPU-5f")
    assert devices.gpus() == ["3", "GPU-5f"]
    taken: list[int] = []
    for _ in range(4):
        taken.append(devices.free_slot(taken, 4, 2))
    assert [slot % 2 for slot in taken] == [0, 1, 0, 1]
    assert devices.free_slot([2], 4, 2) % 2 == 1  # GPU 0 has one, though slot 0 is free
    monkeypatch.setenv(devices.VISIBLE, "-1")
    assert devices.gpus() == []


def test_the_gpus_of_a_machine_are_counted_by_its_driver(tmp_path, monkeypatch):
    monkeypatch.delenv(devices.VISIBLE, raising=False)
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'GPU 0: A (UUID: x)'\necho '  MIG 1g'\necho 'GPU 1: A'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert devices.gpus() == ["0", "1"]
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    assert devices.gpus() == []


def test_more_threads_than_cores_are_told_of_once(bench, capsys):
    local = Local(n_jobs=10_000, timeout=None, memory=None)
    job = sweeping.job("model=naive")
    assert "launcher.n_jobs=10000 × 1 threads" in local.advice(job)
    assert not Local(n_jobs=1, timeout=None, memory=None).advice(job)
