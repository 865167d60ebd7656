"""Beyond one machine: ray and slurm end where the local launcher ends, in numbers and in reasons.

ray is large, and comes with its extra; where it is absent, its tests are skipped. A slurm queue is
played by submitit's local executor, and by scripts that answer as slurm does.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import sweeping
from pages import Page, shell

from stsfm import compose
from stsfm.build import build
from stsfm.mistakes import Mistake
from stsfm.record import lock, records
from stsfm.screen import Screen
from stsfm.sweeps.engine import carry_out
from stsfm.sweeps.status import Status

WORDS = ["model=naive", "model=raises", "model=linear", "model=aborts"]
KEYS = {
    "local": ["launcher.n_jobs=2"],
    "ray": ["launcher=ray", "launcher.n_jobs=2"],
    "slurm": ["launcher=slurm", "launcher.executor=local", "launcher.n_jobs=2"],
}


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A folder with models that misbehave."""
    monkeypatch.chdir(tmp_path)
    sweeping.lay_out(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def cluster():
    """A small ray cluster of this machine, for several tests."""
    ray = pytest.importorskip("ray", reason="needs ray: pip install 'stsfm[ray]'")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    quiet = {"log_to_driver": False, "logging_level": "error", "include_dashboard": False}
    before = signal.getsignal(signal.SIGTERM)
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # its sockets want a short path
    ray.init("local", num_cpus=2, object_store_memory=80 * 2**20, _temp_dir=folder, **quiet)
    signal.signal(signal.SIGTERM, before)
    yield ray
    ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def remote(request):
    """What `launcher` shall be: its name, and what it needs to be there."""
    if request.param == "ray":
        request.getfixturevalue("cluster")
    if "STSFM_CLUSTER" not in os.environ:
        pytest.skip("is done by .ci/run: a minute")
    if request.param == "slurm":
        pytest.importorskip("submitit", reason="needs submitit: pip install 'stsfm[slurm]'")
    return request.param


both = pytest.mark.parametrize("remote", ["ray", "slurm"], indirect=True)


def launcher(name: str, *more: str):
    return build(compose.config([*KEYS[name], *more])["launcher"], path="launcher")


def swept(where, words=WORDS, retries=0) -> dict[str, tuple[str, str]]:
    """Model → how it ended and why."""
    jobs = [sweeping.job(each) for each in words]
    status = Status(Screen(quiet=True))
    status.begin("", len(jobs))
    made = carry_out(sweeping.Listed(jobs), where, retries=retries, fail_fast=False, status=status)
    return {j.identity.model: (made[j.run.folder].state, made[j.run.folder].reason) for j in jobs}


def recorded(folder: Path) -> dict[str, tuple]:
    """Model → state, reason and numbers of its record."""
    parts = {run: run.scores for run in records(folder)}
    return {
        run.folder.parent.name: (
            run.state, run.status.get("error"), scores.get("val"), scores.get("test")
        )
        for run, scores in parts.items()
    }  # fmt: skip


def until(condition, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """One that ended may wait to be asked for by who inherited it."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def running() -> dict[str, int]:
    """Model → process of what runs."""
    found = [run.status for run in records(Path("runs")) if run.state == "running"]
    return {status["model"]: status["pid"] for status in found}


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """How the sweep ends on this machine, and what it leaves."""
    folder = tmp_path_factory.mktemp("here")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        sweeping.lay_out(folder)
        return swept(launcher("local")), recorded(folder / "runs")


@both
def test_a_sweep_ends_as_it_does_on_this_machine(bench, remote, here):
    ended = swept(launcher(remote))
    assert (ended, recorded(bench / "runs")) == here
    assert ended["raises"] == ("failed", "ValueError: as it was written")
    assert ended["aborts"] == ("failed", "killed by SIGABRT")
    assert not list(bench.glob("runs/_*"))  # what slurm was sent is gone


@both
def test_limits_hold_and_who_is_stopped_goes(bench, remote):
    with launcher(remote, "launcher.timeout=3") as where:
        where.start(sweeping.job("model=dozes"))
        until(lambda: "dozes" in running())
        (late,) = _all_of(where)
    assert late.reason == "took longer than 3 s"
    with launcher(remote) as where:
        jobs = [sweeping.job(f"model={name}") for name in ("sleeps", "deaf")]
        for job in jobs:
            where.start(job)
        until(lambda: running().keys() == {"sleeps", "deaf"})
        pids = list(running().values())
        where.stop(jobs[0], "it was worse than others")
        (stopped,) = _all_of(where)
        assert (stopped.state, stopped.reason) == ("interrupted", "it was worse than others")
        began = time.monotonic()
        where.close()
        assert time.monotonic() - began < 10
        ((_, closed),) = where.ended()
    assert (closed.state, closed.reason) == ("interrupted", "stopped with its sweep")
    until(lambda: not any(map(alive, pids)), 3)
    assert recorded(bench / "runs")["sleeps"][0] == "interrupted"


def _all_of(where):
    """The endings of the next jobs that end."""
    found = []
    until(lambda: found.extend(where.ended()) or found)
    return [ending for _, ending in found]


# ---- ray -----------------------------------------------------------------------------------------


def test_a_ray_worker_that_dies_is_a_failure_and_takes_its_job_along(bench, cluster):
    with launcher("ray") as where:
        where.start(sweeping.job("model=sleeps"))
        until(running)
        (pid,) = running().values()
        server = psutil.Process(pid).parent()
        server.parent().kill()
        (ending,) = _all_of(where)
    assert ending.state == "failed" and ending.reason.startswith("lost by ray (WorkerCrashed")
    assert not alive(pid)
    assert recorded(bench / "runs")["sleeps"][:2] == ("failed", ending.reason)


def test_a_signal_ends_a_ray_cluster_that_was_started_for_the_sweep(bench):
    pytest.importorskip("ray", reason="needs ray: pip install 'stsfm[ray]'")
    words = ["model=sleeps,dozes", "baselines=[]", *sweeping.PLUGIN, *KEYS["ray"]]
    before = set(Path("/tmp").glob("stsfm-ray-*"))
    sweep = subprocess.Popen([sys.executable, "-m", "stsfm", "run", *words])
    until(lambda: running().keys() == {"sleeps", "dozes"}, 60)
    family = psutil.Process(sweep.pid).children(recursive=True)
    assert any("raylet" in one.name() for one in family)
    sweep.send_signal(signal.SIGTERM)
    assert sweep.wait(timeout=15) == 143
    until(lambda: not any(alive(one.pid) for one in family), 5)
    assert set(Path("/tmp").glob("stsfm-ray-*")) == before
    assert {state for state, *_ in recorded(bench / "runs").values()} == {"interrupted"}


# ---- slurm ---------------------------------------------------------------------------------------

QUEUE = {  # a queue in which nothing ever runs: it takes a job, says its state, forgets it
    "sbatch": 'cp "$1" asked.sh; echo "Submitted batch job $RANDOM$RANDOM"',
    "srun": "exit 1",
    "sacct": r"""while [ $# -gt 0 ]; do if [ "$1" = -j ]; then id=$2; fi; shift; done
printf 'JobID|State|NodeList\n%s|%s|n1\n' "$id" "$(cat state)" """,
    "scancel": "echo CANCELLED by 1000 > state",
}


@pytest.fixture
def queue(bench, monkeypatch):
    pytest.importorskip("submitit", reason="needs submitit: pip install 'stsfm[slurm]'")
    (bench / "bin").mkdir()
    for name, script in QUEUE.items():
        (bench / "bin" / name).write_text(f"#!/bin/bash\ncd {bench}\n{script}\n")
        (bench / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{bench / 'bin'}{os.pathsep}{os.environ['PATH']}")
    KEYS["queue"] = ["launcher=slurm"]
    return bench / "state"


NET = "model=rnn model.hidden=2 hardware=multi_node hardware.accelerator=cpu hardware.devices=2"


@pytest.mark.parametrize(
    "words, asked",
    [
        ("model=naive", ["--nodes=1", "--ntasks-per-node=1", "--cpus-per-task=1", "--time=63"]),
        (NET, ["--nodes=2", "--ntasks-per-node=2", "--cpus-per-task=2", "--no-requeue"]),
    ],
)
def test_slurm_is_asked_for_what_a_job_needs(queue, words, asked):
    queue.write_text("PENDING")
    keys = [
        "launcher.partition=long",
        "launcher.memory=2GiB",
        'launcher.sbatch=["--constraint=a","--exclusive"]',
    ]
    with launcher("queue", *keys, "launcher.setup=[module load cuda]") as where:
        where.start(sweeping.job(words))
        script = Path("asked.sh").read_text()
        for line in [*asked, "--partition=long", "--mem=2GB", "--constraint=a", "--exclusive"]:
            assert f"#SBATCH {line}\n" in script
        assert "\nmodule load cuda\n" in script and "--kill-on-bad-exit=1" in script
        assert where.ended() == []
    ((_, ending),) = where.ended()
    assert ending.state == "interrupted"
    assert list(records(Path("runs"))) == []  # it had not begun: no attempt, no record


@pytest.mark.parametrize(
    "state, reason",
    [
        ("TIMEOUT", "slurm: took longer than its limit"),
        ("OUT_OF_MEMORY", "slurm: used more memory than it was given"),
        ("NODE_FAIL", "slurm: its node died"),
        ("PREEMPTED", "slurm: preempted by another job"),
        ("CANCELLED by 1000", "slurm: cancelled"),
        ("FAILED", "slurm: it ended as FAILED"),
    ],
)
def test_what_slurm_says_of_a_job_is_its_reason(queue, state, reason):
    queue.write_text(state)
    assert swept(launcher("queue"), ["model=naive"])["naive"] == ("failed", reason)
    assert recorded(Path("runs"))["naive"][:2] == ("failed", reason)


def test_an_sbatch_that_is_refused_costs_one_line(queue):
    Path("bin/sbatch").write_text("#!/bin/bash\necho sbatch: error: no partition x >&2; exit 1\n")
    with pytest.raises(Mistake, match=r"does not take the job: .*no partition x"):
        swept(launcher("queue"), ["model=naive"])


# ---- several machines without either -------------------------------------------------------------


@pytest.mark.skipif("STSFM_CLUSTER" not in os.environ, reason="is done by .ci/run: 20 s")
def test_two_machines_train_one_net_to_the_numbers_of_two_processes(tmp_path, monkeypatch):
    """One process per device, as torchrun and slurm start them."""
    monkeypatch.chdir(tmp_path)
    words = ["model=gru", "model.hidden=4", "trainer.epochs=2", "baselines=[]"]
    words += ["protocol.calibration=0"]
    run = [sys.executable, "-m", "stsfm", "run", *words]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
    nodes = [*run, "hardware=multi_node", "hardware.accelerator=cpu", "hardware.devices=1"]
    ranks = [
        subprocess.Popen(nodes, env={**os.environ, **place, "NODE_RANK": str(k)}) for k in (1, 0)
    ]
    assert [rank.wait(timeout=120) for rank in ranks] == [0, 0]
    subprocess.run([*run, "hardware=cpu_ddp2", "runs_dir=one"], check=True)
    (two,), (one,) = records(Path("runs")), records(Path("one"))
    assert two.scores["test"] == one.scores["test"]
    weights = two.scores["training"]["weights"]
    assert len(weights) == 2 and weights == one.scores["training"]["weights"]


@pytest.mark.skipif(not shutil.which("rsync"), reason="there is no rsync")
def test_runs_of_two_machines_are_one_folder_after_a_sync(desk):
    """By the page's own lines: what is finished comes home whole, and nothing else does."""
    lines = [line.command for line in Page("docs/cluster.md").typed if line.needs == "node7"]
    assert len(lines) == 2
    assert desk("run", "model=naive,drift", "baselines=[]", "runs_dir=study/runs") == 0
    assert desk("run", "model=naive,mean", "baselines=[]") == 0
    (failed,) = desk.folder.glob("study/runs/airline/drift/*/status.json")
    failed.write_text(failed.read_text().replace('"finished"', '"failed"'))
    for line in lines:
        shell(line.replace("ssh node7", "bash -c").replace("node7:", ""), desk.folder)
    merged = {run.folder.parent.name: run.state for run in desk.runs()}
    assert merged == {"naive": "finished", "mean": "finished"}
    assert (desk.folder / "made").read_text().count("airline/naive/") == 1
    desk("run", "model=naive,mean", "baselines=[]", "--dry-run")
    assert "2 cached" in desk.out


def test_a_lock_is_seen_where_the_file_system_wants_it_open_for_writing(tmp_path, monkeypatch):
    """flock(2): NFS makes an exclusive lock one on bytes, for which the file must be writable."""
    real = lock.fcntl.flock

    def as_nfs(file, operation):
        if not file.writable():
            raise OSError(lock.errno.EBADF, "Bad file descriptor")
        real(file, operation)

    monkeypatch.setattr(lock.fcntl, "flock", as_nfs)
    with lock.holding(tmp_path / "run"):
        assert lock.held(tmp_path / "run")
    assert not lock.held(tmp_path / "run")
