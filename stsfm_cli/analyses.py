"""An analysis of a dataset, from a composed config to what is kept of it, and shown again.

runs/<data>/_analyses/<analysis>/<id>/
  status.json config.yaml command.txt environment.json references.bib log.txt [error.txt]
  analysis.json    its table, sentences, notes and links      analysis.npz  all numbers
  table.md table.csv plots/
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stsfm import findings
from stsfm.build import analyser
from stsfm.datasets.panel import Panel
from stsfm.datasets.split import panel_digest
from stsfm.files import write, write_npz
from stsfm.headline import noticed
from stsfm.identity import data_name, identify_analysis
from stsfm.mistakes import Mistake, cause
from stsfm.models.analyser import Analysis
from stsfm.plots.analysis import draw
from stsfm.record import Record, attempt
from stsfm.results import reference
from stsfm.screen import Screen
from stsfm.words import aligned, count

MOST = 30  # rows of a table on the screen


def analyse(config: Mapping[str, Any], words: Sequence[str], screen: Screen) -> Record:
    """Do an analysis, unless it was done before, and show it. A failure is recorded and said."""
    panel, name = findings.looked_at(config["data"]), config["choices"]["analysis"]
    headline = findings.headline(panel, f"analysis {name}")
    screen.say(headline)
    if config["data"].get("path"):
        screen.say(noticed(panel, config["data"]))
    identity = identify_analysis(config, data_name(config, panel.about), panel_digest(panel))
    home = Path(config["runs_dir"]).absolute()
    record = Record(home / identity.folder)
    if record.state != "finished" or config["force"]:
        made = analyser(config["analysis"])
        about = {"data": panel.about.name, "model": name, "headline": headline, "fingerprint": ""}
        try:
            with attempt.writing(home, identity, about, force=config["force"]) as mine:
                if mine is not None:
                    findings.preface(mine, config, _groups(config), "analyse", words)
                    _save(mine.folder, made.analyse(panel), made.cites, headline, panel)
        except ValueError as error:
            raise Mistake(f"{name}: {error}") from error
        except Exception as error:
            screen.warn(
                f"{name} failed: {cause(error)} (the trace is in {record.folder}/error.txt)"
            )
            return record
    _show(record, screen)
    return record


def _groups(config: Mapping[str, Any]) -> list[str]:
    return ["analysis", *(group for group in config["choices"] if "analysis/" in group)]


def _save(folder: Path, found: Analysis, cites: Sequence[str], headline: str, panel: Panel) -> None:
    """Numbers, words, table, figures and references."""
    write_npz(folder / "analysis.npz", found.arrays)
    links = [
        {"from": found.names[a], "to": found.names[b], "strength": x} for a, b, x in found.links
    ]
    told = {"headline": headline, "columns": found.columns, "rows": found.rows,
            "said": found.said, "noted": found.noted, "directed": found.directed,
            "strength": found.strength, "links": links}  # fmt: skip
    write(folder / "analysis.json", json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerows([found.columns, *found.rows])
    write(folder / "table.csv", table.getvalue())
    write(folder / "table.md", _markdown(told))
    write(folder / "references.bib", "\n".join(map(reference, cites)))
    draw(found, panel, headline, folder / "plots")


def _markdown(told: Mapping[str, Any]) -> str:
    """The table with its headline above, and what is said below."""
    words = _words(told)
    align = [":--" if k in words else "--:" for k in range(len(told["columns"]))]
    cells = [[cell.replace("|", r"\|") for cell in _cells(row)] for row in told["rows"]]
    rows = [f"| {' | '.join(line)} |" for line in (told["columns"], align, *cells)]
    paragraphs = "\n\n".join([*told["said"], *told["noted"]])
    return "\n".join([told["headline"], "", *rows, "", paragraphs, ""])


def _words(told: Mapping[str, Any]) -> set[int]:
    """Columns of words."""
    first = told["rows"][0] if told["rows"] else told["columns"]
    return {k for k, cell in enumerate(first) if isinstance(cell, str)}


def _cells(row: Sequence[Any]) -> list[str]:
    """Cells as they are read: numbers to three figures at most, after a sign that is a minus."""
    plain = lambda x: f"{x:.3f}" if isinstance(x, float) else "" if x is None else str(x)  # noqa: E731
    return [plain(x) if isinstance(x, str) else plain(x).replace("-", "−") for x in row]


def _show(record: Record, screen: Screen) -> None:
    """The table, what is said of it, and where all lies."""
    told = record.read("analysis.json")
    rows = [_cells(row) for row in told["rows"][:MOST]]
    right = set(range(len(told["columns"]))) - _words(told)
    for line in aligned([told["columns"], *rows], right=right):
        screen.say(f"  {line}")
    if (more := len(told["rows"]) - MOST) > 0:
        screen.say(f"  and {count(more, 'row')} more in table.csv")
    for line in (*told["said"], *told["noted"]):
        screen.say(line)
    plots = len(list((record.folder / "plots").glob("*.png")))
    screen.say(
        f"→ {os.path.relpath(record.folder)}   table.md · {count(plots, 'plot')} · record   "
        "(the same command again is free)"
    )
