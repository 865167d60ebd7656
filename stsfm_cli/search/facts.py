"""What a search did, in full for search.json, and in a line per model.

search.json    settings        the keys of conf/search
               models          a mapping per model and task: space, trials, seconds, what won
               labels          settings of a run → how its row is labelled: lstm (tuned)
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stsfm.files import write_json
from stsfm.plan import Job
from stsfm.search.source import Search, Tuning, seconds_of
from stsfm.search.study import state_of
from stsfm.words import count

NAME = "search.json"
LEAST = 20  # finished trials, without which no key is said to matter


def write(search: Search, folder: Path) -> dict[str, Any]:
    """Write down what was searched, and return it."""
    models = [_model(search, tuning, folder) for tuning in search.tunings]
    labels: dict[str, str] = {}
    for tuning in search.tunings:
        for jobs, label in ((tuning.jobs, tuning.model), (search.chosen(tuning), tuned(tuning))):
            labels |= {job.identity.settings: label for job in jobs}
    found = {
        "settings": asdict(search.settings),
        "models": models,
        "untuned": search.untuned,
        "labels": labels,
    }
    write_json(folder / NAME, found)
    return found


def tuned(tuning: Tuning) -> str:
    """How the row of what was chosen is labelled."""
    return f"{tuning.model} (tuned)"


def _model(search: Search, tuning: Tuning, folder: Path) -> dict[str, Any]:
    study, job = tuning.study, tuning.jobs[0]
    trials = [
        {
            "number": trial.number,
            "state": state_of(trial),
            "value": trial.value,
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


def _part(jobs: Iterable[Job], value: float | None, folder: Path) -> dict[str, Any]:
    """A configuration on the final seeds: its value in the search, its runs, what they took."""
    runs = [job.run for job in jobs]
    return {
        "value": value,
        "runs": [os.path.relpath(run.folder, folder) for run in runs],
        "seconds": sum(map(seconds_of, runs)),
    }


def lines(found: Mapping[str, Any]) -> list[str]:
    """A search in words: what it cost, and what it brought."""
    told = [_line(model) for model in found["models"]]
    several = "have" if len(found["untuned"]) > 1 else "has"
    if found["untuned"]:
        told.append(f"{', '.join(dict.fromkeys(found['untuned']))} {several} nothing to tune.")
    return told


def _line(model: Mapping[str, Any]) -> str:
    counts, trials = model["counts"], model["trials"]
    other = [f"{counts[name]} {name}" for name in ("failed", "pruned", "open") if name in counts]
    of = f" ({', '.join(other)})" if other else ""
    how = "all there are" if model["sampler"] == "grid" else f"by {model['sampler']}"
    told = f"{model['model']}: {count(len(trials), 'trial')}{of} {how}, {model['seconds']:.1f} s"
    if model["best"] is None:
        why = next((trial["why"] for trial in trials if trial["why"]), "none was run")
        return f"{told}; none has a value. The first: {why}"
    best, label, before = trials[model["best"]], model["metric"].upper(), model["default"]["value"]
    if model["tuned"] is None:
        return f"{told}; the default is the best of them: validation {label} {best['value']:.4g}."
    against = f" against {before:.4g} of the default" if before is not None else ""
    chose = " ".join(f"{key}={text}" for key, text in best["words"].items())
    return f"{told}; validation {label} {best['value']:.4g}{against}, by {chose}"


def failed(found: Mapping[str, Any]) -> bool:
    """Whether a model was searched for, and no trial of it has a value."""
    return any(model["best"] is None for model in found["models"])
