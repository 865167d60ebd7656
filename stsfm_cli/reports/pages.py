"""Runs, comparisons and selections as a page: who stands beside whom, and what is known of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from stsfm import cards
from stsfm.gathered import again, gather
from stsfm.record import Record
from stsfm.record.shelf import Shelf, Snapshot, compared
from stsfm.reports.build import build
from stsfm.reports.chapters import account
from stsfm.reports.content import Report
from stsfm.reports.page import Page

Made = tuple[Report, Any]


def run(folder: Path, into: Path, question: str, command: str) -> Made:
    """A run beside the baselines of its own table."""
    shelf = Shelf(folder.parents[2])
    mine = shelf.at(folder)
    beside = [shelf.at(Path(os.path.normpath(folder / path)))
              for path in mine.read("members.json").get("beside", [])]  # fmt: skip
    _known([mine])
    runs: list[Snapshot] = [mine, *beside]
    page = Page(folder, into, gather(shelf, runs), runs, [mine], question,
                command or account.command(mine))  # fmt: skip
    return build(page), page.record


def comparison(folder: Path, into: Path, question: str, command: str) -> Made:
    """The runs of a comparison as they are now."""
    made_of, runs = Record(folder).read("members.json"), compared(folder)
    question = question or made_of.get("question", "")
    command = command or made_of.get("command", "")
    if made_of.get("kind") == "detections":
        from stsfm.reports import contest

        return contest.build(folder, into, runs, question, command)
    grid = again(folder)
    _known([row.records[0] for table in grid.tables for row in table.rows if row.records])
    named = {(folder / path).resolve() for path in made_of.get("asked", ())}
    asked = [run for run in runs if run.folder in named] or runs
    page = Page(folder, into, grid, runs, asked, question, command)
    return build(page), page.record


def _known(runs: list[Any]) -> None:
    """Cards of their data, and diagnoses of their residuals, made unless they are there."""
    for one in runs:
        cards.diagnosis(one)
        cards.card(one)


def selection(folder: Path, into: Path, question: str, command: str) -> Made:
    """A selection, beside the comparison in which its choice was opened on test."""
    from stsfm.reports import selection as story

    found = Record(folder).read("selection.json")
    there = story.tested(folder, found)
    page = None
    if there is not None:
        mine = story.chosen_runs(there, found)
        _known(list(mine))
        page = Page(there, into, again(there), compared(there), mine, question, command)
    report = story.build(folder, into, page, question, command)
    return report, page.record if page else None
