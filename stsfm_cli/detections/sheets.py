"""The tables of detectors against each other: a row per detector, and one per detection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stsfm.detections import found
from stsfm.detections.contest import SCORES, ZERO, Case, Contest, Contestant
from stsfm.losses.changes import MARGIN
from stsfm.significance.bootstrap import Interval
from stsfm.significance.resampled import DRAWS
from stsfm.tables.row import Value
from stsfm.tables.sheet import NONE, Cell, Mark, Sheet, marks
from stsfm.words import count

LABELS = {"covering": "covering", "f1": "F1"}
ALPHA = 0.05


def summary(made: Contest) -> Sheet:
    """A row per detector: its scores over all series, the best first."""
    scored = [of.format(LABELS[score]) for score in SCORES for of in ("{}", "{} 95 %", "{} p")]
    best = {score: _marks(made, score) for score in SCORES}
    body = tuple(_row(one, {score: best[score][k] for score in SCORES})
                 for k, one in enumerate(made.contestants))  # fmt: skip
    return Sheet(
        title=f"change points of {made.contestants[0].series} series",
        heads=(("detector", "series", "failed", "changes", *scored),),
        body=body,
        words=frozenset({0}),
        caption=_caption(made),
        notes=tuple(sentences(made)),
        footnotes=tuple(sentences(made)),
    )


def each(made: Contest) -> Sheet:
    """A row per detection: how many changes, where, and its scores."""
    scored = bool(made.contestants)
    return Sheet(
        title="what each detector found",
        heads=(("data", "detector", "changes", *(LABELS[s] for s in SCORES if scored), "at"),),
        body=tuple(tuple(_line(case, scored=scored)) for case in sorted(
            made.cases, key=lambda case: case.failed)),
        words=frozenset({0, 1, 3 + 2 * scored}),
        last=sum(case.failed for case in made.cases),
        caption="Change points that each detector found, and where a new segment begins."
        + f" {_definitions()}" * scored,
    )  # fmt: skip


def sentences(made: Contest) -> Iterator[str]:
    """What the tests say, in words."""
    if made.reason:
        yield f"{made.reason[0].upper()}{made.reason[1:]}."
        return
    for score in SCORES:
        p = {one.name: one.p[score] for one in made.contestants}
        apart = [name for name, value in p.items() if value is not None and value < ALPHA]
        alike = [name for name, value in p.items() if value is not None and value >= ALPHA]
        if apart:
            yield f"By {LABELS[score]} {made.control} differs from {', '.join(apart)}."
        if alike:
            yield f"By {LABELS[score]} {made.control} is not separable from {', '.join(alike)}."


def _marks(made: Contest, score: str) -> list[Mark]:
    means = [one.scores[score].estimate for one in made.contestants]
    return marks([None if mean is None else Value(round(mean, 3)) for mean in means], "high")


def _row(one: Contestant, best: Mapping[str, Mark]) -> tuple[Cell, ...]:
    cells = [Cell(text=one.name), _whole(one.series), _whole(one.failed),
             Cell(text=f"{one.changes:.1f}", number=one.changes)]  # fmt: skip
    for score in SCORES:
        found, p = one.scores[score], one.p[score]
        mean = found.estimate or 0.0
        cells += [
            Cell(text=f"{mean:.3f}", number=mean, mark=best[score]),
            Cell(text=_bounds(found)),
            Cell(text=NONE if p is None else f"{p:.3f}", number=p),
        ]
    return tuple(cells)


def _bounds(found: Interval) -> str:
    if found.low is None or found.high is None:
        return NONE
    return f"{found.low:.3f} … {found.high:.3f}"


def _line(case: Case, *, scored: bool) -> Iterator[Cell]:
    yield Cell(text=case.data)
    yield Cell(text=case.detector)
    if case.failed:
        yield Cell(text="failed")
        yield from [Cell(text=NONE)] * (len(SCORES) * scored)
        yield Cell(text=str(case.record.status.get("error", "")))
        return
    dates = list(dict.fromkeys(found.dates(case.told)))
    yield _whole(len(dates))
    for score in SCORES if scored else ():
        value = case.told["scores"].get(score)
        yield Cell(text=NONE if value is None else f"{value:.3f}", number=value)
    yield Cell(text=", ".join(dates) or NONE)


def _whole(number: int) -> Cell:
    return Cell(text=f"{number:,}", number=number)


def _definitions() -> str:
    return (
        "Covering: the mean over annotators of Σ |A|/T · the best Jaccard index of their segment A "
        f"with a predicted one. F1: margin {MARGIN} rows, row 0 in every set, each prediction used "
        "once, nearest first; precision over the union of the annotators' marks, recall the mean "
        "over annotators. As TCPDBench has them (van den Burg & Williams, arXiv 2003.06222)."
    )


def _caption(made: Contest) -> str:
    tested = (
        "" if made.reason else
        f" p: Wilcoxon's signed-rank test of families against {made.control}, Holm's correction "
        "within a score."
    )  # fmt: skip
    return (
        f"Detectors of change points over series that people have marked, "
        f"{count(made.families, 'independent dataset')}; means and 95 % intervals by the bootstrap "
        f"over datasets ({DRAWS:,} draws). A detector that failed on a series scores 0 there; "
        f"`{ZERO}` predicts none; changes: found in a series, on average. {_definitions()}{tested}"
    )
