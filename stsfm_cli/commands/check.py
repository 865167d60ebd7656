"""`stsfm check FILE`: what is in a file of yours, what will be done about it, and what it allows.

The file is read as `stsfm run data=FILE` reads it, so that what is said here is what happens there.
`stsfm check data=NAME` says it of a dataset that has a name.
`stsfm check model=NAME` checks the promises of a model instead (contracts.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stsfm.mistakes import Mistake, one_line
from stsfm.words import aligned, count

if TYPE_CHECKING:
    from stsfm.datasets.panel import Panel
    from stsfm.datasets.split import Split

USAGE = """\
usage: stsfm check FILE|data=NAME [data.KEY=VALUE …] [protocol.KEY=VALUE …]
       `stsfm show data=tabular` lists the keys of a file
       stsfm check model=NAME [KEY=VALUE …] [plugins=[…]] [--config-dir FOLDER]
       what every model promises, on a toy panel"""
ROLLING = "rolling"
HORIZONS = (1, 6, 12, 24, 48, 96, 192, 336, 720)


def main(args: list[str]) -> int:
    """Say what a file holds and how many origins it leaves; a Mistake where it cannot be used."""
    if {"-h", "--help"} & set(args):
        print(USAGE)
        return 0
    if any(word.startswith("model=") for word in args):
        return _promises(args)
    if not args or args[0].startswith("-"):
        raise Mistake(f"wanted a file: {USAGE.partition(chr(10))[0]}")
    from stsfm import compose
    from stsfm.build import build

    file, *overrides = args
    path = file if "." in file or "/" in file else f"./{file}"
    named = file.startswith("data=")
    config = compose.config([file if named else f"data={path}", *overrides])
    panel = build(config["data"], path="data")
    asked = config["protocol"]["horizon"]
    fine = asked == "auto" or (isinstance(asked, int) and asked > 0)  # else it is refused
    least = fine and config["choices"]["protocol"] == ROLLING  # of which all horizons are told
    split = build({**config["protocol"], "horizon": 1 if least else asked}, panel, path="protocol")
    print(file.removeprefix("data="))
    for line in (
        *_facts(split, len(panel), config["data"]),
        *_findings(panel),
        *_origins(split, asked),
    ):
        print(f"  {line}".rstrip())
    return 0


def _promises(words: list[str]) -> int:
    """Every promise of a model in a line; 1 where one is broken."""
    from stsfm.contracts import CONTRACTS, Unclaimed
    from stsfm.subject import Subject

    subject, broken = Subject(tuple(words)), 0
    for contract in CONTRACTS:
        try:
            contract(subject)
            line = f"kept       {contract.__doc__}"
        except Unclaimed as claim:
            line = f"unclaimed  {contract.__doc__} (no tag `{claim}`)"
        except Mistake:
            raise
        except Exception as error:
            broken += 1
            line = f"BROKEN     {contract.__doc__}: {type(error).__name__}: {one_line(error)}"
        print(line, flush=True)
    return 1 if broken else 0


def _facts(split: Split, rows: int, keys: Mapping[str, Any]) -> Iterator[str]:
    from stsfm.headline import missing, rhythm, stamp

    panel, about = split.panel, split.panel.about
    last = len(panel) - 1
    yield f"rows       {len(panel):,} · {stamp(panel, 0)} … {stamp(panel, last)}"
    yield f"time       {rhythm(panel, keys)}"
    if future := rows - len(panel):
        yield f"future     {future:,} rows without targets"
    yield f"nodes      {_named(about.nodes)}"
    if (graph := panel.space.adjacency) is not None:
        mutual = bool((graph == graph.swapaxes(-1, -2)).all())
        edges = int((graph != 0).sum()) // (1 + mutual)
        yield f"graph      {count(edges, 'edge')}, {'both ways' if mutual else 'one way'}"
    parts = [f"{c}" if c in about.targets else f"{c} (past only)" for c in about.channels]
    units = f" in {about.units[0]}" if about.units[0] else ""
    yield f"channels   {_named(parts)}{units}"
    if about.covariates:
        pairs = zip(about.covariates, about.kinds, strict=True)
        yield f"known      {_named([f'{name} ({kind})' for name, kind in pairs])}"
    yield f"cells      {panel.mask.size:,} · {missing(panel)}"


def _named(names: Sequence[str], most: int = 6) -> str:
    more = ", …" if len(names) > most else ""
    return f"{len(names):,} · {', '.join(names[:most])}{more}"


def _findings(panel: Panel) -> Iterator[str]:
    yield ""
    if not panel.about.findings:
        yield "nothing odd was found"
        return
    head = ("found", "how many", "what is done", "where")
    rows = [(f.what, f"{f.count:,}", f.done, f.where) for f in panel.about.findings]
    yield from aligned([head, *rows], right={1})


def _origins(split: Split, asked: int | str) -> Iterator[str]:
    """How many origins horizons leave in each part; those that leave none in one are not told."""
    import numpy as np

    from stsfm.datasets.split import independent

    rules, season = split.rules, split.panel.about.season
    yield ""
    if split.name != ROLLING:
        parts = {"train": split.train, "validation": split.val, "test": split.test}
        each = ", ".join(f"{len(windows):,} in {part}" for part, windows in parts.items())
        yield f"origins of protocol {split.name} at horizon {rules['horizon']}: {each}"
        return
    yield "origins that a horizon leaves (protocol rolling)"
    table: list[tuple[str, ...]] = [("horizon", "train", "validation", "test", "independent")]
    told = {asked} if isinstance(asked, int) else set()
    for horizon in sorted({*HORIZONS, max(season, 1)} | told):
        first, stop = rules["test"]
        starts = {"train": 1, "val": rules["val"][0], "test": first}
        steps = {"train": 1, "val": rules["stride"], "test": rules["stride"]}
        counts = [
            len(range(starts[part], rules[part][1] - horizon + 1, steps[part])) for part in starts
        ]
        if not all(counts):
            table.append((f"{horizon}", "too few rows", "", "", ""))
            break
        free = independent(np.arange(first, stop - horizon + 1, rules["stride"]), horizon)
        table.append((f"{horizon}", *(f"{n:,}" for n in counts), f"{free:,}"))
    yield from aligned(table, right=set(range(5)))
