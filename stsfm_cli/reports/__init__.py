"""Reports of what was kept: built once, rendered as Markdown, as one HTML file, and for LaTeX.

Whatever lies in a folder, a run, a comparison, a detection, an analysis or a selection, `of` writes
what can be said of it, each number from a record. The same record makes the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stsfm.files import write as write_file
from stsfm.files import write_json
from stsfm.mistakes import Mistake

if TYPE_CHECKING:
    from stsfm.record import Record
    from stsfm.reports.content import Report
    from stsfm.tables.grid import Grid

__all__ = ["KINDS", "of", "write"]
KINDS = {  # what lies in a folder → what it is
    "scores.json": "run", "detection.json": "detection", "analysis.json": "analysis",
    "selection.json": "selection", "members.json": "comparison",
}  # fmt: skip


def of(
    page: Path,
    into: Path,
    question: str = "",
    command: str = "",
    wording: Callable[[Report], Report] = lambda report: report,
) -> list[Path]:
    """Write report.md, report.html and report.tex of what lies in `page`, in the folder `into`.

    question  as it was asked, in words; empty = what the page was made for
    command   what was done for it; empty = as the page was made
    wording   puts sentences in other words

    Mistake where nothing was kept that a report could be of.
    """
    page, into = page.resolve(), into.resolve()
    kind = next((KINDS[name] for name in KINDS if (page / name).is_file()), None)
    if kind is None:
        raise Mistake(f"nothing to report in {page}: wanted one of {', '.join(KINDS)} in it")
    into.mkdir(parents=True, exist_ok=True)  # facts are read by their paths from there
    if kind in ("run", "comparison", "selection"):
        from stsfm.reports import pages

        report, record = getattr(pages, kind)(page, into, question, command)
    else:
        from stsfm.reports.found import build

        report, record = build(page, into, kind, question, command), None
    return publish(wording(report), into, record)


def write(
    folder: Path,
    grid: Grid,
    runs: Sequence[Record],
    *,
    asked: Sequence[Record] = (),
    question: str = "",
    command: str = "",
) -> list[Path]:
    """Write the reports of a comparison of `runs`, in its folder, with what is known by now.

    Figures are those of its `plots`. An empty question is derived from what was compared; `asked`
    are the runs that it was asked of, the others being baselines, and none = all.
    """
    from stsfm.reports.build import build
    from stsfm.reports.page import Page

    page = Page(folder, folder, grid, runs, asked or runs, question, command)
    return publish(build(page), folder, page.record)


def publish(report: Report, into: Path, record: Any = None) -> list[Path]:
    """Render a report; `record` is what its numbers were worked out from several records."""
    from stsfm.reports.facts import REPORT
    from stsfm.reports.rendering.html import html
    from stsfm.reports.rendering.latex import bibliography, latex
    from stsfm.reports.rendering.markdown import markdown

    if record is not None:
        write_json(into / REPORT, record)
    made = {"report.md": markdown(report, into), "report.html": html(report),
            "report.tex": latex(report, into)}  # fmt: skip
    for name, text in (made | {"report.bib": bibliography(report)}).items():
        write_file(into / name, text)
    return [into / name for name in made]
