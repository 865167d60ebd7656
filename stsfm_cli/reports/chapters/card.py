"""What the rows of train are like, from card.json, as a reader of a data card asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stsfm.reports.content import Block, Definitions, Paragraph, Words
from stsfm.reports.facts import Facts, at, beside, resolve, say

VERDICTS = {
    "yes": "By both, stationary",
    "no": "By both, not stationary",
    "open": "They disagree",
}


def chapter(path: Path, into: Path, title: str) -> Iterator[Block]:
    """A card as a list of what is known, each number from the file."""
    facts, file = Facts(into), beside(into, path)
    for key, place, how in PLACES:
        facts.take(key, f"{file}#/{place}", how)
    held = resolve(into, f"{file}#")
    yield Paragraph([title], "heading")
    yield Paragraph(say("Looked at are {rows} rows, {from} … {to}; no later one." + _some(held),
                        facts))  # fmt: skip
    pairs: list[tuple[str, Words]] = [
        ("Trend", _trend(facts, held)),
        ("Season", _season(facts, held)),
        ("Stationarity", _stationarity(facts, held)),
        ("Missing", _missing(facts, held)),
        ("Outliers", _outliers(facts, held)),
        ("Space", _space(facts, held)),
        ("Change points", _changes(facts, held, file)),
    ]
    yield Definitions(pairs)


PLACES = (
    ("rows", "rows/count", "number"), ("from", "rows/from", "words"), ("to", "rows/to", "words"),
    ("all", "series/all", "number"), ("looked", "series/looked_at", "number"),
    ("last", "series/rows", "number"),
    ("trend", "trend/median", "number"), ("trend.low", "trend/low", "number"),
    ("trend.high", "trend/high", "number"), ("period", "season/period", "number"),
    ("season", "season/median", "number"), ("season.low", "season/low", "number"),
    ("season.high", "season/high", "number"), ("adf", "adf/p", "p"),
    ("kpss", "kpss/p", "p of KPSS"),
    ("yes", "stationary/yes", "number"), ("no", "stationary/no", "number"),
    ("open", "stationary/open", "number"), ("missing", "missing/share", "percent"),
    ("longest", "missing/longest", "number"), ("outliers", "outliers/count", "number"),
    ("outliers.share", "outliers/share", "percent"), ("i", "space/i", "number"),
    ("expected", "space/expected", "number"), ("i.p", "space/p", "p"),
    ("neighbours", "space/neighbours", "words"), ("space.reason", "space/reason", "words"),
    ("detector", "changes/detector", "name"), ("changes", "changes/found", "count"),
    ("changes.reason", "changes/reason", "words"),
)  # fmt: skip


def _some(held: object) -> str:
    """What of them all was not looked at, to be quick."""
    series, rows = at(held, "/series"), at(held, "/rows/count")
    words = ""
    if series["looked_at"] < series["all"]:
        words += " What follows is of {looked} of the {all} series, evenly spaced."
    return words + (
        " Statistics are those of the last {last} rows." if series["rows"] < rows else ""
    )


def _trend(facts: Facts, held: object) -> Words:
    if not facts.knows("trend"):
        return say("not measured: no series changes", facts)
    return say(f"strength {_spread(facts, 'trend')} (at most one)", facts)


def _season(facts: Facts, held: object) -> Words:
    if at(held, "/season/period") <= 1:
        return say("none", facts)
    if not facts.knows("season"):
        return say("{period} rows; fewer than two of them: its strength is not measured", facts)
    return say(f"strength {_spread(facts, 'season')}, with a period of {{period}} rows", facts)


def _spread(facts: Facts, key: str) -> str:
    """The median over several series, and their range."""
    if facts["looked"].value == 1:
        return f"{{{key}}}"
    return f"{{{key}}} (median; from {{{key}.low}} to {{{key}.high}})"


def _stationarity(facts: Facts, held: object) -> Words:
    if not facts.knows("adf", "kpss"):
        return say("not tested: too few rows", facts)
    found = at(held, "/stationary")
    if found["series"] == 1:
        verdict = next(VERDICTS[name] for name in VERDICTS if found[name])
        return say("ADF, where a unit root is supposed: {adf}; KPSS, where a level that stays is: "
                   f"{{kpss}}. {verdict}", facts)  # fmt: skip
    return say("of ADF and KPSS, both say of {yes} series that the level stays, both of {no} that "
               "it does not, and of {open} they disagree", facts)  # fmt: skip


def _missing(facts: Facts, held: object) -> Words:
    if not at(held, "/missing/share"):
        return say("none", facts)
    return say("{missing} of the cells, {longest} rows in a row at most", facts)


def _outliers(facts: Facts, held: object) -> Words:
    if not facts.knows("outliers"):
        return say("not measured", facts)
    if not facts["outliers"].value:
        return say("none more than five robust deviations off what trend and season leave", facts)
    return say("{outliers} values more than five robust deviations off what trend and season leave",
               facts)  # fmt: skip


def _space(facts: Facts, held: object) -> Words:
    if facts.knows("i", "expected", "i.p"):
        return say("Moran's I {i} where chance gives {expected} ({i.p}; {neighbours})", facts)
    return say("{space.reason}", facts)


def _changes(facts: Facts, held: object, file: str) -> Words:
    if facts.knows("changes.reason"):
        return say("{changes.reason}", facts)
    found = at(held, "/changes/found")
    if not found:
        return say("none by {detector}", facts)
    several = len({one["series"] for one in found}) > 1
    for k in range(len(found)):
        facts.take(f"date{k}", f"{file}#/changes/found/{k}/date", "words")
        facts.take(f"series{k}", f"{file}#/changes/found/{k}/series", "words")
    each = (f"{{date{k}}}" + f" ({{series{k}}})" * several for k in range(len(found)))
    return say(f"{', '.join(each)} by {{detector}}", facts)
