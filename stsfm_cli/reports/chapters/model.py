"""A model as its own source describes it: idea, equation, keys, command. Nothing is imported."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from stsfm import targets
from stsfm.record import Record
from stsfm.reports.chapters import account
from stsfm.reports.content import Block, Code, Definitions, Paragraph, Words, grid
from stsfm.reports.facts import Facts, beside, say
from stsfm.reports.shown import Shown

HIDDEN = ("_target_", "loss", "trainer", "hardware")  # of a net's keys, told in config.yaml


def chapter(run: Record, into: Path) -> Iterator[Block]:
    """What a run's model is, with what settings, and how it is made again."""
    facts = Facts(into)
    scores = beside(into, run.folder / "scores.json")
    facts.take("model", f"{beside(into, run.folder / 'status.json')}#/model", "name")
    facts.take("fitted", f"{scores}#/fitted_to", "words")
    facts.take("parameters", f"{scores}#/cost/parameters", "number")
    words = "{model}, fitted to {fitted}"
    words += ", has {parameters} parameters" if facts.knows("parameters") else ""
    yield Paragraph(say(f"{words}. In the words of its source:", facts))
    yield from described(run.config.get("model", {}).get("_target_", ""))
    yield Paragraph(say("Its keys, with their values in this run (the rest is in the config of "
                        "the run):", facts))  # fmt: skip
    keys = {name: value for name, value in run.config.get("model", {}).items()
            if name not in HIDDEN}  # fmt: skip
    yield Code(yaml.safe_dump(keys, sort_keys=False, allow_unicode=True), "yaml")
    yield Code(account.command(run))


def described(dotted: str) -> Iterator[Block]:
    """The docstring of the file of a target: sentences, and equations as they stand."""
    for paragraph in targets.idea(dotted).split("\n\n"):
        if re.match(r"\s{2,}\S", paragraph):
            yield Code(textwrap.dedent(paragraph), "text")
        elif terms := _terms(paragraph):
            yield Definitions(terms)
        elif paragraph.strip():
            yield Paragraph([_bare(paragraph)], "source")


def _terms(paragraph: str) -> list[tuple[str, Words]]:
    """Terms and what they mean, where they stand in two columns; else none."""
    if not re.search(r"^ {2,}\S", paragraph, re.M):
        return []
    items = re.split(r"\n(?=\S)", paragraph)
    split = [re.split(r" {2,}", item, maxsplit=1) for item in items]
    if any(len(pair) < 2 for pair in split):
        return []
    return [(key, [_bare(text)]) for key, text in split]


def _bare(text: str) -> str:
    """In one line, without the marks of Markdown: a page has its own."""
    return " ".join(re.sub(r"\*\*|`", "", text).split())


def candidates(shown: Sequence[Shown], asked: Sequence[Record]) -> Iterator[Block]:
    """Who was compared, and why: a line per model, from the sources of the models."""
    rows = {row.model: row for one in shown for row in one.table.rows}
    wanted = {run.status.get("model") for run in asked}
    lines = [[name, "net" if row.is_net else "classical",
              "asked for" if name in wanted else "baseline", _idea(row.settings.config)]
             for name, row in rows.items()]  # fmt: skip
    yield grid("Candidates, in the words of their sources.", ["model", "kind", "why", "idea"],
               lines, "kind", "why", "idea")  # fmt: skip


def _idea(config: dict[str, Any]) -> str:
    found = targets.find(config.get("model", {}).get("_target_", "."))
    return f"{found.sentence}." if found else "its source is not at hand"
