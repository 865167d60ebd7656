"""The report of runs side by side: its chapters, in the order in which a reader asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stsfm.record import Record
from stsfm.reports.chapters import account, common, limits, model, search
from stsfm.reports.chapters.answer import (
    among,
    answer,
    chances,
    conclusions,
    of_run,
    over_tasks,
    question,
)
from stsfm.reports.chapters.cited import cited
from stsfm.reports.chapters.common import joined, named
from stsfm.reports.chapters.space import space
from stsfm.reports.content import Block, Code, Items, Paragraph, Report, Section
from stsfm.reports.page import Page
from stsfm.tables.sheet import EXPLORATORY
from stsfm.words import count

Chapters = Sequence[tuple[str, Iterator[Block]]]


def build(page: Page) -> Report:
    """A report on the runs of a page."""
    runs, shown = page.runs, page.shown
    parts: Chapters = [
        ("Question", common.asked(page.question, page.command)),
        ("Answer", _answers(page)),
        ("Data", common.data(page)),
        ("Protocol", common.protocol(page)),
        ("Candidates", model.candidates(shown, page.asked)),
        ("Results", common.results(page)),
        ("Significance", common.tests(page)),
        ("Space", space(shown)),
        ("Ablation", common.ablation(page)),
        ("Model", common.models(page)),
        ("Diagnostics", common.diagnostics(page)),
        ("Figures", common.figures(page.folder / "plots", "captions.json")),
        ("Search", _search(page)),
        ("Conclusions", _conclusions(page)),
        ("What would change them", common.changes(page)),
        ("Limits", limits.chapter(shown)),
        ("Cost", account.cost(shown, page.record["runs"])),
        ("Failures", account.failures(runs, page.record["runs"])),
        ("Versions and hosts", account.made_with(runs, runs[0].folder.parents[2])),
        ("Reproduce", reproduced(runs, page.command)),
        ("References", cited(page)),
    ]
    return Report(
        title=page.question or question(shown, page.cards, page.asked),
        about=[one.status["headline"] for one in shown],
        written=f"{count(len(runs), 'run')}, the last of {account.day(runs)}.",
        sections=bound(parts),
        stamp=EXPLORATORY if page.grid.exploratory else "",
    )


def bound(parts: Chapters) -> list[Section]:
    """The chapters that have something to say."""
    made = ((title, list(blocks)) for title, blocks in parts)
    return [Section(title, blocks) for title, blocks in made if blocks]


def _answers(page: Page) -> Iterator[Block]:
    if len(page.shown) > 1:
        yield Paragraph(list(joined(over_tasks(page.grid))), "lead")
    for one in page.shown:
        yield from named(one, page.shown)
        mine = page.alone(one)
        said = of_run(one, mine) if mine else (*among(one, page.wanted(one)), *answer(one))
        yield Paragraph(list(joined(said)), "" if len(page.shown) > 1 else "lead")


def _search(page: Page) -> Iterator[Block]:
    yield from search.chapter(page.folder, page.into)
    yield from common.figures(page.folder / "plots", "search_captions.json")


def _conclusions(page: Page) -> Iterator[Block]:
    if len(page.shown) > 1:
        yield Items(list(over_tasks(page.grid)))
    for one in page.shown:
        yield from named(one, page.shown)
        yield Items([*conclusions(one), *chances(one)])


def reproduced(runs: Sequence[Record], command: str) -> Iterator[Block]:
    if command:
        yield Paragraph(["The whole comparison; what is kept already is not made again:"])
        yield Code(command)
    yield Paragraph(["Each run by itself:"])
    yield Code("\n".join(dict.fromkeys(account.command(run) for run in runs)))
