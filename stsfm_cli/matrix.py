"""Which parts of a state space go together: asked of the parts themselves, as lines of a table.

A row is an embedding, a column a lifting; a cell says `yes` where they go with every dynamics, else
which reason in the foot refuses them. What an embedding needs of the data stands beside it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from stsfm import compose
from stsfm.build import part
from stsfm.models import legal

WIDTH = 98
FREE = ("transform_x", "align", "transform_y")  # as they are, identities
Parts = Mapping[str, Mapping[str, Any]]  # stage → name → part


def lines(*folders: Path) -> Iterator[str]:
    """The table, its foot, and what else there is to choose."""
    words = [word for folder in folders for word in ("--config-dir", str(folder))]
    parts = {
        group: {name: part(tree, f"model.{group}") for name, tree in trees.items()}
        for group, trees in compose.parts("model", words).items()
    }
    notes: dict[str, str] = {}  # reason → letter
    rows = [["embedding", *parts["lifting"], "trained jointly", "needs"]]
    for name, embedding in parts["embedding"].items():
        cells = [_cell(parts, embedding, lifting, notes) for lifting in parts["lifting"].values()]
        joint = "yes" if "gradient" in embedding.offers else "—"
        needs = ", ".join(sorted(embedding.needs & legal.DATA.keys()))
        rows.append([name, *cells, joint, needs])
    yield from _aligned(rows)
    yield ""
    for reason, letter in notes.items():
        yield from _wrapped(f"{letter}  ", [reason])
    yield from _wrapped("yes  ", [f"with each of the {len(parts['dynamics'])} dynamics"])
    yield ""
    nets = [name for name, made in parts["dynamics"].items() if "gradient" in made.offers]
    yield from _wrapped("dynamics     ", (name for name in parts["dynamics"] if name not in nets))
    yield from _wrapped("  nets       ", nets)
    for group in FREE:
        names = (_with_needs(name, made) for name, made in parts[group].items())
        yield from _wrapped(f"{group:13}", names)
    yield ""
    yield from _wrapped(
        "", ["training=joint takes an embedding that says so, a net, lifting=inverse"]
    )


def _cell(parts: Parts, embedding: Any, lifting: Any, notes: dict[str, str]) -> str:
    """yes, the letters of reasons, or how many dynamics are left."""
    same = {group: parts[group]["identity"] for group in FREE}
    reasons = [
        legal.refused(
            {"embedding": embedding, "dynamics": dynamics, "lifting": lifting, **same}, joint=False
        )
        for dynamics in parts["dynamics"].values()
    ]
    for reason in reasons:
        if reason:
            notes.setdefault(reason, chr(ord("a") + len(notes)))
    letters = " ".join(sorted({notes[reason] for reason in reasons if reason}))
    legal_ones = reasons.count("")
    if legal_ones == len(reasons):
        return "yes"
    return f"{legal_ones} {letters}" if legal_ones else letters


def _with_needs(name: str, made: Any) -> str:
    needs = sorted(made.needs & legal.DATA.keys())
    return f"{name} ({', '.join(needs)})" if needs else name


def _aligned(rows: list[list[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _wrapped(head: str, words: Iterable[str]) -> list[str]:
    text = head + " ".join(words)
    return textwrap.wrap(text, WIDTH, subsequent_indent=" " * len(head), break_on_hyphens=False)
