"""The test rows, opened once: the chosen one beside the baselines, by an ordinary comparison."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stsfm import jobs
from stsfm.losses.metrics import METRIC
from stsfm.record import Record
from stsfm.record.shelf import compared
from stsfm.words import count

if TYPE_CHECKING:
    from stsfm.screen import Screen
    from stsfm.selecting.asked import Asked
    from stsfm.selecting.candidates import Candidate


def words(candidate: Candidate, asked: Asked) -> list[str]:
    """What is typed after `stsfm run` to test it: one comparison, of every seed."""
    seeds = [f"seeds={len(asked.seeds)}"] if len(asked.seeds) > 1 else []
    where = asked.where or ("launcher.n_jobs=auto",)
    return ["-m", *asked.task, *candidate.words, *seeds, *where]


def test(candidate: Candidate, asked: Asked, screen: Screen) -> dict[str, Any]:
    """Run, compare, and tell where that lies and what it came to."""
    import shlex

    typed = words(candidate, asked)
    outcome = jobs.perform(typed, screen)
    made = {"command": shlex.join(["stsfm", "run", *typed]), "finished": outcome.code == 0}
    folder = next(iter(outcome.comparisons), None)
    return {**made, "comparison": os.fspath(folder) if folder else None, **_scores(folder)}


def _scores(folder: Path | None) -> dict[str, Any]:
    """Rows of the comparison in the order of their test error, and what was tested."""
    if folder is None:
        return {"rows": [], "tested": []}
    from stsfm.gathered import again

    table = again(folder).tables[0]
    rows = [
        {
            "model": row.label, "seeds": row.seeds,
            **{m: value.mean for m in METRIC if (value := row.score("test", m)) is not None},
        }
        for row in table.rows
        if row.records
    ]  # fmt: skip
    failed = [row.label for row in table.rows if not row.records]
    return {"rows": rows, "failed": failed, "tested": list(table.tested)}


def runs(found: Mapping[str, Any]) -> list[Record]:
    """The runs of the chosen one that the test compared."""
    place = found["test"]["comparison"]
    kept = compared(Path(place)) if place else []
    return [
        Record(run.folder) for run in kept if run.status.get("model") == found["choice"]["model"]
    ]


def said(found: Mapping[str, Any]) -> list[str]:
    """What the test says of the choice, and what is to be kept in mind."""
    metric, name = found["metric"], found["choice"]["name"]
    rows = [row for row in found["test"]["rows"] if metric in row]
    mine = next(
        (row for row in rows if row["model"].partition(" ")[0] == found["choice"]["model"]), None
    )
    if mine is None:
        return [f"{name} has no test score."]
    sign = -1 if METRIC[metric].better == "high" else 1
    better = [row for row in rows if sign * row[metric] < sign * mine[metric]]
    label = METRIC[metric].label
    place = f"{len(better) + 1} of {len(rows)}"
    tried = sum(1 for one in found["candidates"] if one["trail"])
    ablation = found.get("ablation") or {}
    sides = [ablation[side]["name"] for side in ("with", "without") if ablation]
    other = next((side for side in sides if side != name), "")
    when = f"after the choice, and then for {other} to judge the law by" if other else "once"
    return [
        f"On test, opened {when}: {name} has {label} {mine[metric]:.4g}, place {place} beside the "
        "baselines.",
        f"It was chosen from {count(tried, 'candidate')}, so its error before the "
        "test border is optimistic; its test error is not.",
    ]
