"""Runs that are killed: everything is imported once, every attempt is a fork of it.

python killing.py KILLS SEED WORD …    in an empty folder; prints JSON lines: a reference run that
nobody touched, then for every kill when it came, how far the run was, and how its repetition ended.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import lightning.pytorch  # noqa: F401
import matplotlib.backends.backend_agg
import matplotlib.backends.backend_svg  # noqa: F401

import stsfm.job
import stsfm.jobs
import stsfm.models.neural
import stsfm.plots.style
from stsfm.__main__ import main
from stsfm.record import Record


def start(words: list[str], home: Path, *, figures: bool = True) -> int:
    """A process at a run; its output goes to a file beside the runs."""
    if pid := os.fork():
        return pid
    if not figures:  # they take longer than the training
        stsfm.plots.draw = lambda story, folder: []
    out = os.open(f"{home}.out", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    code = main(["run", *words, f"runs_dir={home}"])
    sys.stdout.flush()
    os._exit(code)


def run_of(home: Path) -> Record | None:
    """The run in a home that has one; it may not have come to its status yet."""
    folders = list(home.glob("*/*/*/"))
    return Record(folders[0]) if folders else None


def phase(home: Path) -> str:
    """How far the run was when it was killed."""
    run = run_of(home)
    if run is None or run.state == "missing":
        return "before"
    if run.state == "finished":
        return "page" if not (run.folder / "members.json").exists() else "end"
    if (run.folder / "model").exists():
        return "results"
    return f"training {len(run.history())}" if run.history() else "before"


def result(home: Path) -> dict:
    """What a run came to, without times; and what lies about that should not."""
    run = run_of(home)
    scores, report = run.scores, run.scores["training"]
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in run.history()]
    hidden = [str(path.relative_to(home)) for path in home.rglob(".*")]
    checkpoints = [str(path) for path in home.rglob("checkpoint")]
    return {
        "state": run.state, "attempt": run.status["attempt"], "leftover": hidden + checkpoints,
        "same": {"val": scores["val"], "test": scores["test"], "report": report, "rows": rows},
    }  # fmt: skip


def wait(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def kill(words: list[str], home: Path, moment: float, *, in_training: bool) -> dict | None:
    """Start a run, kill it, look, run it again; None where it was done before."""
    began, pid = time.monotonic(), start(words, home, figures=not in_training)
    while in_training and not list(home.glob("*/*/*/history.csv")) and alive(pid):
        time.sleep(0.002)
        began = time.monotonic()
    time.sleep(max(0.0, began + moment - time.monotonic()))
    os.kill(pid, signal.SIGKILL)
    if wait(pid) != -signal.SIGKILL:
        return None
    at = phase(home)
    code = wait(start(words, home, figures=not in_training))
    said = Path(f"{home}.out").read_text()
    resumed = [line.split()[-1] for line in said.splitlines() if "resumed at epoch" in line]
    return {"at": at, "code": code, "resumed": resumed, "said": said, **result(home)}


def alive(pid: int) -> bool:
    """A child that ended waits to be asked."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def all_of(kills: int, seed: int, words: list[str]) -> None:
    draw = random.Random(seed)
    began, home = time.monotonic(), Path.cwd() / "whole"
    code = wait(start(words, home))
    whole = time.monotonic() - began
    print(json.dumps({"code": code, **result(home)}), flush=True)
    training = sum(row["seconds"] for row in run_of(home).history())
    killed = tried = 0
    while killed < kills:
        tried += 1
        in_training = killed % 4 != 3  # every fourth at any moment of the whole run
        moment = draw.uniform(0, training if in_training else whole)
        done = kill(words, Path.cwd() / f"kill{tried}", moment, in_training=in_training)
        if done is not None:
            killed += 1
            print(json.dumps(done), flush=True)


if __name__ == "__main__":
    all_of(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
