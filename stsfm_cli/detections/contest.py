"""Detectors against each other over series that people have marked: means, intervals, tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stsfm.mistakes import no_such
from stsfm.record import Record
from stsfm.record.choosing import flatten
from stsfm.significance.bootstrap import Interval
from stsfm.significance.families import too_few_families
from stsfm.significance.holm import holm
from stsfm.significance.resampled import interval_over_datasets
from stsfm.significance.wilcoxon import signed_rank

SCORES = ("covering", "f1")
LEVEL = 0.95  # of intervals over datasets
ZERO = "no change"  # what predicts none: whoever looks should do better


@dataclass(frozen=True, kw_only=True)
class Case:
    """One detection: of what, by whom, and how it went."""

    detector: str
    data: str
    family: str
    record: Record
    told: Mapping[str, Any]  # {} where it failed

    @property
    def failed(self) -> bool:
        return not self.told


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """A detector over all series that are marked: per score an interval, and p against the control.

    p is None for the control itself, and where there are too few families.
    """

    name: str
    series: int
    failed: int
    changes: float  # found in a series, on average over those that did not fail
    scores: Mapping[str, Interval]
    p: Mapping[str, float | None]


@dataclass(frozen=True, kw_only=True)
class Contest:
    """All detectors of a command, the best covering first, `no change` among them."""

    cases: tuple[Case, ...]
    contestants: tuple[Contestant, ...]
    control: str  # "" where nothing is scored
    families: int
    reason: str = ""  # why nothing is tested


def contest(runs: Sequence[Record], control: str | None) -> Contest:
    """Compare the detections of a command; scored are those of series that people have marked."""
    cases = _cases(runs)
    scored = [case for case in cases if case.record.status["no_change"]]
    marks = {case.data: case.record.status["no_change"] for case in scored}
    names = list(dict.fromkeys(case.detector for case in scored))
    if control is not None and control not in {case.detector for case in cases}:
        raise no_such("control", control, {case.detector for case in cases})
    if not names:
        return Contest(cases=cases, contestants=(), control="", families=0)
    data = list(marks)
    family = {case.data: case.family for case in scored}
    tables = {score: _table(scored, names, data, marks, score) for score in SCORES}
    means = {score: _by_family(table, [family[d] for d in data]) for score, table in tables.items()}
    everyone = [*names, ZERO]
    best = everyone[int(np.argmax(means[SCORES[0]][:, :-1].mean(0)))]
    against = control if control in names else best
    few = too_few_families(len(means[SCORES[0]]))
    p = {score: {} if few else _tested(means[score], everyone, against) for score in SCORES}
    found = [
        Contestant(
            name=name,
            series=len(data),
            failed=len({case.data for case in scored if case.detector == name and case.failed}),
            changes=_changes(case for case in scored if case.detector == name),
            scores={
                score: interval_over_datasets(means[score][:, k], level=LEVEL) for score in SCORES
            },
            p={score: p[score].get(name) for score in SCORES},
        )
        for k, name in enumerate(everyone)
    ]
    found.sort(key=lambda one: -(one.scores[SCORES[0]].estimate or 0.0))
    return Contest(
        cases=cases, contestants=tuple(found), control=against,
        families=len(means[SCORES[0]]), reason=few or "",
    )  # fmt: skip


def _cases(runs: Sequence[Record]) -> tuple[Case, ...]:
    """Detectors and data by what tells them from their like: pelt penalty=10, tcpd_nile."""
    detectors = [str(run.status["model"]) for run in runs]
    data = [str(run.status["data"]) for run in runs]
    return tuple(
        Case(
            detector=_labelled(k, detectors, _keys(runs, "detector", ("_target_", "seed"))),
            data=_labelled(k, data, _keys(runs, "data", ("_target_",))),
            family=str(run.status["family"]),
            record=run,
            told=run.read("detection.json") if run.state == "finished" else {},
        )
        for k, run in enumerate(runs)
    )


def _keys(runs: Sequence[Record], group: str, drop: tuple[str, ...]) -> list[dict[str, Any]]:
    return [flatten(run.config.get(group) or {}, drop=drop) for run in runs]


def _labelled(k: int, names: Sequence[str], keys: Sequence[Mapping[str, Any]]) -> str:
    """A name, and the keys of which others of this name have other values."""
    alike = [other for name, other in zip(names, keys, strict=True) if name == names[k]]
    own = keys[k]
    differ = [key for key in own if any(other.get(key) != own[key] for other in alike)]
    return " ".join([names[k], *(f"{key}={own[key]}" for key in differ)])


def _table(
    cases: Sequence[Case], names: Sequence[str], data: Sequence[str],
    marks: Mapping[str, Any], score: str,
) -> np.ndarray:  # fmt: skip
    """(series, detector and last `no change`): the mean over seeds; 0 where it failed."""
    held: dict[tuple[str, str], list[float]] = {}
    for case in cases:
        value = 0.0 if case.failed else float(case.told["scores"][score])
        held.setdefault((case.data, case.detector), []).append(value)
    rows = [[float(np.mean(held.get((d, name), [0.0]))) for name in names] for d in data]
    return np.column_stack([rows, [marks[d][score] for d in data]])


def _by_family(table: np.ndarray, families: Sequence[str]) -> np.ndarray:
    """(family, detector): series that are cut from the same measurements count once."""
    names = np.array(families)
    return np.array([table[names == name].mean(0) for name in dict.fromkeys(families)])


def _tested(means: np.ndarray, names: Sequence[str], control: str) -> dict[str, float]:
    base = means[:, list(names).index(control)]
    p = {name: signed_rank(means[:, k] - base).p for k, name in enumerate(names) if name != control}
    return holm(p)


def _changes(cases: Iterable[Case]) -> float:
    found = [
        len({change["row"] for track in case.told["tracks"] for change in track["changes"]})
        for case in cases if not case.failed
    ]  # fmt: skip
    return float(np.mean(found)) if found else 0.0
