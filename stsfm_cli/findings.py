"""What is found in data of which nothing is forecast: how its record opens, whoever looks."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from stsfm.build import build
from stsfm.datasets.panel import Panel
from stsfm.datasets.protocols.borders import with_season
from stsfm.environment import environment
from stsfm.files import write, write_json
from stsfm.headline import missing, stamp
from stsfm.record import Record
from stsfm.words import count, steps


def looked_at(data: Mapping[str, Any]) -> Panel:
    """All rows of a dataset that were measured, with their season."""
    panel: Panel = build(data, path="data")
    return with_season(panel.history(), len(panel))


def headline(panel: Panel, who: str) -> str:
    """The data in a line, and who looks at them: detector pelt."""
    about, last = panel.about, len(panel) - 1
    return (
        f"{about.name} · {steps(len(panel), about.step)} · {count(panel.nodes, 'node')} · "
        f"{count(len(about.targets), 'channel')} · {stamp(panel, 0)} … {stamp(panel, last)} · "
        f"{missing(panel)} · {who}"
    )


def preface(
    record: Record,
    config: Mapping[str, Any],
    groups: Iterable[str],
    command: str,
    words: Sequence[str],
) -> None:
    """What it is made of, before anything is computed.

    groups  whose choices and keys the numbers are made of, besides data, seed and plugins
    """
    groups = [*groups, "data"]
    kept = {key: config[key] for key in (*groups, "seed", "plugins") if key in config}
    kept["choices"] = {group: config["choices"][group] for group in groups}
    made_of = yaml.safe_dump(kept, sort_keys=False, allow_unicode=True)
    write(record.folder / "config.yaml", made_of)
    write(record.folder / "command.txt", shlex.join(["stsfm", command, *words]) + "\n")
    write_json(record.folder / "environment.json", environment(config["hardware"]["threads"]))
