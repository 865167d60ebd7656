"""A selection in words, as a table and as a file: what is said of it before, during and after."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stsfm.files import write as write_file
from stsfm.tables.render import FORMATS
from stsfm.tables.sheet import NONE, Cell, Sheet
from stsfm.words import count, lasting

if TYPE_CHECKING:
    from stsfm.screen import Screen
    from stsfm.selecting.candidates import Entry
    from stsfm.selecting.race import Race, Runner

Found = Mapping[str, Any]  # the content of selection.json
STATES = {  # of a candidate → what its row says
    "finalist": "", "dropped": "dropped", "failed": "failed", "untried": "not tried to the end",
}  # fmt: skip


def planned(entries: Sequence[Entry], facts: Found, said: Sequence[str]) -> Iterator[str]:
    """What a selection would do, for --dry-run; `said` of a law that is given."""
    yield facts["headline"]
    yield from said
    yield from begun(entries, facts)
    taking = [entry.candidate.name for entry in entries if not entry.excluded]
    yield f"in this order: {', '.join(taking)}"
    out = {entry.candidate.name: entry.excluded for entry in entries if entry.excluded}
    yield from left_out(out)


def begun(entries: Sequence[Entry], facts: Found) -> Iterator[str]:
    """Who takes part, and what they are judged on."""
    taking = sum(not entry.excluded for entry in entries)
    on = facts["origins"]
    first, last = on["rows"]
    yield (
        f"selecting from {'+'.join(facts['among'])}: {count(taking, 'candidate')}, "
        f"{len(entries) - taking} left out · judged by {facts['label']} in rows {first} … "
        f"{last - 1}, before the test border: {count(on['blocks'], 'block')}, "
        f"{count(on['count'], 'origin')} ({on['independent']} independent) · budget "
        f"{lasting(facts['budget'])}"
    )


def begins(race: Race) -> str:
    """42 candidates in 3 rounds of 1, 1, 2 blocks."""
    sizes = ", ".join(str(len(blocks)) for blocks in race.rounds)
    return f"{count(len(race.racing), 'candidate')} in {len(race.rounds)} rounds of {sizes} blocks"


def left_out(reasons: Mapping[str, str]) -> Iterator[str]:
    """A line for each reason, with all whom it concerns."""
    yield from _grouped("left out", reasons)


def _grouped(what: str, reasons: Mapping[str, str]) -> Iterator[str]:
    groups: dict[str, list[str]] = defaultdict(list)
    for name, reason in reasons.items():
        groups[reason].append(name)
    for reason, names in groups.items():
        yield f"{what}: {', '.join(names)}: {reason}"


def choice(found: Found, winner: Runner | None) -> dict[str, Any]:
    """Who is chosen and why: fields of selection.json."""
    if winner is None:
        return {"state": "failed", "choice": None, "said": [*_cut_off(found), *_left_out(found)]}
    finalists = [one for one in found["candidates"] if one["place"]]
    mine = next(one for one in finalists if one["name"] == winner.name)
    best, near = finalists[0], [one["name"] for one in finalists if one["within"]]
    chosen = {key: mine[key] for key in ("name", "model", "words", "parameters", "error", "se")}
    chosen |= {"best": best["name"], "near": near, "behind": mine["behind"],
               "behind_se": mine["behind_se"]}  # fmt: skip
    return {"choice": chosen, "said": [*_why(mine, best, near, found), *_limits(found)]}


def nobody(found: Found) -> str:
    """Why there is no choice, in a line, and what may be done."""
    short = any(one["state"] == "untried" for one in found["candidates"])
    next_ = "" if short else "; `stsfm list class` has who else may be asked"
    return f"nobody can be chosen: {' · '.join(found['said'])}{next_}".replace(". ·", " ·")


def _left_out(found: Found) -> Iterator[str]:
    yield from _grouped("left out", {one["name"]: one["reason"] for one in found["excluded"]})


def _why(mine: Found, best: Found, near: Sequence[str], found: Found) -> Iterator[str]:
    label = found["label"]
    error = f"{label} {_figure(best['error'])}" + (
        f" ± {_figure(best['se'])}" if best["se"] else ""
    )
    among = f"of {count(sum(1 for one in found['candidates'] if one['place']), 'finalist')}"
    if mine is best:
        rest = "no simpler one is within one standard error of it"
        if best["behind_se"] is None:
            rest = "fewer than two origins are independent, so that there is no standard error"
        yield f"{mine['name']} is chosen: the least error {among} ({error}), and {rest}."
        return
    yield (
        f"{mine['name']} is chosen: the simplest {among} within one standard error of the best, "
        f"{best['name']} ({error}), which it is behind by {_figure(mine['behind'])} ± "
        f"{_figure(mine['behind_se'])}{_so_are(near, mine, best)}."
    )


def _so_are(near: Sequence[str], mine: Found, best: Found) -> str:
    """Who else is within one standard error."""
    others = [name for name in near if name not in (mine["name"], best["name"])]
    if not others:
        return ""
    return f"; {', '.join(others)} {'is' if len(others) == 1 else 'are'} within it as well"


def _limits(found: Found) -> Iterator[str]:
    """What simplicity means, and who had no fair chance."""
    on = found["origins"]
    yield (
        "Simpler is what draws no random numbers, then what has fewer parameters. Errors are means "
        f"over {count(on['count'], 'origin')} before the test border, {on['independent']} of them "
        "independent; differences are paired."
    )
    yield from _cut_off(found)


def _cut_off(found: Found) -> Iterator[str]:
    """Who did not come to the end, and why."""
    short = {one["name"]: one["reason"] for one in found["candidates"] if one["state"] == "untried"}
    yield from _grouped("not tried to the end", short)
    if short:
        yield (
            f"The budget was {lasting(found['budget'])}; with a longer one, budget=…, what is kept "
            "is not run again."
        )
    broken = {one["name"]: one["reason"] for one in found["candidates"] if one["state"] == "failed"}
    yield from _grouped("failed", broken)


def sheet(found: Found) -> Sheet:
    """The race as a table: who went furthest first, the best before others."""
    chosen = (found.get("choice") or {}).get("name")
    heads = ("place", "model", found["label"], "± se", "behind", "± se", "blocks", "parameters",
             "seconds", "")  # fmt: skip
    rows = [_line(one, found, chosen) for one in found["candidates"]]
    return Sheet(
        title=f"{found['data']}: candidates before the test border",
        heads=(heads,),
        body=tuple(rows),
        words=frozenset({1, len(heads) - 1}),
        last=sum(one["state"] == "failed" for one in found["candidates"]),
        caption=(
            f"Candidates for {found['data']}, judged before the test border. {found['label']}: the "
            "mean over origins of the blocks that a candidate reached; behind: more than the best "
            "of its round, paired; se: of a mean over origins that overlap."
        ),
        notes=tuple(found.get("said", ())),
    )


def _line(one: Found, found: Found, chosen: str | None) -> tuple[Cell, ...]:
    reached = sum(len(done["blocks"]) for done in found["rounds"][: len(one["trail"])])
    state = "chosen" if one["name"] == chosen else STATES[one["state"]]
    if one["state"] == "finalist" and one["within"] and not state:
        state = "within one se"
    told = f"{state}: {one['reason']}" if one["state"] == "dropped" else state
    numbers = [one.get(key) for key in ("error", "se", "behind", "behind_se")]
    return (
        Cell(text=str(one["place"] or NONE)),
        Cell(text=one["name"], mark="best" if one["name"] == chosen else ""),
        *(Cell(text=_figure(value), number=value) for value in numbers),
        Cell(text=str(reached)),
        Cell(text=NONE if one["parameters"] is None else f"{one['parameters']:,}"),
        Cell(text=f"{one['seconds']:.1f}", number=one["seconds"]),
        Cell(text=told),
    )


def _figure(value: float | None) -> str:
    return NONE if value is None else f"{value:.3g}".replace("-", "−")


def write(found: Found, folder: Path) -> None:
    """The table in its formats, and the figure."""
    from stsfm.plots.selection import draw

    shown = sheet(found)
    for end, render in FORMATS.items():
        write_file(folder / f"table.{end}", render(shown))
    draw(found, folder / "plots")


def show(found: Found, folder: Path, screen: Screen) -> None:
    """The table, who was left out, and where all lies."""
    screen.table(sheet(found))
    for line in left_out({one["name"]: one["reason"] for one in found["excluded"]}):
        screen.say(line)
    if place := found["test"]["comparison"]:
        screen.say(f"→ {os.path.relpath(place)}   the test")
    screen.say(
        f"→ {os.path.relpath(folder)}   selection.json · table.md · 1 plot   "
        "(the same command again is free)"
    )
