"""The chapter on space: what the residuals of every row leave behind, beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any

from stsfm.reports.content import Block, Items, Paragraph, Words, grid
from stsfm.reports.facts import say
from stsfm.reports.shown import Shown
from stsfm.significance import ALPHA
from stsfm.tables.row import Row
from stsfm.tables.sheet import NONE
from stsfm.words import count, listed, number, p_value

CAPTION = (
    "What the test residuals of {task} leave in space; neighbours: {near}. I: Moran's, of the "
    "residuals one step ahead at an origin, and of their mean over origins and steps, the bias; "
    "{draws}. z: the AZ test of whiteness, 0 ± 1 without structure, and its parts. ρ: Spearman's "
    "rank correlation of MAE with the weight of a node's edges. Means over seeds, p-values the "
    "largest of them."
)
HEAD = ["model", "I", "p", "I of bias", "p of bias", "z", "z in space", "z in time", "ρ degree"]


def space(shown: Sequence[Shown]) -> Iterator[Block]:
    """A table per task whose nodes have neighbours, and who leaves structure behind."""
    for one in shown:
        kept = [(row, [s["space"] for s in row.scores if s.get("space")]) for row in one.rows]
        told = [(row, held) for row, held in kept if held and "reason" not in held[0]]
        if told:
            each = told[0][1][0]["moran"]["each"]
            which = each["reason"] or f"p by {count(each['draws'], 'permutation')} of the nodes"
            near = "; ".join(dict.fromkeys(held[0]["neighbours"] for _, held in told))
            caption = CAPTION.format(task=one.task, draws=which, near=near)
            yield grid(caption, HEAD, [_line(*entry) for entry in told])
            yield Items(list(_said(one, told)))
        for row, held in kept:
            if held and "reason" in held[0]:
                yield Paragraph([f"{row.label}: {held[0]['reason']}."])


def _line(row: Row, held: Sequence[dict[str, Any]]) -> list[str]:
    each, bias = ([entry["moran"][name] for entry in held] for name in ("each", "bias"))
    az = [entry["az"] for entry in held]
    degree = [entry["degree"] or {} for entry in held]
    return [
        row.label, _mean(each, "i"), _most(each), _mean(bias, "i"), _most(bias), _mean(az, "z", 1),
        _mean(az, "space", 1), _mean(az, "time", 1), _mean(degree, "rho"),
    ]  # fmt: skip


def _mean(entries: Sequence[dict[str, Any]], name: str, digits: int = 2) -> str:
    values = [entry.get(name) for entry in entries]
    seen = [value for value in values if value is not None]
    return number(fmean(seen), digits) if len(seen) == len(values) else NONE


def _most(entries: Sequence[dict[str, Any]]) -> str:
    values = [entry["p"] for entry in entries]
    return NONE if None in values else p_value(max(values)).removeprefix("p ").removeprefix("= ")


def _said(one: Shown, told: Sequence[tuple[Row, list[dict[str, Any]]]]) -> Iterator[Words]:
    """Whose residuals are like those of their neighbours, and whose are white."""
    alike = [row.label for row, held in told if all(_alike(s["moran"]["each"]) for s in held)]
    white = [row.label for row, held in told if all(_white(s["az"]) for s in held)]
    if any(held[0]["moran"]["each"]["p"] for _, held in told):
        level = {"alpha": one.fact("number", "alpha", decimals=2)}
        yield [*say("Neighbours err alike (p < {alpha}) under ", level), f"{listed(alike)}."]
    if any(held[0]["az"]["p"] is not None for _, held in told):
        whom = f"not rejected for {listed(white)}" if white else "rejected for all models"
        yield [
            f"Whiteness is {whom}. Parts of opposite signs cancel in z: then each of them counts "
            "by itself."
        ]


def _alike(found: dict[str, Any]) -> bool:
    return found["p"] is not None and found["p"] < ALPHA and found["i"] > found["expected"]


def _white(az: dict[str, Any]) -> bool:
    return az["p"] is not None and az["p"] >= ALPHA
