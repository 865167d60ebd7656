"""The question of a comparison, its answer in a few sentences, and what may be concluded.

Every number in them is a cell of a table that is shown, word for word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stsfm.reports.content import Mark, Words
from stsfm.reports.shown import Shown
from stsfm.significance.origins import FEWEST
from stsfm.tables.grid import Grid
from stsfm.tables.row import Row
from stsfm.tables.sheet import number, rank_text
from stsfm.tables.table import LEVEL
from stsfm.tables.verdicts import VERDICTS
from stsfm.words import count, steps

FEW = 4  # models that a question names


def question(shown: Sequence[Shown], cards: Sequence[Mapping[str, Any]]) -> str:
    """What was asked, from what was compared."""
    labels = {row.label for one in shown for row in one.table.rows}
    models = list(dict.fromkeys(row.model for one in shown for row in one.table.rows))
    where = _where(shown, cards[0])
    if len(labels) == 1:
        return f"How well does {models[0]} forecast {where[0]}{where[1]}?"
    which = f"{len(models)} models"
    if len(models) == 1:
        which = f"{len(labels)} settings of {models[0]}"
    elif len(models) <= FEW:
        which = f"{', '.join(models[:-1])} and {models[-1]}"
    return f"Which of {which} forecasts {where[0]} best{where[1]}?"


def _where(shown: Sequence[Shown], card: Mapping[str, Any]) -> tuple[str, str]:
    """What is forecast, and how far where it is one task: airline; , 12 months ahead."""
    if len(shown) == 1:
        status = shown[0].status
        return status["data"], f", {steps(status['horizon'], card.get('step', ''))} ahead"
    names = ", ".join(one.task for one in shown[:-1]) + f" and {shown[-1].task}"
    return (names if len(shown) <= FEW else f"{len(shown)} tasks"), ""


def answer(one: Shown) -> Iterator[Words]:
    """Two to four sentences on one table: choice, test, nets, and whether it may be chance."""
    chosen, best, net = one.chosen, one.best, one.net
    if chosen is None or best is None:
        yield ["No forecast has a score: every run failed, or reads an oracle."]
        return
    yield from _choice(one, chosen, best)
    control = one.table.best_classical
    if net is not None and control is not None and net is not control:
        yield from _rivals(one, net, control)
    yield [_chance(one, net or best)]


def _choice(one: Shown, chosen: Row, best: Row) -> Iterator[Words]:
    """What a reader of validation alone would take, and what would have been better on test."""
    words: list[str | Mark] = ["Validation prefers ", _name(chosen), f" (val {one.label} "]
    words += [*one.error(chosen, "val"), f"), whose test {one.label} is ", *one.error(chosen)]
    if chosen.model != LEVEL and (skill := one.cell(chosen, "skill %")):
        words += [" (skill ", skill, " %)"]
    if best is chosen:
        yield [*words, ", the best of all."]
        return
    yield [*words, "."]
    yield ["The best on test is ", _name(best), " with ", *one.error(best),
           "; only the test could tell."]  # fmt: skip


def _rivals(one: Shown, net: Row, control: Row) -> Iterator[Words]:
    """How a net stands to the best classical model on validation."""
    verb = " is ahead of " if one.ahead(net, control) else " does not beat "
    yield [_name(net), verb, _name(control), ", the best classical model on validation: test ",
           one.label, " ", *one.error(net), " against ", *one.error(control), "."]  # fmt: skip


def _chance(one: Shown, row: Row) -> str:
    """What was tested of a row; else what there is to say of all."""
    tested = significance(one)
    own = tuple(f"{row.label} {verb} " for verb in VERDICTS.values())  # none of its namesakes
    sets = (line for line in tested if "the best is" in line)
    return next((line for line in tested if line.startswith(own)), next(sets, tested[0]))


def chances(one: Shown) -> Iterator[Words]:
    """What was tested of the rows that conclusions name; else what there is to say of all."""
    named = [one.chosen, one.best, *(row for row in one.rows if row.is_net and not row.oracle)]
    said = [_chance(one, row) for row in named if row is not None]
    yield from ([line] for line in dict.fromkeys(said or significance(one)[:1]))


def significance(one: Shown) -> Sequence[str]:
    """What the tests say, a sentence per claim; or why there is none."""
    return one.table.tested or ["Nothing was tested for significance."]


def conclusions(one: Shown) -> Iterator[Words]:
    """What the table shows of every row that matters, each with its numbers."""
    chosen, best, control = one.chosen, one.best, one.table.best_classical
    if chosen is not None and best is not None:
        yield from _choice(one, chosen, best)
    for net in [row for row in one.rows if row.is_net and not row.oracle]:
        yield from _rivals(one, net, control) if control else ()
    yield from _level(one)
    yield from _seeds(one)
    yield from _intervals(one)


def _level(one: Shown) -> Iterator[Words]:
    """Who is no better than repeating the last season."""
    for row in one.rows:
        skill, cell = one.table.skill(row), one.cell(row, "skill %")
        if row.model != LEVEL and cell is not None and skill is not None and skill.mean <= 0:
            yield [
                _name(row),
                " was no better on test than repeating the last season: skill ",
                cell,
                " %.",
            ]


def _seeds(one: Shown) -> Iterator[Words]:
    for row in one.rows:
        if (cell := one.cell(row, "seed sd")) is not None:
            yield [_name(row), f" moves with its seed: over {row.seeds} runs its test {one.label} "
                   "has a standard deviation of ", cell, "."]  # fmt: skip


def _intervals(one: Shown) -> Iterator[Words]:
    """Whose intervals held what they promise, and whose did not; a few origins can't tell."""
    rows = [(abs(value.mean - 0.8), row.label, row) for row in one.rows
            if (value := row.score("test", "cover80"))]  # fmt: skip
    if len(rows) < 2 or one.status["independent"] < FEWEST:
        return
    nearest, farthest = min(rows)[-1], max(rows)[-1]
    near, far = (one.cell(row, "cover 80 %") for row in (nearest, farthest))
    if near and far:
        yield ["Of intervals that promise 80 %, those of ", _name(nearest),
               " came nearest on test (", near, " %) and those of ", _name(farthest),
               " were farthest off (", far, " %)."]  # fmt: skip


def over_tasks(grid: Grid) -> Iterator[Words]:
    """Who is best over several tasks, by rank and by skill."""
    ranks = {name: rank for name, rank in grid.ranks().items() if rank is not None}
    if not ranks:
        yield ["No model was run on every task, so none is ranked over all of them."]
        return
    least = min(ranks.values())
    first, *others = sorted(name for name, rank in ranks.items() if rank == least)
    if others:
        yield ["Over ", count(len(grid.tasks), "task"), ", the best mean rank on test, ",
               rank_text(least), ", is shared by ", ", ".join([first, *others]), "."]  # fmt: skip
        yield from ([line] for line in grid.tested[:1])
        return
    skill = grid.skill(first)
    over = "" if skill is None else f" and a skill of {number(100 * skill, 1)} %"
    yield ["Over ", count(len(grid.tasks), "task"), ", ", Mark(first, "strong"),
           f" has the best mean rank on test: {rank_text(ranks[first])}{over}."]  # fmt: skip
    yield from ([line] for line in grid.tested[:1])


def _name(row: Row) -> Mark:
    return Mark(row.label, "strong")
