"""One detection, from a composed config to what is kept of it, and shown again."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stsfm import findings
from stsfm.build import build, build_model
from stsfm.datasets.panel import Panel
from stsfm.datasets.split import panel_digest
from stsfm.detections import found, segments
from stsfm.files import write, write_json, write_npz
from stsfm.headline import noticed
from stsfm.identity import data_name, identify_detection
from stsfm.mistakes import Mistake, cause
from stsfm.models.segmenter import Segmenter
from stsfm.record import Record, attempt
from stsfm.results import reference
from stsfm.screen import Screen
from stsfm.tables.render import FORMATS, as_text
from stsfm.words import count


def detect(
    config: Mapping[str, Any], words: Sequence[str], screen: Screen, *, alone: bool
) -> Record:
    """Look for changes, unless it was done before, and show them. A failure is recorded and said.

    alone  it is all that was asked for: shown at length, and a Mistake where data do not suit
    """
    panel, name = findings.looked_at(config["data"]), config["choices"]["detector"]
    headline = findings.headline(panel, f"detector {name}")
    screen.say(headline)
    if alone and config["data"].get("path"):
        screen.say(noticed(panel, config["data"]))
    marks = panel.about.changes
    identity = identify_detection(
        config, data_name(config, panel.about), panel_digest(panel), marks
    )
    home = Path(config["runs_dir"]).absolute()
    record = Record(home / identity.folder)
    if record.state != "finished" or config["force"]:
        segmenter = _segmenter(config)
        about = {
            "data": panel.about.name, "model": name, "headline": headline, "fingerprint": "",
            "family": panel.about.family or panel.about.name, "no_change": found.no_change(panel),
        }  # fmt: skip
        try:
            with attempt.writing(home, identity, about, force=config["force"]) as mine:
                if mine is not None:
                    findings.preface(mine, config, ["detector"], "detect", words)
                    _look(mine.folder, segmenter, panel, headline)
        except Exception as error:
            if alone and isinstance(error, ValueError):
                raise Mistake(f"{name}: {error}") from error
            screen.warn(
                f"{name} failed on {panel.about.name}: {cause(error)} (the trace is in "
                f"{os.path.relpath(record.folder)}/error.txt)"
            )
            return record
    _show(record, screen, alone=alone)
    return record


def _segmenter(config: Mapping[str, Any]) -> Segmenter:
    """The detector; a forecaster is built as for a run, and tells nobody of its epochs."""
    own = dict(config["detector"])
    if tree := own.get("forecaster"):
        own["forecaster"] = build_model(tree, lambda row: None, {"calibration": 0})
    built: Segmenter = build(own, path="detector")
    return built


def _look(folder: Path, segmenter: Segmenter, panel: Panel, headline: str) -> None:
    """Numbers, words, table, figures and references. What people marked is hidden from it."""
    from stsfm.plots.changes import draw  # matplotlib comes with it: not for what is kept

    seen = replace(panel, about=replace(panel.about, changes={}))
    segmentation = segmenter.segment(seen)
    told = found.told(segmentation, panel, headline)
    write_npz(folder / "detection.npz", found.arrays(segmentation, panel))
    write_json(folder / "detection.json", told)
    sheet = segments.sheet(told)
    for end, render in FORMATS.items():
        write(folder / f"table.{end}", render(sheet))
    write(folder / "references.bib", "\n".join(map(reference, segmenter.cites)))
    draw(segmentation, panel, headline, folder / "plots")


def _show(record: Record, screen: Screen, *, alone: bool) -> None:
    """Where it changes, what is said of it, and where all lies; beside others, in a line."""
    told = record.read("detection.json")
    if alone:
        sheet = segments.sheet(told, brief=True)
        for line in as_text(sheet)[1:]:  # its title has been said
            screen.say(f"  {line}")
        for line in sheet.notes:
            screen.say(line)
        plots = len(list((record.folder / "plots").glob("*.png")))
        more = f"   table.md · {count(plots, 'plot')} · record   (the same command again is free)"
    else:
        screen.say(f"  {found.in_a_line(told)}")
        more = ""
    screen.say(f"→ {os.path.relpath(record.folder)}{more}")
