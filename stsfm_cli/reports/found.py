"""The report of a detection or an analysis: what was found in the rows that were looked at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from stsfm import cards
from stsfm.record import Record
from stsfm.reports.build import bound
from stsfm.reports.chapters import account, card
from stsfm.reports.chapters.cited import CARD, library, text_of
from stsfm.reports.chapters.common import asked, figures
from stsfm.reports.chapters.model import described
from stsfm.reports.content import (
    Block,
    Code,
    Definitions,
    Grid,
    Items,
    Paragraph,
    References,
    Report,
    Words,
)  # fmt: skip
from stsfm.reports.facts import Facts, beside, pointer, resolve, say
from stsfm.reports.references import references
from stsfm.tables.sheet import NONE, Cell, Sheet
from stsfm.words import number

TITLES = {"detection": "Where does {} change, by {}?", "analysis": "What does {} find in {}?"}
MOST = 60  # rows of a table on the page; table.csv has all
SETTLED = {  # what a detector knows of a series, in words
    "season": "season, in rows", "strength": "strength of the season", "gate": "p of any change",
    "surrogates": "surrogates of the gate", "order": "order of the noise",
    "memory": "memory of the noise", "bounded": "memory held at its bound",
    "penalty": "penalty of a change", "first": "rows learned from",
}  # fmt: skip
HOW = {"detection": "detector", "analysis": "analysis"}


def build(folder: Path, into: Path, kind: str, question: str, command: str) -> Report:
    """A report on what lies in `folder`, in detection.json or analysis.json."""
    record = Record(folder)
    place = beside(into, folder / f"{kind}.json")
    told, facts = resolve(into, f"{place}#"), Facts(into)
    facts.take("data", f"{beside(into, folder / 'status.json')}#/data", "name")
    facts.take("how", f"{beside(into, folder / 'status.json')}#/model", "name")
    path = cards.card(record)
    parts: list[tuple[str, Iterator[Block]]] = [
        ("Question", asked(question, command)),
        ("Answer", _answer(told, place, facts)),
        ("Data", card.chapter(path, into, "All its rows") if path else iter(())),
        ("Found", _found(told, facts)),
        ("Scores", _scores(told, place, facts)),
        ("Figures", figures(folder / "plots", "captions.json")),
        ("Method", _method(record, kind)),
        ("What would change it", _settled(told, place, facts)),
        ("Limits", _limits(told, place, facts, kind)),
        ("Versions and hosts", account.made_with([record], folder.parents[3])),
        ("Reproduce", _reproduce(record, command)),
        ("References", _references(record, path is not None)),
    ]
    data, how = record.status["data"], record.status["model"]
    names = (data, how) if kind == "detection" else (how, data)
    return Report(
        title=question or TITLES[kind].format(*names),
        about=[told["headline"]],
        written=f"Made on {account.day([record])}.",
        sections=bound(parts),
    )


def _answer(told: dict[str, Any], place: str, facts: Facts) -> Iterator[Block]:
    """What it says itself, word for word."""
    said = list(_quoted(told, "said", place, facts))
    if said:
        yield Paragraph([word for words in said for word in (*words, " ")][:-1], "lead")
    else:
        yield Paragraph(say("{how} found nothing that it would say of {data}.", facts), "lead")


def _quoted(told: dict[str, Any], key: str, place: str, facts: Facts) -> Iterator[Words]:
    for k in range(len(told[key])):
        if fact := facts.take(f"{key}{k}", f"{place}{pointer(key, k)}", "words"):
            yield [fact]


def _found(told: dict[str, Any], facts: Facts) -> Iterator[Block]:
    """Its table; of one that is long, the first rows."""
    rows = told["rows"]
    if not rows:
        yield Paragraph(say("There is nothing to list.", facts))
        return
    more = f" The first {MOST} of {len(rows):,} rows; table.csv has all." * (len(rows) > MOST)
    wordy = frozenset(k for k in range(len(told["columns"]))
                      if any(isinstance(row[k], str) for row in rows))  # fmt: skip
    body = tuple(tuple(map(_cell, row)) for row in rows[:MOST])
    yield Grid(Sheet(title="", heads=(tuple(told["columns"]),), body=body, words=wordy,
                     caption=f"{told['headline']}.{more}"))  # fmt: skip


def _cell(value: Any) -> Cell:
    if value is None:
        return Cell(text=NONE)
    if isinstance(value, str):
        return Cell(text=value)
    text = number(value, 3) if isinstance(value, float) else f"{value:,}".replace("-", "−")
    return Cell(text=text, number=value)


def _scores(told: dict[str, Any], place: str, facts: Facts) -> Iterator[Block]:
    """How near it came to what people marked, where anybody has."""
    if not told.get("scores"):
        return
    for key in ("f1", "covering", "margin", "no_change/f1", "no_change/covering"):
        facts.take(key, f"{place}#/scores/{key}", "number")
    facts.take("people", f"{place}#/scores/annotators", "count")
    yield Paragraph(say(
        "People have marked these rows, and {how} has not seen where: annotators: {people}. "
        "Against them its F-score is {f1} with a margin of {margin} rows, and its covering of "
        "their segments {covering}. Who finds no change at all has {no_change/f1} and "
        "{no_change/covering}.", facts))  # fmt: skip


def _method(record: Record, kind: str) -> Iterator[Block]:
    """What it does, in the words of its source, and its keys."""
    keys = record.config.get(HOW[kind], {})
    yield from described(keys.get("_target_", ""))
    told = {name: value for name, value in keys.items() if name != "_target_"}
    if told:
        yield Code(yaml.safe_dump(told, sort_keys=False, allow_unicode=True), "yaml")


def _settled(told: dict[str, Any], place: str, facts: Facts) -> Iterator[Block]:
    """The numbers that settled what was found of each series: the penalty, the chance, …"""
    for k, track in enumerate(told.get("tracks", ())):
        pairs: list[tuple[str, Words]] = []
        for name in track["facts"]:
            how = "words" if isinstance(track["facts"][name], str) else "number"
            source = f"{place}{pointer('tracks', k, 'facts', name)}"
            if fact := facts.take(f"{k}.{name}", source, how):
                pairs.append((SETTLED.get(name, name), [fact]))
        pairs += list(_path(track, k, place, facts))
        if pairs:
            yield Paragraph([track["name"]], "heading")
            yield Definitions(pairs)


def _path(track: dict[str, Any], k: int, place: str, facts: Facts) -> Iterator[tuple[str, Words]]:
    """At which penalties there would be as many changes: the least and the greatest."""
    path = track.get("path")
    found = len(track["changes"])
    alike = [j for j, n in enumerate(path["y"]) if round(n) == found] if path else []
    if not alike or not path:
        return
    for key, j in (("low", alike[0]), ("high", alike[-1])):
        facts.take(f"{k}.{key}", f"{place}{pointer('tracks', k, 'path', 'x', j)}", "number")
    facts.take(f"{k}.found", f"{place}{pointer('tracks', k, 'changes')}", "count")
    yield "penalty path", say(f"as many changes ({{{k}.found}}) at every looked-at penalty from "
                              f"{{{k}.low}} to {{{k}.high}}", facts)  # fmt: skip


def _limits(told: dict[str, Any], place: str, facts: Facts, kind: str) -> Iterator[Block]:
    """What it says of itself, and what is true of all of its kind."""
    items = list(_quoted(told, "noted", place, facts))
    if kind == "detection":
        items.append(
            say(
                "A change is one of what the detector models; other detectors and other "
                "settings were not tried here, and no cause is named.",
                facts,
            )
        )
    yield Items(items)


def _reproduce(record: Record, command: str) -> Iterator[Block]:
    lines = dict.fromkeys(filter(None, (command, account.command(record))))
    yield Code("\n".join(lines))


def _references(record: Record, has_card: bool) -> Iterator[Block]:
    """Of what was done, and of what its card has measured."""
    measured = library(*CARD) if has_card else []
    yield References(references([text_of(record.folder / "references.bib"), *measured]))
