"""A task in a line: the data, what is asked of them, and what was found in a user's file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stsfm.datasets.about import DAY
from stsfm.datasets.panel import Panel
from stsfm.datasets.split import Split, independent
from stsfm.plots import dates
from stsfm.refits import often
from stsfm.words import count, steps


def describe(split: Split) -> dict[str, Any]:
    """The task in a line and in the few numbers that tables and statuses repeat."""
    panel, about, rules = split.panel, split.panel.about, split.rules
    first, last = rules["test"]
    origins = len(split.test)
    free = independent(split.test.origins, rules["horizon"])
    power = f" · {rules['transform']}" if rules["transform"] != "none" else ""
    policy = f" · refit before {which}" if (which := often(rules["refit"])) else ""
    headline = (
        f"{about.name} · {steps(len(panel), about.step)} · {count(panel.nodes, 'node')} · "
        f"horizon {rules['horizon']} · test {stamp(panel, first)} … {stamp(panel, last - 1)}, "
        f"{count(origins, 'origin')} ({free} independent) · protocol {split.name} "
        f"{split.fingerprint}{power}{policy}"
        + (f" · season {rules['season']}" if "season" in rules else "")
        + "".join(f" · {line.partition(':')[0]}" for line in split.warned)
    )
    more = {
        "metrics": split.metrics, "views": [view.name for view in split.views],
        "warned": split.warned,
    }  # fmt: skip
    units = ", ".join(sorted({unit for unit in about.only_targets().units if unit})) or "data units"
    return {
        "headline": headline, "fingerprint": split.fingerprint, "horizon": rules["horizon"],
        "origins": origins, "independent": free, "units": units,
        "offered": sorted(set(about.kinds)), "family": about.family or about.name,
        "rules": dict(rules), **{name: list(told) for name, told in more.items() if told},
    }  # fmt: skip


def stamp(panel: Panel, row: int) -> str:
    """The date of a row, as fine as the stamps of the data; its number where there are none."""
    if not panel.about.step:
        return f"row {row}"
    days = panel.time / DAY
    return dates.stamp(days[row], days)


def noticed(panel: Panel, keys: Mapping[str, Any]) -> str:
    """What was found in a file of one's own, in a line; `keys` are those of data."""
    about, path = panel.about, keys["path"]
    odd = len(about.findings)
    file = path if "season" in keys else f"data={about.name} data.path={path}"
    found = f"{count(odd, 'finding')}, see stsfm check {file}" if odd else "clean"
    parts = [Path(path).name, rhythm(panel, keys), count(panel.nodes, "node"), missing(panel)]
    return " · ".join([*parts, found])


def rhythm(panel: Panel, keys: Mapping[str, Any]) -> str:
    """a row per hour, season 24 (inferred)"""
    step, season = panel.about.step, panel.about.season
    every = f"a row per {step}" if step else "rows without dates"
    inferred = " (inferred)" if keys.get("season") == "auto" else ""
    return f"{every}, " + (f"season {season}{inferred}" if season > 1 else f"no season{inferred}")


def missing(panel: Panel) -> str:
    share = 1 - float(panel.mask.mean())
    return f"{share:.1%} missing".replace("%", " %") if share else "none missing"
