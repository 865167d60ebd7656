"""Kept runs chosen by their facts, and put side by side in one table."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from stsfm.files import write, write_json
from stsfm.mistakes import Mistake, did_you_mean
from stsfm.present import members, tried
from stsfm.record import Record, records
from stsfm.screen import Screen
from stsfm.tables.render import as_csv, as_latex, as_markdown
from stsfm.tables.table import flatten, tabulate


def compare(args: list[str], screen: Screen) -> Path:
    """A table of the runs that match every key=value, beside the baselines of their protocol.

    Returns the folder that it is written to.
    """
    flags = {arg for arg in args if arg.startswith("-")}
    if unknown := flags - {"--all-configs"}:
        raise Mistake(f"unknown option {sorted(unknown)[0]!r}; `stsfm compare --help` lists all")
    wanted = filters((arg for arg in args if arg not in flags), "compare")
    home = Path(wanted.pop("runs_dir", ["runs"])[0])
    chosen = select(records(home), wanted)
    for run in [run for run in chosen if run.state == "damaged"]:
        screen.warn(f"stsfm compare: without {os.path.relpath(run.folder)}: {run.damage()}")
        chosen.remove(run)
    if not chosen:
        raise Mistake(f"no run in {home} matches {' '.join(args)}; `stsfm ls` shows what there is")
    lacking = set(wanted.get("model", [])) - {run.status["model"] for run in chosen}
    text = "\n".join(sorted(args))
    name = f"{chosen[0].status['data']}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    every = "--all-configs" in flags
    folder = write_comparison(chosen, name=name, screen=screen, every_config=every)
    if lacking:
        screen.warn(f"stsfm compare: no run of {', '.join(sorted(lacking))} matches")
    return folder


def write_comparison(
    runs: list[Record], *, name: str, screen: Screen, every_config: bool = False
) -> Path:
    """Put runs beside the baselines of their protocol: table in three formats, and its members."""
    home = runs[0].folder.parents[2]
    together = [*runs, *_baselines(runs, home)]
    together = list({run.folder.resolve(): run for run in together}.values())
    table = tabulate(together, tried=tried(runs[0]), every_config=every_config)
    folder = home / "_comparisons" / name
    write(folder / "table.csv", as_csv(table))
    write(folder / "table.md", as_markdown(table))
    write(folder / "table.tex", as_latex(table))
    kept = [os.path.relpath(run.folder, folder) for run in together]
    write_json(folder / "members.json", {"members": kept, "every_config": every_config})
    screen.say(table.status["headline"])
    screen.table(table)
    screen.say(f"→ {os.path.relpath(folder)}   table.md · table.tex · table.csv")
    return folder


def compared(folder: Path) -> list[Record]:
    """The runs of a comparison that was written, those that are still there."""
    names = Record(folder).read("members.json").get("members", [])
    return [run for name in names if (run := Record((folder / name).resolve())).status]


def _baselines(runs: list[Record], home: Path) -> list[Record]:
    """The very runs that these were put beside; else those that others of their protocol were."""
    prints = {run.status.get("fingerprint") for run in runs}
    alike = (run for run in records(home) if run.status.get("fingerprint") in prints)
    own = [member for run in runs for member in members(run)[1:]]
    found = own or [member for run in alike for member in members(run)[1:]]
    models = {run.status.get("model") for run in runs}
    newest = {
        run.status.get("settings"): run
        for run in sorted(records(home), key=lambda run: run.status.get("ended", 0))
        if run.state == "finished"
    }
    found = [newest.get(run.status.get("settings"), run) for run in found if run.status]
    return [run for run in found if run.status["model"] not in models]


def filters(args: Iterable[str], command: str) -> dict[str, list[str]]:
    """key=a,b → {key: [a, b]}."""
    found = {}
    for arg in args:
        key, equals, values = arg.partition("=")
        if not equals or not values:
            raise Mistake(f"wanted key=value, got {arg!r}, as in: stsfm {command} model=lstm,gru")
        found[key] = values.split(",")
    return found


def select(found: Iterable[Record], wanted: dict[str, list[str]]) -> list[Record]:
    """The records whose facts match every filter. Mistake where no run knows a key."""
    found = list(found)
    told = [facts(record) for record in found]
    known = {key for fact in told for key in fact}
    for key in wanted:
        if told and key not in known:
            raise Mistake(f"no run has a key {key!r}.{did_you_mean(key, known)}")
    return [
        record
        for record, fact in zip(found, told, strict=True)
        if all(_among(fact.get(key), values) for key, values in wanted.items())
    ]


def _among(fact: Any, values: list[str]) -> bool:
    """Is a fact one of the values as they were typed: 0.01 or 1e-2, false or False?"""
    return str(fact) in values or fact in [yaml.safe_load(value) for value in values]


def facts(record: Record) -> dict[str, Any]:
    """What a run can be filtered by: choices, fingerprint, state, every key of its config."""
    status, config = record.status, record.config
    data, model = record.folder.parts[-3:-1]
    keys = flatten({k: v for k, v in config.items() if k != "choices"})
    state = {"state": record.state, "protocol": status.get("fingerprint")}
    names = {"model": status.get("model", model), "data": status.get("data", data)}
    return keys | (config.get("choices") or {}) | names | state
