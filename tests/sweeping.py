"""A sweep in a process of its own, from Python: python sweeping.py N_JOBS [KEY=VALUE …] -- WORDS …

Each argument after -- is one job: its words, parted by spaces. In a folder with spoilt.py, whose
models misbehave, as a plug-in.
"""

import sys
import time
from pathlib import Path

from stsfm import compose
from stsfm.headline import describe
from stsfm.identity import identify
from stsfm.job import cut
from stsfm.launchers.local import Local
from stsfm.record import Record
from stsfm.screen import Screen
from stsfm.sweeps.engine import carry_out
from stsfm.sweeps.plan import Job
from stsfm.sweeps.status import Status

SPOILT = '''
"""Models that do what no model should."""

import ctypes, os, signal, sys, time

from stsfm.models.naive import Naive as _Naive


class _Bad(_Naive):
    def fit(self, train, val):
        self.harm()
        return super().fit(train, val)


class Raises(_Bad):
    def harm(self): raise ValueError("as it was written")

class Exits(_Bad):
    def harm(self): sys.exit(0)

class Leaves(_Bad):
    def harm(self): os._exit(0)

class Aborts(_Bad):
    def harm(self): os.abort()

class Crashes(_Bad):
    def harm(self): ctypes.string_at(0)

class Sleeps(_Bad):
    def harm(self): time.sleep(600)

class Dozes(Sleeps): pass

class Deaf(_Bad):
    def harm(self):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        time.sleep(600)

class Eats(_Bad):
    def harm(self):
        self.held = bytearray(800 * 2**20)
        for page in range(0, len(self.held), 4096): self.held[page] = 1
        time.sleep(600)

class Flaky(_Bad):
    def harm(self):
        with open("tries.txt", "a") as file: file.write("x")
        if len(open("tries.txt").read()) < 3: raise ValueError("not yet")

class Slow(_Bad):
    def harm(self): time.sleep(0.4)
'''


def lay_out(folder: Path) -> None:
    """The plug-in, and a config of each of its models."""
    (folder / "spoilt.py").write_text(SPOILT)
    models = folder / "conf" / "model"
    models.mkdir(parents=True)
    for line in SPOILT.splitlines():
        if line.startswith("class ") and "_Naive" not in line:
            name = line.split()[1].partition("(")[0]
            (models / f"{name.lower()}.yaml").write_text(f"_target_: spoilt.{name}\n")


PLUGIN = ("plugins=[spoilt]", "--config-dir", "conf")


def job(words: str) -> Job:
    """The job that these words compose."""
    typed = ["baselines=[]", *words.split(), *PLUGIN]
    config = compose.config(typed)
    split = cut(config)
    identity = identify(config, split)
    about = {**describe(split), "data": identity.data, "model": identity.model}
    run = Record(Path(config["runs_dir"]) / identity.folder)
    return Job(
        config=config, words=tuple(typed), run=run, identity=identity, about=about, asked=False
    )  # whose page nobody wants, for it takes longer than these models


class Listed:
    """A Source of jobs that are all known."""

    def __init__(self, jobs):
        self.jobs, self.told = list(jobs), []

    def next(self):
        return self.jobs.pop(0) if self.jobs else None

    def over(self):
        return not self.jobs

    def ended(self, job, ending):
        self.told.append((job, ending))

    def look(self, job):
        return None


def sweep(words, *, n_jobs=1, timeout=None, memory=None, retries=0, fail_fast=False, screen=None):
    """Run jobs, and return what became of each by the name of its model."""
    jobs = [job(each) for each in words]
    todo = [one for one in jobs if one.run.state != "finished"]
    status = Status(screen or Screen())
    status.begin(f"{len(jobs)} jobs, {len(todo)} to do", len(todo))
    local = Local(n_jobs=n_jobs, timeout=timeout, memory=memory)
    source = Listed(todo)
    endings = carry_out(source, local, retries=retries, fail_fast=fail_fast, status=status)
    assert {one.run.folder for one, _ in source.told} == set(endings)
    return {one.identity.model: endings.get(one.run.folder) for one in jobs}


if __name__ == "__main__":
    began, split_at = time.time(), sys.argv.index("--")
    keys = dict(word.split("=") for word in sys.argv[2:split_at])
    made = sweep(sys.argv[split_at + 1 :], n_jobs=int(sys.argv[1]), **keys)
    print(f"{time.time() - began:.1f} s", made)
    sys.exit(any(one is not None and one.state == "failed" for one in made.values()))
