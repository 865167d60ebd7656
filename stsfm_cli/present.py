"""A run's own page: its table beside the baselines, and its figures."""

from __future__ import annotations

import os
from datetime import date
from typing import Any

import numpy as np

from stsfm.datasets.protocol import Split
from stsfm.record import Record, records, write, write_json
from stsfm.render import as_csv, as_markdown
from stsfm.screen import Screen
from stsfm.table import tabulate


def present(run: Record, baselines: list[Record], split: Split) -> None:
    """Write table and figures; the table is a snapshot, `stsfm compare` counts anew."""
    from stsfm.plots import draw

    together = [run, *baselines]
    table = tabulate(together, tried=tried(run))
    draw(_story(run, baselines, split), run.folder / "plots")
    write(run.folder / "table.csv", as_csv(table))
    paths = [os.path.relpath(member.folder, run.folder) for member in together]
    write_json(run.folder / "members.json", paths)
    snapshot = f"Written {date.today()}; `stsfm compare` counts anew.\n"
    write(run.folder / "table.md", as_markdown(table) + "\n" + snapshot)  # last: the page is whole


def shows(run: Record, baselines: set[str]) -> bool:
    """Does the run's page stand, with these baselines and all of them finished?"""
    beside = members(run)[1:]
    return (
        (run.folder / "table.md").exists()
        and {member.folder.parent.name for member in beside} == baselines
        and all(member.state == "finished" for member in beside)
    )


def members(run: Record) -> list[Record]:
    """The run and the baselines that its table shows."""
    return [Record((run.folder / path).resolve()) for path in run.read("members.json") or ["."]]


def show(run: Record, screen: Screen) -> None:
    """Print the table of a run again, and where everything lies."""
    screen.table(tabulate(members(run), tried=tried(run)))
    plots = len(list((run.folder / "plots").glob("*.png")))
    where = os.path.relpath(run.folder)
    screen.say(
        f"→ {where}   table.md · {plots} plots · model · record   (the same command again is free)"
    )


def line(run: Record, state: str = "") -> str:
    """State, place, protocol, and validation and test error of a run."""
    status, scores, state = run.status, run.scores, state or run.state
    place = os.path.relpath(run.folder)
    if not scores:
        return f"{state:12} {place:44} {status.get('error', '')}".rstrip()
    numbers = [scores[split]["mase"] or scores[split]["mae"] for split in ("val", "test")]
    val, test = (f"{number['pooled']:.3f}" for number in numbers)
    return f"{state:12} {place:44} protocol {status['fingerprint']}  val {val}  test {test}"


def tried(run: Record) -> int:
    """Configurations that were tried under the run's protocol, shown or not."""
    home, mine = run.folder.parents[2], run.status["fingerprint"]
    statuses = [other.status for other in records(home)]
    return len({status["settings"] for status in statuses if status.get("fingerprint") == mine})


def _story(run: Record, baselines: list[Record], split: Split) -> Any:
    """What the figures need, read back from the record."""
    from stsfm.plots import Story

    with np.load(run.folder / "forecast.npz") as stored:
        forecast = {name: stored[name] for name in stored.files}
    finished = [run, *(b for b in baselines if b.state == "finished")]
    level = next(
        (m for m in finished if m.status["model"] == "seasonal_naive" and m is not run), None
    )
    reference = None
    if level is not None:
        with np.load(level.folder / "forecast.npz") as stored:
            reference = stored["point"]
    truth = split.panel.only_targets()
    return Story(
        model=run.status["model"],
        about=truth.about,
        values=truth.values,
        mask=truth.mask,
        time=truth.time,
        borders={part: split.rules[part] for part in ("train", "val", "test")},
        horizon=split.rules["horizon"],
        origins=forecast["origins"],
        point=forecast["point"],
        quantiles=forecast.get("quantiles"),
        levels=tuple(forecast["levels"]),
        reference=reference,
        context=run.scores["reads"],
        mae={m.status["model"]: m.scores["test"]["mae"]["step"] for m in finished},
        history=run.history(),
        protocol=f"{split.name} {split.fingerprint}",
    )
