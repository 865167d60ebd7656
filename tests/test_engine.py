"""The queue of a sweep: retries, fail-fast, what is shared with other sweeps; and equal numbers."""

import io
import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import sweeping

from stsfm.launchers.base import Ending, Launcher
from stsfm.record import lock, records
from stsfm.record.attempt import bury, writing
from stsfm.screen import Screen
from stsfm.sweeps.engine import SHARED, carry_out
from stsfm.sweeps.status import Status

SAID = "it is said so"


def finish(job, wait=lambda: None) -> None:
    """The record of a job, with scores that a line can tell."""
    with writing(Path("runs"), job.identity, job.about, force=False) as run:
        wait()
        part = {"mae": {"pooled": 1.0}}
        (run.folder / "scores.json").write_text(json.dumps({"val": part, "test": part}))


def fail(job) -> Ending:
    """The record of a job that failed, as the process that watched it writes it."""
    after = job.run.status.get("attempt", 0)
    bury(
        job.run, job.identity, job.about, SAID,
        after=after, began=time.time(), config=job.config, words=job.words,
    )  # fmt: skip
    return Ending("failed", SAID)


class Pretended(Launcher):
    """Jobs that end when they are asked after, as a list of outcomes tells; their records, too."""

    def __init__(self, *outcomes: str, n_jobs: int = 1, rounds: int = 1) -> None:
        self.outcomes, self.n_jobs, self.rounds = list(outcomes), n_jobs, rounds
        self.running: list = []
        self.started: list[str] = []
        self.stopped: dict[str, str] = {}
        self.most = 0

    def start(self, job):
        self.running.append([job, self.rounds])
        self.started.append(job.identity.model)
        self.most = max(self.most, len(self.running))

    def ended(self):
        gone = []
        for entry in list(self.running):
            job, entry[1] = entry[0], entry[1] - 1
            name = job.identity.model
            if name in self.stopped:
                gone.append((job, Ending("interrupted", self.stopped[name])))
            elif entry[1] <= 0:
                state = self.outcomes.pop(0) if self.outcomes else "finished"
                if state == "finished":
                    finish(job)
                gone.append((job, fail(job) if state == "failed" else Ending(state)))
        self.running = [e for e in self.running if all(e[0] is not job for job, _ in gone)]
        return gone

    def stop(self, job, reason):
        self.stopped[job.identity.model] = reason

    def close(self):
        for job, _ in self.running:
            self.stopped.setdefault(job.identity.model, "closed")


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sweeping.lay_out(tmp_path)
    return [sweeping.job(f"model={name}") for name in ("naive", "mean", "drift", "slow")]


def carried(jobs, launcher, *, retries=0, fail_fast=False, source=None):
    """Model → how it ended."""
    source = source or sweeping.Listed(jobs)
    made = carry_out(
        source, launcher, retries=retries, fail_fast=fail_fast, status=Status(Screen())
    )
    return {folder.parent.name: ending.state for folder, ending in made.items()}


def test_as_many_run_at_a_time_as_were_asked_for_and_failures_come_again(jobs, capsys):
    launcher = Pretended("failed", "finished", "failed", n_jobs=2, rounds=3)
    assert set(carried(jobs, launcher, retries=1).values()) == {"finished"}
    assert launcher.most == 2 and len(launcher.started) == 6
    assert launcher.started[:4] == ["naive", "mean", "drift", "slow"]
    printed = capsys.readouterr().out
    assert printed.count("again ") == 2 and "repeat:" not in printed


def test_what_fails_for_good_is_said_with_how_to_repeat_it(jobs, capsys):
    launcher = Pretended("failed", "finished", "failed")
    assert carried(jobs[:2], launcher, retries=1) == {"naive": "failed", "mean": "finished"}
    printed = capsys.readouterr().out
    assert printed.count("it is said so") == 2 and printed.count("again ") == 1
    assert f"repeat: {jobs[0].command}" in printed


def test_the_first_failure_ends_a_sweep_that_wants_it(jobs):
    launcher = Pretended("failed")
    assert carried(jobs, launcher, fail_fast=True) == {"naive": "failed"}
    assert launcher.started == ["naive"]


def test_a_source_may_have_a_job_stopped(jobs, monkeypatch):
    monkeypatch.setattr("stsfm.sweeps.engine.LOOK", 0.0)
    source = sweeping.Listed(jobs[:2])
    source.look = lambda job: "pruned" if job.identity.model == "naive" else None
    launcher = Pretended(n_jobs=2, rounds=5)
    assert carried([], launcher, source=source) == {"naive": "interrupted", "mean": "finished"}
    assert launcher.stopped == {"naive": "pruned"}


def test_what_another_process_is_at_is_set_aside_and_counts_once_it_is_done(jobs, monkeypatch):
    monkeypatch.setattr("stsfm.sweeps.engine.ASIDE", 0.05)
    held, *others = jobs
    launcher = Pretended(n_jobs=2)

    def wait():
        begun.set()
        while len(launcher.started) < len(others):
            time.sleep(0.01)

    begun = threading.Event()
    thread = threading.Thread(target=finish, args=(held, wait), daemon=True)
    thread.start()
    begun.wait()
    source = sweeping.Listed(jobs)
    assert set(carried([], launcher, source=source).values()) == {"finished"}
    thread.join()
    assert "naive" not in launcher.started
    assert [e.reason for j, e in source.told if j is held] == [SHARED]


def test_two_sweeps_at_once_share_the_work(jobs, monkeypatch):
    monkeypatch.setattr("stsfm.sweeps.engine.ASIDE", 0.05)
    launchers = [Pretended(rounds=5), Pretended(rounds=5)]
    made: list[dict] = []
    threads = [
        threading.Thread(target=lambda one=one: made.append(carried(list(jobs), one)), daemon=True)
        for one in launchers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [set(each.values()) for each in made] == [{"finished"}] * 2
    first, second = (set(one.started) for one in launchers)
    assert first and second and not first & second and len(first | second) == 4
    assert all(run.status["attempt"] == 1 for run in records(Path("runs")))
    assert not list(Path("runs").rglob(lock.CLAIM))


@pytest.mark.slow
def test_two_sweeps_of_processes_corrupt_nothing(jobs):
    words = [f"model=slow protocol.horizon={h}" for h in (1, 2, 3, 4)]
    typed = ["run", "-m", "model=slow", "protocol.horizon=1,2,3,4", "baselines=[]"]
    other = subprocess.Popen(
        [sys.executable, "-m", "stsfm", *typed, *sweeping.PLUGIN], stdout=subprocess.DEVNULL
    )
    end = time.monotonic() + 30
    while not list(Path("runs").rglob(lock.CLAIM)) and time.monotonic() < end:
        time.sleep(0.02)
    assert sweeping.sweep(words)
    other.wait(timeout=60)
    made = list(records(Path("runs")))
    assert len(made) == 4
    assert all(r.state == "finished" and r.status["attempt"] == 1 for r in made)
    assert all(r.damage(every_byte=True) is None for r in made)


def test_a_signal_is_caught_between_two_steps_and_handlers_are_given_back(jobs):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    for number, raised in ((signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)):
        launcher = Pretended(n_jobs=2, rounds=1000)
        source = sweeping.Listed(jobs)
        numbers = [number]
        source.look = lambda job, left=numbers: left and signal.raise_signal(left.pop())
        with pytest.raises(raised):
            carried([], launcher, source=source)
        assert set(launcher.stopped) == {"naive", "mean"} == set(launcher.started)
    assert before == (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))


NET = "protocol.calibration=0 model.hidden=3 trainer.epochs=2 trainer.patience=null"
MIXED = ["model=naive", f"model=lstm {NET}", f"model=gru {NET}", "model=mean"]


def numbers(home: str) -> dict[str, list]:
    """Run → its scores and its history, without times."""
    return {
        run.folder.name: [
            run.scores["val"], run.scores["test"],
            [{k: v for k, v in row.items() if k != "seconds"} for row in run.history()],
        ]
        for run in records(Path(home))
    }  # fmt: skip


def test_order_and_company_change_no_number(jobs):
    for home, words, n_jobs in (
        ("ab", MIXED, 1),
        ("ba", MIXED[::-1], 1),
        ("side-by-side", MIXED, 2),
    ):
        made = sweeping.sweep([f"{each} runs_dir={home}" for each in words], n_jobs=n_jobs)
        assert {ending.state for ending in made.values()} == {"finished"}
    assert len(numbers("ab")) == 4
    assert numbers("ab") == numbers("ba") == numbers("side-by-side")


def test_a_job_that_fails_now_and_then_comes_to_its_end(jobs):
    assert sweeping.sweep(["model=flaky"], retries=1)["flaky"].state == "failed"
    assert sweeping.sweep(["model=flaky"], retries=1)["flaky"].state == "finished"
    (run,) = records(Path("runs"))
    assert run.status["attempt"] == 3 and run.status["spent"] > 0


def test_a_damaged_result_is_made_anew(jobs):
    sweeping.sweep(["model=naive", "model=mean"])
    run, other = sorted(records(Path("runs")), key=lambda run: run.folder.parent.name == "mean")
    before, untouched = run.scores["test"], (other.folder / "scores.json").stat().st_mtime_ns
    spoilt = json.loads((run.folder / "scores.json").read_text())
    spoilt["test"]["mae"]["pooled"] = 0.0
    (run.folder / "scores.json").write_text(json.dumps(spoilt))
    assert run.state == "damaged"
    sweeping.sweep(["model=naive", "model=mean"])
    assert run.state == "finished" and run.scores["test"] == before
    assert run.status["attempt"] == 2
    assert (other.folder / "scores.json").stat().st_mtime_ns == untouched


EIGHT = """
import sys
from pathlib import Path
import killing
pids = [killing.start(["model=naive", "baselines=[]"], Path("runs"), figures=False)
        for _ in range(8)]
sys.exit(max(map(killing.wait, pids)))
"""


@pytest.mark.slow
def test_eight_launches_within_a_second_are_one_run(jobs):
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {here!r})\n{EIGHT}"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + Path("runs.out").read_text()
    (run,) = records(Path("runs"))
    assert run.state == "finished" and run.status["attempt"] == 1
    assert run.damage(every_byte=True) is None


def test_with_q_only_failures_are_said(jobs, capsys):
    status = Status(Screen(quiet=True))
    status.begin("4 jobs", 4)
    made = carry_out(
        sweeping.Listed(jobs), Pretended("failed"), retries=0, fail_fast=False, status=status
    )
    assert len(made) == 4
    printed = capsys.readouterr()
    assert not printed.out and "finished" not in printed.err
    assert f"repeat: {jobs[0].command}" in printed.err and "it is said so" in printed.err


def test_a_picture_of_a_sweep_tells_epochs_counts_and_the_best(jobs):
    from rich.console import Console

    net, done = sweeping.job(f"model=lstm {NET}"), jobs[0]
    status = Status(Screen())
    status.total = 4
    finish(done)
    status.ended(done, Ending("finished"))
    status.ended(jobs[1], fail(jobs[1]))
    net.run.folder.mkdir(parents=True)
    net.run.append_history({"epoch": 1, "val": 0.25})
    status.started(net)
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(status._picture([net]))
    seen = console.export_text()
    assert "lstm" in seen and "epoch 1/2 · val 0.25" in seen
    assert "1 done · 1 failed · 1 running · 1 to go" in seen
    assert "left · best val MAE: naive 1.000" in seen
    console = Console(width=50, record=True, file=io.StringIO())
    console.print(status._picture([done]))  # its numbers are there: its page is drawn now
    (_, last) = console.export_text().splitlines()
    assert last.startswith("1 done · 1 failed · 0 running · 2 to go · 1 page") and last[-1] == "…"
