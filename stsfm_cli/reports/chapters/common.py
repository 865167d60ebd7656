"""The chapters that reports share, each from a page of runs side by side."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from stsfm.cards import DIAGNOSIS, card_of
from stsfm.record import Record
from stsfm.reports import content
from stsfm.reports.chapters import card, model, remains, stability, task
from stsfm.reports.chapters.answer import significance
from stsfm.reports.content import Block, Code, Figure, Items, Mark, Paragraph, Words
from stsfm.reports.facts import Fact, Part, say
from stsfm.reports.page import Page
from stsfm.reports.shown import Shown, short
from stsfm.tables.sheets import sheets


def asked(question: str, command: str) -> Iterator[Block]:
    """What was asked, and what was done for it."""
    if question:
        yield Paragraph([question], "asked")
    if question and command:
        yield Paragraph(say("It was read as this command, which anyone could have typed:", {}))
        yield Code(command)


def named(one: Shown, shown: Sequence[Shown]) -> Iterator[Block]:
    """Which task the next blocks are about, where there are several."""
    if len(shown) > 1:
        yield Paragraph([one.task], "heading")


def joined(sentences: Iterable[Words]) -> Iterator[str | Mark | Fact]:
    """Sentences as one paragraph."""
    for k, words in enumerate(sentences):
        yield from ([" ", *words] if k else words)


def data(page: Page) -> Iterator[Block]:
    """A card per dataset; tasks on the same values with the same borders share one."""
    told = set()
    paths = cards_of(page)
    for one, found in zip(page.shown, page.cards, strict=True):
        key = json.dumps([found.get("panel_sha256"), found.get("borders")])
        if found and key not in told:
            yield from named(one, page.shown)
            yield from task.dataset(found)
            if path := paths.get(one.index):
                yield from card.chapter(path, page.into, "The rows of train")
        told.add(key)


def cards_of(page: Page) -> dict[int, Path]:
    """Task → the card of its rows of train, where one has been made."""
    runs = {one.index: row.records[0] for one in page.shown for row in one.rows[:1]}
    paths = {index: card_of(run) for index, run in runs.items()}
    return {index: path for index, path in paths.items() if path and path.is_file()}


def diagnosed(page: Page) -> dict[int, Record]:
    """Task → the run that it is about, where its residuals have been looked at."""
    rows = {one.index: page.alone(one) or one.chosen for one in page.shown}
    runs = {index: row.records[0] for index, row in rows.items() if row}
    return {index: run for index, run in runs.items() if (run.folder / DIAGNOSIS).is_file()}


def protocol(page: Page) -> Iterator[Block]:
    """The rules of each task, and the formulas of what is shown."""
    for one, data in zip(page.shown, page.cards, strict=True):
        if data:
            yield from named(one, page.shown)
            yield from task.protocol(one, data)
    yield from task.metrics(page.shown)


def results(page: Page) -> Iterator[Block]:
    """The grid over tasks, then a table for each."""
    if len(page.shown) > 1:
        yield from (content.Grid(short(sheet)) for sheet in sheets(page.grid))
    for one in page.shown:
        yield one.grid()
        yield from _quoted(one, "notes")


def tests(page: Page) -> Iterator[Block]:
    """A sentence per claim, over all tasks and of each."""
    if len(page.shown) > 1 and page.grid.tested:
        part = Part(page.record["over"], ("over",))
        yield Items([[part.fact("words", "said", k)] for k in range(len(page.grid.tested))])
    for one in page.shown:
        yield from named(one, page.shown)
        yield Items(significance(one))


def ablation(page: Page) -> Iterator[Block]:
    """What each term of a composite loss is worth, where it was tried without."""
    for one in page.shown:
        if one.ablation:
            yield content.Grid(one.ablation, name=1)
            yield from _quoted(one, "ablation")


def _quoted(one: Shown, what: str) -> Iterator[Block]:
    """Sentences that report.json has."""
    if lines := one.record[what]:
        yield Items([[one.fact("words", what, k)] for k in range(len(lines))])


def models(page: Page) -> Iterator[Block]:
    """The models that validation prefers: what they are, each once."""
    told = set()
    for one in page.shown:
        row = page.alone(one) or one.chosen
        if row is not None and row.label not in told:
            told.add(row.label)
            yield from named(one, page.shown)
            yield from model.chapter(row.records[0], page.into)


def diagnostics(page: Page) -> Iterator[Block]:
    """What the models that it is about have left unexplained."""
    runs = diagnosed(page)
    for one in page.shown:
        if run := runs.get(one.index):
            yield from named(one, page.shown)
            yield from remains.chapter(run, run.folder / DIAGNOSIS, page.into)


def changes(page: Page) -> Iterator[Block]:
    """What stands nearest to another conclusion."""
    for one in page.shown:
        if said := list(stability.said(one, stability.record(one))):
            yield from named(one, page.shown)
            yield Items(said)


def figures(folder: Path, captions: str) -> Iterator[Block]:
    """Those with a caption, in the order of the captions."""
    for name, caption in Record(folder).read(captions).items():
        if (folder / name).is_file():
            yield Figure(folder / name, caption)
