"""The content of a report, in the order in which a reader asks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

from stsfm.cards import DIAGNOSIS, card_of
from stsfm.record import Record
from stsfm.reports import (
    account,
    card,
    content,
    limits,
    model,
    remains,
    search,
    stability,
    task,
)  # fmt: skip
from stsfm.reports.answer import (
    answer,
    chances,
    conclusions,
    of_run,
    over,
    over_tasks,
    question,
    significance,
)
from stsfm.reports.content import (
    Block,
    Code,
    Figure,
    Items,
    Mark,
    Paragraph,
    References,
    Report,
    Section,
    Words,
)
from stsfm.reports.facts import say
from stsfm.reports.references import entries, references
from stsfm.reports.shown import Shown, short
from stsfm.reports.space import space
from stsfm.tables.ablation import ablation_sheet
from stsfm.tables.grid import Grid
from stsfm.tables.row import Row
from stsfm.tables.sentences import about_failures, about_graphs, about_intervals, footnotes
from stsfm.tables.sheet import EXPLORATORY
from stsfm.tables.sheets import sheets
from stsfm.tables.table import Table
from stsfm.words import count

METHODS = {  # what a column or a sentence speaks of → its sources
    "MASE": ("hyndman2006mase",),
    "CRPS": ("gneiting2007scoring",),
    "Diebold–Mariano": ("diebold1995", "coroneo2020"),
    "EWC": ("lazarus2018",),
    "Holm": ("holm1979",),
    "model confidence set": ("hansen2011mcs",),
    "block bootstrap": ("kunsch1989",),
    "Wilcoxon": ("wilcoxon1945", "demsar2006"),
    "Friedman": ("iman1980",),
    "Nemenyi": ("demsar2006",),
    "Bayesian signed-rank": ("benavoli2017",),
}
SPACE = ("moran1950", "cliff1981", "zambon2022")  # of the chapter on space


@dataclass(frozen=True)
class Page:
    """A grid of runs, and what its report is to say of it.

    folder    that lies before the reader: a comparison, or a run
    into      where the report is written, from which its facts name their files
    runs      all that are looked at; `asked` are those that somebody wanted
    """

    folder: Path
    into: Path
    grid: Grid
    runs: Sequence[Record]
    asked: Sequence[Record]
    question: str = ""
    command: str = ""

    @cached_property
    def shown(self) -> list[Shown]:
        return [Shown(task, k) for k, task in enumerate(self.grid.tasks)]

    def alone(self, one: Shown) -> Row | None:
        """The row of the only run that was asked for; None where there are several."""
        if len(self.asked) > 1:
            return None
        mine = self.asked[0].folder.resolve()
        held = (row for row in one.rows if mine in [run.folder.resolve() for run in row.records])
        return next(held, None)

    @cached_property
    def record(self) -> dict[str, Any]:
        """report.json: what was worked out of several records."""
        tasks = [one.record | {"stability": stability.record(one)} for one in self.shown]
        return {"tasks": tasks, "over": over(self.grid)} if len(tasks) > 1 else {"tasks": tasks}


def build(page: Page) -> Report:
    """A report on runs side by side."""
    grid, runs, shown = page.grid, page.runs, page.shown
    cards = [_card(one.table) for one in shown]
    parts: list[tuple[str, Iterator[Block]]] = [
        ("Question", asked(page.question, page.command)),
        ("Answer", _answers(page)),
        ("Data", _data(page, cards)),
        ("Protocol", _protocol(shown, cards)),
        ("Candidates", model.candidates(shown, page.asked)),
        ("Results", _results(grid, shown)),
        ("Significance", _significance(grid, shown)),
        ("Space", space(shown)),
        ("Ablation", _ablation(shown)),
        ("Model", _models(page)),
        ("Diagnostics", _diagnostics(page)),
        ("Figures", figures(page.folder / "plots", "captions.json")),
        ("Search", _search(page.folder)),
        ("Conclusions", _conclusions(grid, shown)),
        ("What would change them", _stability(page)),
        ("Limits", limits.chapter(shown)),
        ("Cost", account.cost(shown, runs)),
        ("Failures", account.failures(runs)),
        ("Versions and hosts", account.made_with(runs, runs[0].folder.parents[2])),
        ("Reproduce", _reproduce(runs, page.command)),
        ("References", _references(grid, shown)),
    ]
    made = ((title, list(blocks)) for title, blocks in parts)
    return Report(
        title=page.question or question(shown, cards, page.asked),
        about=[one.status["headline"] for one in shown],
        written=f"{count(len(runs), 'run')}, the last of {account.day(runs)}.",
        sections=[Section(title, blocks) for title, blocks in made if blocks],
        stamp=EXPLORATORY if grid.exploratory else "",
    )


def asked(question: str, command: str) -> Iterator[Block]:
    """What was asked, and what was done for it."""
    if question:
        yield Paragraph([question], "asked")
    if question and command:
        yield Paragraph(say("It was read as this command, which anyone could have typed:", {}))
        yield Code(command)


def _card(table: Table) -> dict[str, Any]:
    """data.json of a run that finished; one that failed may not have come so far."""
    finished = (run for row in table.rows for run in row.records)
    return next((card for run in finished if (card := run.read("data.json"))), {})


def _name(one: Shown, shown: Sequence[Shown]) -> Iterator[Block]:
    """Which task the next blocks are about, where there are several."""
    if len(shown) > 1:
        yield Paragraph([one.task], "heading")


def _answers(page: Page) -> Iterator[Block]:
    if len(page.shown) > 1:
        yield Paragraph(list(_joined(over_tasks(page.grid))), "lead")
    for one in page.shown:
        yield from _name(one, page.shown)
        mine = page.alone(one)
        said = of_run(one, mine) if mine else answer(one)
        yield Paragraph(list(_joined(said)), "" if len(page.shown) > 1 else "lead")


def _joined(sentences: Iterable[Words]) -> Iterator[str | Mark]:
    for k, words in enumerate(sentences):
        yield from ([" ", *words] if k else words)


def _data(page: Page, cards: Sequence[dict[str, Any]]) -> Iterator[Block]:
    """A card per dataset; tasks on the same values with the same borders share one."""
    told = set()
    for one, data in zip(page.shown, cards, strict=True):
        key = json.dumps([data.get("panel_sha256"), data.get("borders")])
        if data and key not in told:
            yield from _name(one, page.shown)
            yield from task.dataset(data)
            path = card_of(next(run for row in one.table.rows for run in row.records))
            if path is not None and path.is_file():
                yield from card.chapter(path, page.into)
        told.add(key)


def _models(page: Page) -> Iterator[Block]:
    """The models that validation prefers: what they are, each once."""
    told = set()
    for one in page.shown:
        row = page.alone(one) or one.chosen
        if row is not None and row.label not in told:
            told.add(row.label)
            yield from _name(one, page.shown)
            yield from model.chapter(row.records[0], page.into)


def _diagnostics(page: Page) -> Iterator[Block]:
    for one in page.shown:
        row = page.alone(one) or one.chosen
        path = row.records[0].folder / DIAGNOSIS if row else None
        if row is not None and path is not None and path.is_file():
            yield from _name(one, page.shown)
            yield from remains.chapter(row.records[0], path, page.into)


def _stability(page: Page) -> Iterator[Block]:
    """What stands nearest to another conclusion."""
    for one in page.shown:
        if said := list(stability.said(one, stability.record(one))):
            yield from _name(one, page.shown)
            yield Items(said)


def _protocol(shown: Sequence[Shown], cards: Sequence[dict[str, Any]]) -> Iterator[Block]:
    for one, data in zip(shown, cards, strict=True):
        if data:
            yield from _name(one, shown)
            yield from task.protocol(one, data)
    yield from task.metrics(shown)


def _results(grid: Grid, shown: Sequence[Shown]) -> Iterator[Block]:
    """The grid over tasks, then a table for each."""
    if len(shown) > 1:
        yield from (content.Grid(short(sheet)) for sheet in sheets(grid))
    for one in shown:
        yield one.grid()
        about = (about_failures, about_graphs, about_intervals, footnotes)
        said = [line for what in about for line in what(one.table)]
        yield from [Items([[line] for line in said])] * bool(said)


def _significance(grid: Grid, shown: Sequence[Shown]) -> Iterator[Block]:
    if len(shown) > 1 and grid.tested:
        yield Items([[line] for line in grid.tested])
    for one in shown:
        yield from _name(one, shown)
        yield Items(significance(one))


def _ablation(shown: Sequence[Shown]) -> Iterator[Block]:
    """What each term of a composite loss is worth, where it was tried without."""
    for one in shown:
        if sheet := ablation_sheet(one.table):
            yield content.Grid(sheet, name=1)
            yield Items([[note] for note in sheet.notes])


def figures(folder: Path, captions: str) -> Iterator[Block]:
    """Those with a caption, in the order of the captions."""
    for name, caption in Record(folder).read(captions).items():
        if (folder / name).is_file():
            yield Figure(folder / name, caption)


def _search(folder: Path) -> Iterator[Block]:
    yield from search.chapter(folder)
    yield from figures(folder / "plots", "search_captions.json")


def _conclusions(grid: Grid, shown: Sequence[Shown]) -> Iterator[Block]:
    if len(shown) > 1:
        yield Items(list(over_tasks(grid)))
    for one in shown:
        yield from _name(one, shown)
        yield Items([*conclusions(one), *chances(one)])


def _reproduce(runs: Sequence[Record], command: str) -> Iterator[Block]:
    if command:
        yield Paragraph(["The whole comparison; what is kept already is not made again:"])
        yield Code(command)
    yield Paragraph(["Each run by itself:"])
    yield Code("\n".join(dict.fromkeys(account.command(run) for run in runs)))


def _references(grid: Grid, shown: Sequence[Shown]) -> Iterator[Block]:
    """Of the models and intervals that are shown, and of the metrics and tests that are used."""
    rows = [row for one in shown for row in one.table.rows]
    texts = [text_of(run.folder / "references.bib") for row in rows for run in row.records]
    library = dict(entries(files("stsfm").joinpath("references.bib").read_text(encoding="utf-8")))
    said = [*grid.tested, *(words for one in shown for words in (*one.header, *one.table.tested))]
    used = [keys for word, keys in METHODS.items() if any(word in line for line in said)]
    spatial = any(scores.get("space") for row in rows for scores in row.scores)
    used += [SPACE] if spatial else []
    texts += [library[key] for keys in used for key in keys]
    yield References(references(texts))


def text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
