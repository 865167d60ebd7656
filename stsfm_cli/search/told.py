"""A search that was written down, in words: what it cost, and what it brought."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from stsfm.losses.metrics import METRICS
from stsfm.record import Record
from stsfm.words import count, lasting

NAME = "search.json"
LABELS = {metric.name: metric.label for metric in METRICS}
Found = Mapping[str, Any]  # the content of search.json


def read(folder: Path) -> Found:
    """The search of a comparison; {} where it had none."""
    return Record(folder).read(NAME)


def models(found: Found, fingerprint: str | None = None) -> list[Mapping[str, Any]]:
    """What was searched, under one protocol or all."""
    every = found.get("models", [])
    return [model for model in every if fingerprint in (None, model["fingerprint"])]


def tuned(found: Found) -> frozenset[str]:
    """The settings of the runs that a search has chosen."""
    return frozenset(model["tuned"]["settings"] for model in models(found) if model["tuned"])


def kept(found: Found, fingerprint: str) -> frozenset[str]:
    """The models of which a search chose the default."""
    done = [model for model in models(found, fingerprint) if model["best"] is not None]
    return frozenset(model["model"] for model in done if model["tuned"] is None)


def failed(found: Found) -> bool:
    """Whether a model was searched for, and no trial of it has a value."""
    return any(model["best"] is None for model in models(found))


def lines(found: Found, fingerprint: str | None = None) -> list[str]:
    """A line for each model and task."""
    told = [line for model in models(found, fingerprint) for line in _lines(model)]
    if names := dict.fromkeys(found.get("untuned", ())):
        told.append(f"{', '.join(names)} {'have' if len(names) > 1 else 'has'} nothing to tune.")
    return told


def _lines(model: Mapping[str, Any]) -> Iterable[str]:
    name, trials = model["model"], model["trials"]
    cost = f"{_counted(model)}, {lasting(model['seconds'])}"
    default = model["default"]
    runs = f"{count(len(default['runs']), 'run')} of the default took {lasting(default['seconds'])}"
    if model["best"] is None:
        why = next((trial["why"] for trial in trials if trial["why"]), "none was run")
        yield f"{name} was not tuned: {cost}, none with a value; the first: {why}"
        return
    best, label, before = trials[model["best"]], LABELS[model["metric"]], default["value"]
    if model["tuned"] is None:
        yield f"{name}: tuning chose the default, validation {label} {best['value']:.4g}; {cost}."
        return
    against = f" against {before:.4g} of the default" if before is not None else ""
    chose = " ".join(f"{key}={text}" for key, text in best["words"].items())
    yield f"{name} (tuned) has {chose}: validation {label} {best['value']:.4g}{against}."
    yield f"{name}: tuning took {cost}; {runs}."


def _counted(model: Mapping[str, Any]) -> str:
    """30 trials by tpe (1 failed, 4 pruned)"""
    counts = model["counts"]
    other = [f"{counts[name]} {name}" for name in ("failed", "pruned", "open") if name in counts]
    every = "all of a grid" if model["sampler"] == "grid" else f"by {model['sampler']}"
    trials = f"{count(len(model['trials']), 'trial')} {every}"
    return f"{trials} ({', '.join(other)})" if other else trials
