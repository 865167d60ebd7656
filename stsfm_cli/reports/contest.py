"""The report of detectors side by side: who finds what people see, and what each found where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from stsfm import targets
from stsfm.detections import contest as beside_each_other
from stsfm.detections.sheets import each, summary
from stsfm.record import Record
from stsfm.reports.build import bound
from stsfm.reports.chapters import account
from stsfm.reports.chapters.cited import METHODS, library, text_of
from stsfm.reports.chapters.common import asked, figures
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
    grid,
)
from stsfm.reports.facts import Facts, beside, pointer, resolve, say
from stsfm.reports.references import references
from stsfm.words import count, listed

TOLD = "contest.json"
NAMED = 8  # series in the line below the title
SCORED = ("vandenburg2020tcpd", "arbelaez2011")


def build(
    folder: Path, into: Path, runs: Sequence[Record], question: str, command: str
) -> tuple[Report, Any]:
    """The report of a comparison of detections, and what it has worked out of several records."""
    place = beside(into, folder / TOLD)
    told, facts = resolve(into, f"{place}#"), Facts(into)
    control = Record(folder).read("members.json").get("control")
    made, spent = beside_each_other.contest(runs, control), account.record([], runs)
    scored = bool(told["detectors"])
    parts: list[tuple[str, Iterator[Block]]] = [
        ("Question", asked(question, command)),
        ("Answer", _scored(told, place, facts) if scored else _unscored(told, place, facts)),
        ("What the scores are", _definitions(place, facts) if scored else iter(())),
        ("Candidates", _candidates(runs)),
        ("Results", iter([Grid(summary(made))] if scored else [])),
        ("Tests", _quoted(told, place, facts)),
        ("Series", iter([Grid(each(made))])),
        ("Figures", figures(folder / "plots", "captions.json")),
        ("Limits", _limits(told, place, facts)),
        ("Cost", account.cost([], spent)),
        ("Failures", account.failures(runs, spent)),
        ("Versions and hosts", account.made_with(runs, folder.parents[1])),
        ("Reproduce", _reproduce(runs, command)),
        ("References", _references(runs, scored)),
    ]
    names = list(dict.fromkeys(run.status["model"] for run in runs))
    data = list(dict.fromkeys(case["data"] for case in told["cases"]))
    of = data[0] if len(data) == 1 else f"each of {len(data)} series"
    report = Report(
        title=question or f"Where does {of} change? {listed(names)} side by side",
        about=[f"{listed(data[:NAMED])}{' …' * (len(data) > NAMED)} · {listed(names)}"],
        written=f"{count(len(runs), 'detection')}, the last of {account.day(runs)}.",
        sections=bound(parts),
    )
    return report, {"runs": spent}


def _scored(told: dict[str, Any], place: str, facts: Facts) -> Iterator[Block]:
    """Who agrees with people best, and where each of the others stands."""
    for k in range(len(told["detectors"])):
        _take(k, place, facts)
    facts.take("families", f"{place}#/families")
    facts.take("level", f"{place}#/level", "percent", 0)
    facts.take("control", f"{place}#/control", "name")
    first = told["detectors"][0]["name"]
    if first == told["zero"]:
        words = "None of these detectors covers what people saw better than to find nothing at all"
    else:
        words = "{0.name} covers what people saw best"
    words += ": over {0.series} series that were marked, of {families} independent datasets, "
    words += f"its mean covering is {{0.covering}}{_between(0, 'covering', facts)}, "
    words += f"its mean F-score {{0.f1}}{_between(0, 'f1', facts)}."
    yield Paragraph(say(words, facts), "lead")
    others = list(enumerate(told["detectors"]))[1:]
    yield Items([say(_standing(k, one, told["zero"], facts), facts) for k, one in others])


def _take(k: int, place: str, facts: Facts) -> None:
    """A detector of contest.json as facts: 0.name, 0.covering, 0.covering.low, …"""
    at = lambda *steps: f"{place}{pointer('detectors', k, *steps)}"  # noqa: E731
    facts.take(f"{k}.name", at("name"), "name")
    facts.take(f"{k}.changes", at("changes"), decimals=1)
    for what in ("series", "failed"):
        facts.take(f"{k}.{what}", at(what))
    for score in beside_each_other.SCORES:
        facts.take(f"{k}.{score}", at(score, "estimate"), decimals=3)
        facts.take(f"{k}.{score}.p", at(score, "p"), "p")
        for end in ("low", "high"):
            facts.take(f"{k}.{score}.{end}", at(score, end), decimals=3)


def _between(k: int, score: str, facts: Facts) -> str:
    """The template of an interval, where there is one."""
    if not facts.knows(f"{k}.{score}.low", f"{k}.{score}.high"):
        return ""
    return f" ({{level}} interval {{{k}.{score}.low}} to {{{k}.{score}.high}})"


def _standing(k: int, one: dict[str, Any], zero: str, facts: Facts) -> str:
    """The template of the line of a detector that is not the first."""
    p = [f"{{{k}.{score}.p}}" for score in beside_each_other.SCORES if f"{k}.{score}.p" in facts]
    tested = f"; against {{control}} {p[0]} by covering and {p[1]} by F-score" if p else ""
    lost = f" and failed on {{{k}.failed}} of {{{k}.series}} series" * bool(one["failed"])
    found = "" if one["name"] == zero else (
        f"; changes that it finds in a series, on average: {{{k}.changes}}")  # fmt: skip
    return f"{{{k}.name}} has {{{k}.covering}} and {{{k}.f1}}{found}{lost}{tested}."


def _unscored(told: dict[str, Any], place: str, facts: Facts) -> Iterator[Block]:
    """What each found, where nobody has marked what is there to be found."""
    yield Paragraph(say("Nobody has marked these series, so no detector is said to be right: this "
                        "is what each finds.", facts), "lead")  # fmt: skip
    yield Items([_finding(k, one, place, facts) for k, one in enumerate(told["cases"])])


def _finding(k: int, one: dict[str, Any], place: str, facts: Facts) -> Words:
    at = lambda *steps: f"{place}{pointer('cases', k, *steps)}"  # noqa: E731
    facts.take(f"{k}.data", at("data"), "name")
    facts.take(f"{k}.by", at("detector"), "name")
    facts.take(f"{k}.many", at("dates"), "count")
    facts.take(f"{k}.dates", at("dates"), "list")
    if one["failed"]:
        return say(f"{{{k}.by}} failed on {{{k}.data}}.", facts)
    if not one["dates"]:
        return say(f"{{{k}.by}} finds no change in {{{k}.data}}.", facts)
    words = f"Changes of {{{k}.data}} by {{{k}.by}}: {{{k}.many}}, at {{{k}.dates}}."
    return say(words, facts)


def _definitions(place: str, facts: Facts) -> Iterator[Block]:
    """What is counted; the margin is that of the record."""
    facts.take("margin", f"{place}#/margin")
    facts.take("draws", f"{place}#/draws")
    told = {
        "covering": "The mean over annotators of Σ |A| / T times the best Jaccard index of their "
        "segment A with a predicted one; T rows.",
        "F-score": "The harmonic mean of precision and recall. A prediction hits a mark within "
        "{margin} rows, the first row is in every set, and each prediction is used once, the "
        "nearest first; precision counts hits on what anybody marked, recall is the mean over "
        "annotators.",
        "no change": "Who finds nothing: a detector should do better.",
        "interval": "By the bootstrap over independent datasets ({draws} draws).",
        "p": "Wilcoxon’s signed-rank test over independent datasets, with Holm’s correction.",
    }
    yield Definitions([(name, say(words, facts)) for name, words in told.items()])


def _candidates(runs: Sequence[Record]) -> Iterator[Block]:
    known = {run.status["model"]: run.config.get("detector", {}).get("_target_", ".")
             for run in runs}  # fmt: skip
    rows = [[name, f"{one.sentence}." if (one := targets.find(target)) else "its source is not "
             "at hand"] for name, target in known.items()]  # fmt: skip
    yield grid("Detectors, in the words of their sources.", ["detector", "idea"], rows, "idea")


def _quoted(told: dict[str, Any], place: str, facts: Facts) -> Iterator[Block]:
    """What the tests say, word for word."""
    said = (facts.take(f"said{k}", f"{place}{pointer('said', k)}", "words")
            for k in range(len(told["said"])))  # fmt: skip
    if items := [[fact] for fact in said if fact]:
        yield Items(items)


def _limits(told: dict[str, Any], place: str, facts: Facts) -> Iterator[Block]:
    items = ["A detector has the settings that the command gives it, its defaults else; nothing "
             "was tuned here, and defaults that were chosen with these series in view do better on "
             "them than on others."]  # fmt: skip
    if told["detectors"]:
        items += ["What people mark is an opinion: annotators of one series differ, and both "
                  "scores are against all of them.",
                  "A detector that failed on a series has a score of nothing there, so that it is "
                  "not spared where it is hard."]  # fmt: skip
    else:
        items.append("Without marks nothing tells a false alarm from a change.")
    yield Items([say(words, facts) for words in items])


def _reproduce(runs: Sequence[Record], command: str) -> Iterator[Block]:
    yield Paragraph(["All of them; what is kept already is not made again:"])
    yield Code(command)
    yield Paragraph(["Each by itself:"])
    yield Code("\n".join(dict.fromkeys(map(account.command, runs))))


def _references(runs: Sequence[Record], scored: bool) -> Iterator[Block]:
    texts = [text_of(run.folder / "references.bib") for run in runs]
    used = (*SCORED, *METHODS["Wilcoxon"], *METHODS["Holm"]) * scored
    yield References(references([*texts, *library(*used)]))
