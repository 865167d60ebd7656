"""What an experiment sweeps, and what a comparison is called.

# @package _global_
sweep: {model: [rnn, gru], model.hidden: [32, 64], seeds: 3}

A list of such tables is all of their jobs: what is no single product of keys.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from stsfm import options
from stsfm.compose import door
from stsfm.compose.overrides import Override, allowed, names
from stsfm.mistakes import Mistake
from stsfm.request import Request, spell_out, typed
from stsfm.trust import TYPED

GROUP = "experiment"
READERS = {"tabular", "grid", "mapped"}  # datasets that are called as their file is
UNTOLD = (  # no part of what a comparison is about
    "fail_fast", "force", "launcher", "loggers", "plugins", "retries", "runs_dir",
)  # fmt: skip


def texts(
    sweep: Mapping[str, Any], experiment: Override, groups: dict[str, list[str]]
) -> list[str]:
    """The overrides that stand for what an experiment sweeps.

    A list has a value per job; text is read as it would be on the command line.
    """
    if not isinstance(sweep, Mapping):
        raise Mistake(f"sweep of {experiment.input_line}: wanted a key and its values, got {sweep}")
    try:
        found = [allowed(door.parse(text), groups) for text in spell_out(_typed(sweep))]
    except Mistake as mistake:
        raise Mistake(f"sweep of {experiment.input_line}: {mistake}") from mistake
    return [text for text in found if text]


def check(hydra: Mapping[str, Any]) -> None:
    """Mistake where a file sweeps in Hydra's way, which would not be seen here."""
    if hydra["sweeper"].get("params"):
        raise Mistake(
            "hydra.sweeper.params is not read: an experiment sweeps by a key at its root, "
            "sweep: {model: [rnn, gru], seed: [1, 2]}"
        )


def name(request: Request, line: Iterable[Override]) -> str:
    """airline_classic, an experiment as it is; else airline-1f0c9a3b: what is compared on, and a
    digest of the overrides in any order."""
    told = sorted(text for text in request.overrides if not _untold(text))
    chosen = {override.key_or_group: names(override) for override in line}
    experiment = [name for name in chosen.get(GROUP, []) if name != "null"]
    if experiment and [text.partition("=")[0].lstrip("+") for text in told] == [GROUP]:
        return experiment[0]
    digest = hashlib.sha256("\n".join(told).encode()).hexdigest()[:8]
    data = chosen.get("data") or [options.defaults()["data"]]
    if set(data) <= READERS:
        data = [Path(name).stem for name in chosen.get("data.path", data)]
    on = experiment or data
    label = "+".join(on) if len(on) < 4 else f"{on[0]}+{len(on) - 1}_more"
    return f"{label}-{digest}"


def _typed(sweep: Mapping[str, Any]) -> Iterator[str]:
    for key, value in sweep.items():
        if re.split(r"[./]", key.lstrip("+"))[0] in (*TYPED, GROUP, "retries", "fail_fast"):
            raise Mistake(f"{key} can't be swept; only the command line sets it")
        if isinstance(value, Mapping) or value == []:
            raise Mistake(f"{key}: wanted a list of values, got {value!r}")
        values = value if isinstance(value, list) else [value]
        yield f"{key}={value if isinstance(value, str) else ','.join(map(typed, values))}"


def _untold(text: str) -> bool:
    return text.lstrip("+").partition("=")[0].partition(".")[0] in UNTOLD
