"""What a search was allowed, what it spent, and what it chose, from search.json."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stsfm.reports.content import Block, Definitions, Mark, Paragraph, Words, grid
from stsfm.reports.facts import Fact, beside
from stsfm.search import told
from stsfm.tables.cells import METRIC
from stsfm.tables.sheet import NONE
from stsfm.words import listed


def chapter(folder: Path, into: Path) -> Iterator[Block]:
    """The budget, a row per model with default and tuned values, and every space; or nothing."""
    found = told.read(folder)
    if not found:
        return
    settings, models = found["settings"], found["models"]
    metric = METRIC[settings["metric"]].label
    place = f"{beside(into, folder / 'search.json')}#/settings"
    seeds = Fact(settings["tuning_seeds"], f"{place}/tuning_seeds", "list")
    yield Paragraph([
        f"Keys were chosen by validation {metric} alone, on seed ", seeds, ", which is none of the "
        "final seeds; no trial was scored on test. The budget is per model and the same for all. "
        "Every model with its default keys is in the tables, too."
    ])  # fmt: skip
    yield grid(
        f"Budget and outcome of the search; {metric} of validation.",
        ["model", "data", "sampler", "budget", "trials", "failed", "pruned", "seconds",
         "default", "tuned"],
        [_row(model) for model in models], "data", "sampler", "budget",
    )  # fmt: skip
    for model in models:
        yield Paragraph(
            [Mark(model["model"], "strong"), f" on {model['data']}: the space searched."]
        )
        yield Definitions([(key, _axis(key, axis, model)) for key, axis in model["space"].items()])
    if untuned := found.get("untuned"):
        yield Paragraph([f"Nothing to tune: {listed(list(dict.fromkeys(untuned)))}."])


def _row(model: Mapping[str, Any]) -> list[str]:
    counts, default, tuned = model["counts"], model["default"], model["tuned"]
    return [
        model["model"], model["data"], model["sampler"], model["budget"], str(model["total"]),
        *(str(counts.get(state, 0)) for state in ("failed", "pruned")), f"{model['seconds']:.1f}",
        _value(default), _value(tuned) if tuned else "the default",
    ]  # fmt: skip


def _value(part: Mapping[str, Any]) -> str:
    return NONE if part["value"] is None else f"{part['value']:.4g}"


def _axis(key: str, axis: str, model: Mapping[str, Any]) -> Words:
    """What a key could be, and what was best."""
    axis = axis.removeprefix(key).strip()
    if model["best"] is None:
        return [axis]
    best = model["trials"][model["best"]]["words"].get(key, "as it is")
    return [axis, "; best: ", Mark(str(best), "code")]
