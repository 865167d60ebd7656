"""One detection or several: each is kept by itself, and several are put side by side."""

from __future__ import annotations

import os
import shlex

from stsfm import compose
from stsfm.detections.words import as_model, spelled_out
from stsfm.outcome import Outcome
from stsfm.screen import Screen


def perform(args: list[str], screen: Screen) -> Outcome:
    """Do what `stsfm detect ARGS` asks for. Mistake where any of it can't be done at all.

    They take seconds, so they are done one after the other in this process.
    """
    composed = compose.jobs(spelled_out(args))
    os.environ.setdefault("OMP_NUM_THREADS", str(composed.jobs[0].config["hardware"]["threads"]))
    from stsfm.detections.detect import detect  # numpy comes with it

    alone = not composed.many
    runs = [
        detect(job.config, [*map(as_model, job.words)], screen, alone=alone)
        for job in composed.jobs
    ]
    outcome = Outcome(0 if all(run.state == "finished" for run in runs) else 1, runs)
    if not alone:
        from stsfm.detections.compare import write_comparison

        first = composed.jobs[0]
        command = shlex.join(["stsfm", "detect", *map(as_model, args)])
        outcome.comparisons = [
            write_comparison(runs, first.comparison, first.config, command, screen)
        ]
    return outcome
