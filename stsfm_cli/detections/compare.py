"""Several detections in one folder: who agrees with people best, and what each found."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stsfm import reports
from stsfm.detections import found
from stsfm.detections.contest import LEVEL, SCORES, ZERO, Case, Contest, contest
from stsfm.detections.sheets import each, sentences, summary
from stsfm.files import write, write_json
from stsfm.losses.changes import MARGIN
from stsfm.mistakes import cause
from stsfm.record import Record
from stsfm.screen import Screen
from stsfm.significance.resampled import DRAWS
from stsfm.tables.render import FORMATS


def write_comparison(
    runs: Sequence[Record], name: str, config: Mapping[str, Any], command: str, screen: Screen
) -> Path:
    """Put the detections of a command side by side; returns the folder."""
    made = contest(runs, config["control"])
    folder = Path(config["runs_dir"]).absolute() / "_comparisons" / name
    shown = {"table": summary(made)} if made.contestants else {}
    shown["series"] = each(made)
    files = [f"{what}.{end}" for what in shown for end in FORMATS]
    for what, sheet in shown.items():
        for end, render in FORMATS.items():
            write(folder / f"{what}.{end}", render(sheet))
    told = as_told(made)
    write_json(folder / "contest.json", told)
    write_json(folder / "members.json", {
        "kind": "detections", "members": [os.path.relpath(run.folder, folder) for run in runs],
        "question": config["question"], "control": config["control"], "command": command,
        "tables": files,
    })  # fmt: skip
    _draw(told, folder, screen)
    reports.of(folder, folder)
    first = next(iter(shown.values()))
    screen.table(first)
    screen.say(f"→ {os.path.relpath(folder)}   {' · '.join(['report.html', *files])}")
    return folder


def _draw(told: Mapping[str, Any], folder: Path, screen: Screen) -> None:
    """A figure that can't be drawn costs no one the report."""
    from stsfm.plots.detectors import draw  # matplotlib comes with it

    try:
        draw(told, folder / "plots")
    except Exception as error:
        screen.warn(f"{os.path.relpath(folder)}: figures are missing: {cause(error)}")


def as_told(made: Contest) -> dict[str, Any]:
    """The numbers of the tables, for other programs, for figures and for reports."""
    return {
        "detectors": [
            {"name": one.name, "series": one.series, "failed": one.failed, "changes": one.changes}
            | {s: vars(one.scores[s]) | {"p": one.p[s]} for s in SCORES}
            for one in made.contestants
        ],
        "zero": ZERO, "control": made.control, "families": made.families, "margin": MARGIN,
        "draws": DRAWS, "level": LEVEL, "said": list(sentences(made)) if made.contestants else [],
        "cases": [dict(_case(case)) for case in made.cases],
    }  # fmt: skip


def _case(case: Case) -> Iterator[tuple[str, Any]]:
    """One detection; without changes and scores where it failed."""
    yield from {"data": case.data, "detector": case.detector, "failed": case.failed}.items()
    if case.failed:
        yield "error", str(case.record.status.get("error", ""))
        return
    tracks = case.told["tracks"]
    yield "rows_in_all", case.told.get("rows_in_all")
    yield "rows", sorted({change["row"] for track in tracks for change in track["changes"]})
    yield "dates", list(dict.fromkeys(found.dates(case.told)))
    yield from ((score, case.told["scores"].get(score)) for score in SCORES)
    yield "no_change", case.record.status["no_change"]
