"""The jobs of one command, run one after the other; several end in one table."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stsfm import compose
from stsfm.record import Record, rank
from stsfm.screen import Screen


@dataclass
class Outcome:
    """What became of a command."""

    code: int  # the worst of its jobs
    runs: list[Record]
    comparisons: list[Path]  # a folder per protocol, where there were several jobs


def perform(args: list[str], screen: Screen, told: compose.Told = compose.tell_run) -> Outcome:
    """Run every job of a command; a Mistake in one of them is `told`, and the others go on."""
    runs: dict[str, Record] = {}
    many, began = compose.is_sweep(args), time.time()

    def job(config: dict[str, Any], overrides: list[str]) -> int:
        # before numpy loads its linear algebra, whose threads otherwise spin against each other
        os.environ.setdefault("OMP_NUM_THREADS", str(config["hardware"]["threads"]))
        from stsfm.job import execute  # numpy comes with it: not for --help or a typing error
        from stsfm.present import line

        run = execute(config, overrides, screen, one_of_many=many)
        if run is None:  # a rank that only helped to train
            return 0
        if many and str(run.folder) not in runs:  # seeds of a deterministic model are one run
            screen.say(line(run, "" if run.status.get("started", 0) > began else "cached"))
        runs[str(run.folder)] = run
        return 0 if run.state == "finished" else 1

    code, written = compose.main(args, job, told), []
    if many and runs and rank() == 0:
        from stsfm.comparison import write_comparison

        prints = list(dict.fromkeys(run.status.get("fingerprint") for run in runs.values()))
        for print_ in prints:  # what follows different protocols is not compared
            alike = [run for run in runs.values() if run.status.get("fingerprint") == print_]
            name = compose.comparison_name(args) + (f"-{print_}" if len(prints) > 1 else "")
            written.append(write_comparison(alike, name=name, screen=screen))
    return Outcome(code, list(runs.values()), written)
