"""report.md and report.html of a comparison: built once, rendered twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stsfm.files import write as write_file
from stsfm.record import Record
from stsfm.tables.grid import Grid

__all__ = ["write"]


def write(
    folder: Path,
    grid: Grid,
    runs: Sequence[Record],
    *,
    question: str = "",
    command: str = "",
) -> list[Path]:
    """Write both reports of a comparison of `runs`, in its folder.

    Figures are those of its `plots`. An empty question is derived from what was compared. The same
    runs make the same bytes.
    """
    from stsfm.reports.build import build
    from stsfm.reports.html import html
    from stsfm.reports.markdown import markdown

    report = build(folder, runs, grid, question, command)
    made = {folder / "report.md": markdown(report, folder), folder / "report.html": html(report)}
    for path, text in made.items():
        write_file(path, text)
    return list(made)
