"""What would change the conclusion: the numbers that stand nearest to another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import fmean
from typing import Any

from stsfm.losses.metrics import METRIC
from stsfm.reports.content import Words
from stsfm.reports.facts import Fact, Part, say
from stsfm.reports.shown import Shown
from stsfm.tables.row import Row

OTHERS = ("mase", "mae", "rmse", "crps")  # scores by which another row may be the best


def record(one: Shown) -> dict[str, Any]:
    """What report.json has of it; {} where no row has a score."""
    best, chosen = one.best, one.chosen
    if best is None or chosen is None:
        return {}
    rows = [row for row in one.rows if not row.oracle and row.score("test", one.table.metric)]
    rest = sorted((one.cost(row, "test"), row.label) for row in rows if row is not best)
    error = one.table.sampling_error(best)
    found: dict[str, Any] = {
        "best": best.label, "chosen": chosen.label, "independent": one.status["independent"],
        "sampling_error": error, "alone": [row.label for row in rows
                                            if not row.deterministic and row.seeds == 1],
    }  # fmt: skip
    if rest:
        gap = rest[0][0] - one.cost(best, "test")
        near = [label for cost, label in rest if error and cost - one.cost(best, "test") <= error]
        found |= {"next": rest[0][1], "gap": gap, "within": near}
    by = _by(one, rows)
    found["same"] = [name for name, label in by.items() if label == best.label]
    found["by"] = [{"metric": name, "best": label} for name, label in by.items()
                   if label != best.label]  # fmt: skip
    return found | {"ahead": _ahead(rows)}


def _by(one: Shown, rows: list[Row]) -> dict[str, str]:
    """Metric → the best row by it, of the metrics that all rows have."""
    found = {}
    for name in OTHERS:
        scores = {row.label: row.score("test", name) for row in rows}
        if name != one.table.metric and scores and all(scores.values()):
            found[METRIC[name].label] = min(scores, key=lambda k: (scores[k].mean, k))  # type: ignore[union-attr]
    return found


def _ahead(rows: list[Row]) -> dict[str, str]:
    """The best rows by MAE at the first step and at the last."""
    by_step = {row.label: _steps(row) for row in rows}
    if not by_step or min(map(len, by_step.values())) < 2:
        return {}
    best = lambda k: min(by_step, key=lambda label: (by_step[label][k], label))  # noqa: E731
    return {"first": best(0), "last": best(-1)}


def _steps(row: Row) -> list[float]:
    """MAE by step, the mean over seeds; [] where a step has none."""
    each = [scores["test"]["mae"]["step"] for scores in row.scores if scores.get("test")]
    known = each and all(error is not None for line in each for error in line)
    return [fmean(line) for line in zip(*each, strict=True)] if known else []


def said(one: Shown, held: Mapping[str, Any]) -> Iterator[Words]:
    """A sentence for each way in which the conclusion could have been another."""
    if not held:
        return
    fact = Part(held, ("tasks", one.index, "stability")).fact
    told = {"best": fact("name", "best"), "chosen": fact("name", "chosen"),
            "metric": one.fact("words", "metric"),
            "independent": fact("number", "independent")}  # fmt: skip
    yield from _next(held, told, fact)
    yield from _others(held, told, fact)
    if held["ahead"] and held["ahead"]["first"] != held["ahead"]["last"]:
        told |= {"first": fact("name", "ahead", "first"), "last": fact("name", "ahead", "last")}
        yield say("How far ahead one looks decides: by MAE {first} is best at the first step, "
                  "{last} at the last.", told)  # fmt: skip
    if held["best"] != held["chosen"]:
        yield say("Validation and test disagree: who chooses by validation takes {chosen}, and the "
                  "lead of {best} on test is known only afterwards.", told)  # fmt: skip
    if held["alone"]:
        told["alone"] = fact("list", "alone")
        yield say("Other seeds were not tried of {alone}: how much a seed moves its score is not "
                  "known.", told)  # fmt: skip


def _next(held: Mapping[str, Any], told: dict[str, Fact], fact: Any) -> Iterator[Words]:
    """Who is next, and whether the calendar could put it first."""
    if "next" not in held:
        return
    told |= {"next": fact("name", "next"), "gap": fact("number", "gap")}
    if held["sampling_error"] is None:
        yield say("The next on test is {next}, {metric} {gap} behind. How much other origins would "
                  "move that is not known: {independent} of them are independent.",
                  told)  # fmt: skip
        return
    told["error"] = fact("number", "sampling_error")
    if held["within"]:
        told["within"] = fact("list", "within")
        yield say("The lead is within one standard error over origins ({error}) of {within}: on "
                  "other origins any of them may be the best.", told)  # fmt: skip
    else:
        yield say("The next on test is {next}, {metric} {gap} behind, more than one standard error "
                  "over origins ({error}).", told)  # fmt: skip


def _others(held: Mapping[str, Any], told: dict[str, Fact], fact: Any) -> Iterator[Words]:
    """What another score would say."""
    for k in range(len(held["by"])):
        told |= {"by": fact("words", "by", k, "metric"), "other": fact("name", "by", k, "best")}
        yield say("By {by} the best would be {other}.", told)
    if held["same"]:
        told["same"] = fact("list", "same")
        yield say("By {same} the best is {best} as well.", told)
