"""The report of a selection: who took part, who was chosen and why, and what the test then said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stsfm.record import Record
from stsfm.record.shelf import compared
from stsfm.reports.build import Chapters, bound, reproduced
from stsfm.reports.chapters import account, common, law, limits
from stsfm.reports.chapters.answer import of_run
from stsfm.reports.chapters.cited import cited
from stsfm.reports.chapters.common import joined
from stsfm.reports.chapters.space import space
from stsfm.reports.content import Block, Code, Definitions, Grid, Items, Paragraph, Report, Words
from stsfm.reports.content import grid as plain_grid
from stsfm.reports.facts import Facts, beside, pointer, say
from stsfm.reports.page import Page
from stsfm.selecting.story import sheet

PLACES = (
    ("data", "/data", "name"), ("metric", "/label", "words"), ("among", "/among", "list"),
    ("budget", "/budget", "seconds"), ("spent", "/spent", "seconds"),
    ("blocks", "/origins/blocks", "number"), ("origins", "/origins/count", "number"),
    ("independent", "/origins/independent", "number"), ("horizon", "/origins/horizon", "number"),
    ("until", "/origins/until", "number"), ("candidates", "/candidates", "count"),
    ("excluded", "/excluded", "count"), ("rounds", "/rounds", "count"),
    ("chosen", "/choice/name", "name"), ("error", "/choice/error", "number"),
    ("se", "/choice/se", "number"), ("best", "/choice/best", "name"),
    ("behind", "/choice/behind", "number"), ("behind.se", "/choice/behind_se", "number"),
    ("near", "/choice/near", "list"), ("given", "/given", "name"),
)  # fmt: skip


def tested(folder: Path, found: dict[str, Any]) -> Path | None:
    """The comparison in which the chosen one was opened on test; None where it was not."""
    name = (found.get("test") or {}).get("comparison")
    there = folder.parents[1] / "_comparisons" / Path(name).name if name else None
    return there if there and (there / "members.json").is_file() else None


def chosen_runs(there: Path, found: dict[str, Any]) -> list[Record]:
    """The runs of the chosen model, of those that were compared."""
    model = found["choice"]["model"]
    return [run for run in compared(there) if run.status.get("model") == model]


def build(folder: Path, into: Path, page: Page | None, question: str, command: str) -> Report:
    """A report on selection.json, and on the page of its test where there is one."""
    found, place = Record(folder).read("selection.json"), beside(into, folder / "selection.json")
    facts = Facts(into)
    for key, where, how in PLACES:
        facts.take(key, f"{place}#{where}", how)
    command = command or found.get("command", "")
    parts: Chapters = [
        ("Question", common.asked(question, command)),
        ("Answer", _answer(found, facts, place)),
        ("Data", common.data(page) if page else iter(())),
        ("Protocol", _protocol(found, facts, page)),
        ("Candidates", _candidates(found, facts, place)),
        ("The race", _race(folder, found)),
        *(_of_test(page) if page else ()),
        ("The law", law.chapter(found, facts, place)),
        ("Conclusions", _conclusions(page) if page else iter(())),
        ("What would change them", _changes(found, facts, page)),
        ("Limits", _limits(found, facts, place, page)),
        *(_of_runs(page, command) if page else [("Reproduce", iter([Code(command)]))]),
    ]
    return Report(
        title=question or f"Which of {_among(found)} forecasts {found['data']} best?",
        about=[found["headline"]],
        written=f"Selected from {', '.join(found['among'])}: {found['state']}.",
        sections=bound(parts),
    )


def _among(found: dict[str, Any]) -> str:
    names = " and ".join(found["among"])
    return "all models" if found["among"] == ["all"] else f"{names} models"


def _answer(found: dict[str, Any], facts: Facts, place: str) -> Iterator[Block]:
    """Who was chosen and why, and how it did once the test was opened."""
    said = list(_quoted("said", found.get("said", ()), facts, f"{place}#/said"))
    test = [words for words, line in zip(said, found.get("said", ()), strict=True)
            if line.startswith("On test")]  # fmt: skip
    if not facts.knows("chosen"):
        yield Paragraph(say("Nothing is chosen of {among} for {data}.", facts), "lead")
        yield from [Items(said)] * bool(said)
        return
    tests, helped = _tests(found, facts, place), law.helped(facts, place)
    yield Paragraph(list(joined([*said[:1], *test, *tests, *helped])), "lead")


def _tests(found: dict[str, Any], facts: Facts, place: str) -> Iterator[Words]:
    lines = (found.get("test") or {}).get("tested", ())
    yield from list(_quoted("tested", lines, facts, f"{place}#/test/tested"))[:1]


def _quoted(key: str, lines: Any, facts: Facts, source: str) -> Iterator[Words]:
    """Sentences as they were kept."""
    for k in range(len(lines)):
        if fact := facts.take(f"{key}{k}", f"{source}{pointer(k)[1:]}", "words"):
            yield [fact]


def _protocol(found: dict[str, Any], facts: Facts, page: Page | None) -> Iterator[Block]:
    """How candidates were judged before the test border; then how the test was scored."""
    opened = "once, for the choice"
    if found.get("ablation"):
        opened = "after the choice: for it, and for the one that the law is judged by"
    yield Paragraph(say(
        "Candidates were judged by {metric} over rolling origins before the test border (row "
        "{until}): {origins} origins in {blocks} blocks, {independent} of them independent, "
        "{horizon} steps ahead. They raced through {rounds} rounds, each with more blocks and "
        "fewer candidates; the simplest within one standard error of the best is chosen. The "
        "budget was {budget}, of which {spent} were spent. The test was opened "
        f"{opened}.", facts))  # fmt: skip
    if page:
        yield from common.protocol(page)


def _candidates(found: dict[str, Any], facts: Facts, place: str) -> Iterator[Block]:
    """Who took part, and who did not and why."""
    yield Paragraph(say("Candidates from {among}: {candidates}; left out before they were fitted: "
                        "{excluded}.", facts))  # fmt: skip
    reasons: dict[str, list[int]] = {}
    for k, one in enumerate(found["excluded"]):
        reasons.setdefault(one["reason"], []).append(k)
    pairs: list[tuple[str, Words]] = []
    for first, *rest in reasons.values():
        names = ", ".join(found["excluded"][k]["name"] for k in (first, *rest))
        if fact := facts.take(f"out{first}", f"{place}#/excluded/{first}/reason", "words"):
            pairs.append((names, [fact]))
    yield from [Definitions(pairs)] * bool(pairs)


def _race(folder: Path, found: dict[str, Any]) -> Iterator[Block]:
    """The table of all who took part, and the figure."""
    yield Grid(sheet(found), name=1)
    rows = [[str(k), str(len(one["blocks"])), str(one["entered"]), str(one["ended"])]
            for k, one in enumerate(found["rounds"], 1)]  # fmt: skip
    yield plain_grid("Rounds: the blocks of origins in each, and how many entered and ended it.",
                     ["round", "blocks", "entered", "ended"], rows)  # fmt: skip
    yield from common.figures(folder / "plots", "captions.json")


def _of_test(page: Page) -> Chapters:
    """What the test says: the chapters of any comparison."""
    return [
        ("Results", common.results(page)),
        ("Significance", common.tests(page)),
        ("Space", space(page.shown)),
        ("Model", common.models(page)),
        ("Diagnostics", common.diagnostics(page)),
        ("Figures", common.figures(page.folder / "plots", "captions.json")),
    ]


def _of_runs(page: Page, command: str) -> Chapters:
    """What the runs of the test took, and with what they were made."""
    runs, held = page.runs, page.record["runs"]
    return [
        ("Cost", account.cost(page.shown, held)),
        ("Failures", account.failures(runs, held)),
        ("Versions and hosts", account.made_with(runs, runs[0].folder.parents[2])),
        ("Reproduce", reproduced(runs, command)),
        ("References", cited(page)),
    ]


def _conclusions(page: Page) -> Iterator[Block]:
    """How the chosen one stands once the test is open."""
    for one in page.shown:
        if mine := page.alone(one):
            yield Items(list(of_run(one, mine)))


def _changes(found: dict[str, Any], facts: Facts, page: Page | None) -> Iterator[Block]:
    """Who might have been chosen instead."""
    items: list[Words] = []
    if facts.knows("chosen", "near") and len(facts["near"].value) > 1:
        items.append(say("Within one standard error before the test border are {near}: with other "
                         "origins any of them may have been the best.", facts))  # fmt: skip
    if facts.knows("chosen", "best", "behind") and facts["chosen"].value != facts["best"].value:
        items.append(say("Who asks for the least error before the test border, and not for the "
                         "simplest near it, takes {best}: {chosen} is {behind} behind.",
                         facts))  # fmt: skip
    untried = [one["name"] for one in found["candidates"] if one["state"] == "untried"]
    if untried:
        items.append([*say("A longer budget than {budget} would try further: ", facts),
                      f"{', '.join(untried)}."])  # fmt: skip
    yield from [Items(items)] * bool(items)
    yield from common.changes(page) if page else ()


def _limits(found: dict[str, Any], facts: Facts, place: str, page: Page | None) -> Iterator[Block]:
    """What the selection says of itself, and what its test does not show."""
    said = list(_quoted("said", found.get("said", ()), facts, f"{place}#/said"))
    kept = [words for words, line in zip(said, found.get("said", ()), strict=True)
            if not line.startswith("On test")]  # fmt: skip
    yield from [Items(kept[1:])] * bool(kept[1:])
    yield from limits.chapter(page.shown) if page else ()
