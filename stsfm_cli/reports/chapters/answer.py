"""The question of a comparison, its answer in a few sentences, and what may be concluded.

Every number in them is a cell of a table that is shown, word for word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stsfm.record import Record
from stsfm.reports.content import Words, plain
from stsfm.reports.facts import Fact, Part, say
from stsfm.reports.shown import Shown
from stsfm.significance.origins import FEWEST
from stsfm.tables.grid import Grid
from stsfm.tables.row import Row
from stsfm.tables.sheet import rank_text
from stsfm.tables.table import LEVEL
from stsfm.tables.verdicts import VERDICTS
from stsfm.words import steps

FEW = 4  # models that a question names


def question(
    shown: Sequence[Shown], cards: Sequence[Mapping[str, Any]], asked: Sequence[Record]
) -> str:
    """What was asked, from what was compared."""
    if len(asked) == 1:
        where = _where(shown, cards[0])
        return f"How well does {asked[0].status['model']} forecast {where[0]}{where[1]}?"
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


def of_run(one: Shown, mine: Row) -> Iterator[Words]:
    """How good one model is, beside the baselines that it was put beside."""
    told = one.facts(mine=mine, best=one.best or mine, chosen=one.chosen or mine)
    told["shown"] = one.fact("number", "shown")
    words = f"On test, {{mine}} has a {{metric}} of {_error(told, 'mine')}"
    if mine.model != LEVEL and "mine.skill" in told:
        words += ", a skill of {mine.skill} % over repeating the last season"
    if len(one.rows) < 2:
        yield say(f"{words}; it was put beside no other.", told)
        return
    place = "the best" if mine is one.best else "number {mine.rank}"
    yield say(f"{words}: {place} of {{shown}} models.", told)
    if mine is not one.best:
        yield say(f"The best on test is {{best}} with {_error(told, 'best')}.", told)
    if mine is not one.chosen:
        yield say("Validation would have taken {chosen} (val {metric} {chosen.val} against "
                  "{mine.val}), whose test {metric} is " + _error(told, "chosen") + ".",
                  told)  # fmt: skip
    yield _chance(one, mine)


def answer(one: Shown) -> Iterator[Words]:
    """Two to four sentences on one table: choice, test, nets, and whether it may be chance."""
    chosen, best, net = one.chosen, one.best, one.net
    if chosen is None or best is None:
        yield say("No forecast has a score: every run failed, or reads an oracle.", {})
        return
    yield from _choice(one, chosen, best)
    control = one.table.best_classical
    if net is not None and control is not None and net is not control:
        yield from _rivals(one, net, control)
    yield _chance(one, net or best)


def among(one: Shown, wanted: Sequence[Row]) -> Iterator[Words]:
    """How those that were asked about stand to each other, where baselines stand beside them."""
    first, second = (*wanted, None, None)[:2]
    if first is None or second is None or len(wanted) == len(one.rows):
        return
    told = one.facts(first=first, second=second)
    if {"first.test", "second.test"} <= told.keys():
        words = "Of those that were asked about, {first} has the least test {metric}, "
        yield say(f"{words}{_error(told, 'first')}, before {{second}} with "
                  f"{_error(told, 'second')}.", told)  # fmt: skip


def _choice(one: Shown, chosen: Row, best: Row) -> Iterator[Words]:
    """What a reader of validation alone would take, and what would have been better on test."""
    told = one.facts(chosen=chosen, best=best)
    words = "Validation prefers {chosen} (val {metric} {chosen.val}), whose test {metric} is "
    words += _error(told, "chosen")
    if chosen.model != LEVEL and "chosen.skill" in told:
        words += " (skill {chosen.skill} %)"
    if best is chosen:
        yield say(f"{words}, the best of all.", told)
        return
    yield say(f"{words}.", told)
    least = _error(told, "best")
    yield say(f"The best on test is {{best}} with {least}; only the test could tell.", told)


def _rivals(one: Shown, net: Row, control: Row) -> Iterator[Words]:
    """How a net stands to the best classical model on validation."""
    told = one.facts(net=net, control=control)
    verb = "is ahead of" if one.ahead(net, control) else "does not beat"
    words = f"{{net}} {verb} {{control}}, the best classical model on validation: test {{metric}} "
    yield say(f"{words}{_error(told, 'net')} against {_error(told, 'control')}.", told)


def _error(told: Mapping[str, Fact], part: str) -> str:
    """The test error of a row, with the deviation between its seeds, if any."""
    return f"{{{part}.test}}" + (f" ± {{{part}.sd}}" if f"{part}.sd" in told else "")


def _chance(one: Shown, row: Row) -> Words:
    """What was tested of a row; else what there is to say of all."""
    tested = list(one.table.tested)
    own = tuple(f"{row.label} {verb} " for verb in VERDICTS.values())  # none of its namesakes
    sets = (line for line in tested if "the best is" in line)
    found = next((line for line in tested if line.startswith(own)), next(sets, None))
    return significance(one)[0 if found is None else tested.index(found)]


def chances(one: Shown) -> Iterator[Words]:
    """What was tested of the rows that conclusions name; else what there is to say of all."""
    named = [one.chosen, one.best, *(row for row in one.rows if row.is_net and not row.oracle)]
    said = [_chance(one, row) for row in named if row is not None] or significance(one)[:1]
    yield from {plain(words): words for words in said}.values()


def significance(one: Shown) -> list[Words]:
    """What the tests say, a sentence per claim; or why there is none."""
    said: list[Words] = [[one.fact("words", "said", k)] for k in range(len(one.table.tested))]
    return said or [say("Nothing was tested for significance.", {})]


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
        skill, told = one.table.skill(row), one.facts(row=row)
        if row.model != LEVEL and "row.skill" in told and skill is not None and skill.mean <= 0:
            yield say("{row} was no better on test than repeating the last season: skill "
                      "{row.skill} %.", told)  # fmt: skip


def _seeds(one: Shown) -> Iterator[Words]:
    for row in one.rows:
        if "row.sd" in (told := one.facts(row=row)):
            yield say("{row} moves with its seed: over {row.seeds} runs its test {metric} has a "
                      "standard deviation of {row.sd}.", told)  # fmt: skip


def _intervals(one: Shown) -> Iterator[Words]:
    """Whose intervals held what they promise, and whose did not; a few origins can't tell."""
    rows = [(abs(value.mean - 0.8), row.label, row) for row in one.rows
            if (value := row.score("test", "cover80"))]  # fmt: skip
    if len(rows) < 2 or one.status["independent"] < FEWEST:
        return
    told = one.facts(near=min(rows)[-1], far=max(rows)[-1])
    if {"near.cover", "far.cover"} <= told.keys():
        told["level"] = one.fact("percent", "level", decimals=0)
        yield say("Of intervals that promise {level}, those of {near} came nearest on test "
                  "({near.cover} %) and those of {far} were farthest off ({far.cover} %).",
                  told)  # fmt: skip


def over_tasks(grid: Grid) -> Iterator[Words]:
    """Who is best over several tasks, by rank and by skill."""
    held = over(grid)
    fact = Part(held, ("over",)).fact
    if not held["first"]:
        yield say("No model was run on every task, so none is ranked over all of them.", {})
        return
    told = {"tasks": fact("number", "tasks"), "rank": fact("words", "rank")}
    if len(held["first"]) > 1:
        told["first"] = fact("list", "first")
        yield say("Over {tasks} tasks, the best mean rank on test, {rank}, is shared by {first}.",
                  told)  # fmt: skip
    else:
        told["first"] = fact("name", "first", 0)
        words = "Over {tasks} tasks, {first} has the best mean rank on test: {rank}"
        if held["skill"] is not None:
            told["skill"] = fact("percent", "skill", decimals=1)
            words += " and a skill of {skill}"
        yield say(f"{words}.", told)
    if grid.tested:
        yield [fact("words", "said", 0)]


def over(grid: Grid) -> dict[str, Any]:
    """What report.json has of several tasks together."""
    ranks = {name: rank for name, rank in grid.ranks().items() if rank is not None}
    least = min(ranks.values(), default=None)
    first = sorted(name for name, rank in ranks.items() if rank == least)
    skill = grid.skill(first[0]) if len(first) == 1 else None
    return {"tasks": len(grid.tasks), "ranks": ranks, "rank": rank_text(least), "first": first,
            "skill": skill, "said": list(grid.tested)}  # fmt: skip
