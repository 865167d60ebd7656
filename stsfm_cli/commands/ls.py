"""`stsfm ls`: the kept runs and their state.

stsfm ls [model=a,b] [data=…] [state=finished|failed|…] [any.key=value]
  --sort test|val|time|size    by error, by when it began (the default, newest last), by room
  --csv, --json                all facts of every run, for other programs
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from stsfm.files import size
from stsfm.mistakes import Mistake
from stsfm.present import line
from stsfm.record import Record, records
from stsfm.record.choosing import apart, facts, filters, select
from stsfm.words import count, sized

USAGE = __doc__.partition("\n\n")[2]
ORDERS = ("test", "val", "time", "size")


def main(args: list[str]) -> int:
    """A line per run that matches every key=value, or its facts for another program."""
    if {"-h", "--help"} & set(args):
        print(f"usage:\n{USAGE}", end="")
        return 0
    order, args = _order(args)
    formats = [arg for arg in args if arg in ("--csv", "--json")]
    wanted = filters((arg for arg in args if arg not in formats), "ls")
    home = Path(wanted.pop("runs_dir", ["runs"])[0])
    shown, raced = apart(select(records(home), wanted), wanted)
    found = sorted(shown, key=lambda run: _rank(run, order))
    if formats:
        table = [_row(run) for run in found]
        print(json.dumps(table, indent=1, default=str) if formats[0] == "--json" else _csv(table))
        return 0
    for run in found:
        print(f"{line(run)}  {sized(size(run.folder)):>8}")
    if raced:
        borders = {run.status["rules"]["until"]: run for run in raced}  # row → as it was typed
        typed = {str(facts(run).get("protocol.until", row)): None for row, run in borders.items()}
        told = f"{count(len(raced), 'run')} on rows before a test border, as of selections"
        print(f"{told}: stsfm ls protocol.until={','.join(typed)}")
    elif not found:
        none = f"no run in {home} matches {' '.join(args)}" if args else f"no runs in {home}"
        print(f"{none}; try: stsfm run model=lstm data=airline")
    return 0


def _order(args: list[str]) -> tuple[str, list[str]]:
    """--sort test or --sort=test, and the arguments without it."""
    words = [part for arg in args for part in arg.split("=") if arg.startswith("--sort=")] or args
    if "--sort" not in words:
        return "time", args
    order = "".join(words[words.index("--sort") + 1 :][:1])
    if order not in ORDERS:
        raise Mistake(f"--sort: wanted one of {', '.join(ORDERS)}, got {order or 'nothing'}")
    return order, [arg for arg in args if not arg.startswith("--sort") and arg != order]


def _rank(run: Record, order: str) -> tuple[bool, float]:
    """Runs that lack the number come last."""
    if order == "time":
        return False, run.status.get("started", 0)
    if order == "size":
        return False, size(run.folder)
    errors = run.pooled(order)
    return not errors, errors.get(run.metric, 0.0)


def _row(run: Record) -> dict[str, Any]:
    """All that a run can be filtered by, its pooled scores and its costs."""
    status = run.status
    pooled = {f"{p}.{name}": x for p in ("val", "test") for name, x in run.pooled(p).items()}
    times = {name: status.get(name) for name in ("started", "ended")}
    place = {"folder": str(run.folder), "run": status.get("run"), "bytes": size(run.folder)}
    return place | facts(run) | times | run.scores.get("cost", {}) | pooled


def _csv(table: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    names = list(dict.fromkeys(name for row in table for name in row))
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return out.getvalue().rstrip("\n")
