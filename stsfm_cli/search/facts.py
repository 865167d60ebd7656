"""What a search did, in full, as a file that tables, figures and reports are made from.

search.json   settings   the keys of conf/search
              models     of each model and task: space, trials, seconds, what won
              untuned    models that have nothing to tune
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stsfm.files import write_json
from stsfm.search import told
from stsfm.search.source import Search, Tuning
from stsfm.search.study import state_of
from stsfm.sweeps.plan import Job

LEAST = 20  # finished trials, without which no key is said to matter


def write(search: Search, folder: Path) -> dict[str, Any]:
    """Write down what was searched, and return it."""
    found = {
        "settings": asdict(search.settings),
        "models": [_model(search, tuning, folder) for tuning in search.tunings],
        "untuned": search.untuned,
    }
    write_json(folder / told.NAME, found)
    return found


def _model(search: Search, tuning: Tuning, folder: Path) -> dict[str, Any]:
    study, job = tuning.study, tuning.jobs[0]
    trials = [
        {
            "number": trial.number,
            "state": state_of(trial),
            "value": trial.value if state_of(trial) == "finished" else None,  # no loss of an epoch
            "words": trial.user_attrs.get("words", {}),
            "seconds": trial.user_attrs.get("seconds", 0.0),
            "why": trial.user_attrs.get("why", ""),
            "runs": [os.path.relpath(run, folder) for run in trial.user_attrs.get("runs", ())],
        }
        for trial in study.trials
    ]
    best, chosen = study.best, search.chosen(tuning)
    first = trials[0]["value"] if trials and study.first else None
    importance, why = study.importance(LEAST)
    return {
        "model": tuning.model,
        "data": job.identity.data,
        "fingerprint": job.about["fingerprint"],
        "metric": search.settings.metric,
        "sampler": "grid" if study.order else search.settings.sampler,
        "space": {axis.key: str(axis) for axis in tuning.space.axes},
        "budget": search.settings.budget,
        "total": len(trials),
        "counts": dict(Counter(trial["state"] for trial in trials)),
        "seconds": study.seconds,
        "trials": trials,
        "first_is_default": study.first is not None,
        "best": best.number if best else None,
        "default": _part(tuning.jobs, first, folder),
        "tuned": _part(chosen, best.value, folder) if best and chosen else None,
        "importance": importance,
        "importance_why": why,
    }


def _part(jobs: Sequence[Job], value: float | None, folder: Path) -> dict[str, Any]:
    """A configuration on the final seeds: its value in the search, its runs, what they took."""
    runs = [job.run for job in jobs]
    return {
        "settings": next((job.identity.settings for job in jobs), ""),
        "value": value,
        "runs": [os.path.relpath(run.folder, folder) for run in runs],
        "seconds": sum(run.spent for run in runs),
    }
