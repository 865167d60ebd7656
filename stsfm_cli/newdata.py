"""The rows that a kept run forecasts from: its own, its own and more, or others that fit it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from stsfm import given
from stsfm.build import build
from stsfm.datasets.beyond import extended, onward
from stsfm.datasets.calendar import FEATURES, add_calendar
from stsfm.datasets.panel import Array, Panel
from stsfm.datasets.protocols.traffic import measured
from stsfm.datasets.split import panel_digest
from stsfm.headline import stamp
from stsfm.mistakes import Mistake
from stsfm.record import Record
from stsfm.seats import arranged
from stsfm.words import listed


def gathered(
    run: Record, data: str | Panel | None, overrides: Sequence[str]
) -> tuple[Panel, list[str]]:
    """All rows in data units, observed and ahead, and what is to be said of them.

    None = the run's own data, whose rows must be the same as then; more may stand behind them.
    Other data go on where the run's end, or stand for them.
    """
    if data is None:
        panel = _own(run)
        more = len(panel.history()) - run.read("data.json")["rows"]
        said = f"{more} rows have come behind those of the run"
        return panel, [said] if more else []
    kept = run.read("data.json")
    panel = data if isinstance(data, Panel) else _built(_config(run, data, overrides))
    panel = _seen(panel, run)
    _agree(panel, kept)
    try:
        own = _own(run)
    except (Mistake, OSError):  # not there any more, or not the same
        return panel, []
    if panel.time[0] <= own.history().time[-1]:
        return panel, []
    before = own.upto(int(np.searchsorted(own.time, panel.time[0])))
    joined = _joined(before, panel, _features(kept))
    return joined, [f"{panel.about.name} goes on where the run's data end"]


def _own(run: Record) -> Panel:
    """The data of the run as they are now. Mistake where its rows are others than then."""
    kept = run.read("data.json")
    panel = _seen(_built(run.config["data"]), run)
    if panel_digest(panel.upto(kept["rows"])) != kept["panel_sha256"]:
        raise Mistake(
            f"the data of {os.path.relpath(run.folder)} are no longer those that it was made from; "
            "name the rows to forecast from with data=…, or make a run of the new ones"
        )
    return panel


def _seen(panel: Panel, run: Record) -> Panel:
    """The panel as the run has it: with its calendar, without such zeros, and of the same law."""
    kept = run.read("data.json")
    if (law := run.config.get("given")) is not None:
        panel = given.again(panel, law, kept["given"])
    panel = measured(panel, kept["rules"].get("zeros", "observed"))
    return add_calendar(panel, _features(kept))


def _features(kept: Mapping[str, Any]) -> list[str]:
    """The calendar features that the protocol added to the data."""
    names = [name.removesuffix(" sin") for name in kept["covariates"]]
    return [name for name in names if name in FEATURES]


def _config(run: Record, data: str, overrides: Sequence[str]) -> dict[str, Any]:
    """The config of the data; of a dataset of the same kind, what is not said is as in the run."""
    from stsfm import compose, request

    mine, words = run.config["data"], [f"data={data}", *overrides]
    found: dict[str, Any] = compose.config(words)["data"]
    if found["_target_"] != mine["_target_"]:
        return found
    long = [word.partition("=")[0] for word in request.read(words).overrides]
    said = {key.split(".")[1] for key in long if key.startswith("data.")}
    return mine | {key: value for key, value in found.items() if key in said}


def _built(config: Mapping[str, Any]) -> Panel:
    panel: Panel = build(config, path="data")
    return panel


def _agree(panel: Panel, kept: Mapping[str, Any]) -> None:
    """Mistake unless the panel's columns mean what those of the run do."""
    about = panel.about
    pairs = {
        "channels": (about.channels, kept["channels"]),
        "targets": (about.targets, kept["targets"]),
        "covariates": (about.covariates, kept["covariates"]),
        "step": ([about.step], [kept["step"]]),
    }
    for what, (got, wanted) in pairs.items():
        if list(got) != list(wanted):
            raise Mistake(
                f"the {what} of {about.name} are {listed(got)}, and those of the run were "
                f"{listed(wanted)}"
            )


def _joined(before: Panel, panel: Panel, features: Sequence[str]) -> Panel:
    """The nodes of `panel`, with the rows of `before` in front of its own."""
    before = arranged(before, panel.about.nodes)
    between = _between(before.time, panel.time[0], panel.about.name)
    held = _longer(before, between, features) if between else before
    join = lambda name: np.concatenate([getattr(held, name), getattr(panel, name)])  # noqa: E731
    width = max(held.known.shape[1], panel.known.shape[1])  # 1 where all nodes share what is known
    known = [np.broadcast_to(x, (len(x), width, x.shape[-1])) for x in (held.known, panel.known)]
    return replace(
        panel,
        values=join("values"),
        mask=join("mask"),
        time=join("time"),
        known=np.concatenate(known),
        privileged=None,
        space=replace(panel.space, adjacency=None) if panel.space.changes else panel.space,
    )


def _between(time: Array, first: int, name: str) -> int:
    """How many rows are missing between the last stamp and another."""
    count = 0
    while (ahead := onward(time, 2 * count + 1))[-1] < first:
        count = 2 * count + 1
    if first not in ahead:
        at = np.array([first]).astype("M8[ns]").astype("M8[s]")[0]
        raise Mistake(f"the rows of {name} begin at {at}, which is no step of the run's data")
    return int(np.searchsorted(ahead, first))


def ahead(panel: Panel, kept: Mapping[str, Any]) -> Panel:
    """The observed rows and as many behind them as the horizon has, with what is known of those.

    Calendar features are computed. Mistake where another covariate of one of them is unknown.
    """
    horizon, rows = kept["rules"]["horizon"], len(panel.history())
    if not rows:
        raise Mistake(f"{panel.about.name} has no observed row to forecast from")
    given = panel.upto(rows + horizon)
    lacking = rows + horizon - len(given)
    return _longer(given, lacking, _features(kept)) if lacking else given


def _longer(panel: Panel, rows: int, features: Sequence[str]) -> Panel:
    """The panel with unobserved rows behind it, whose calendar features are computed.

    Mistake where another covariate of theirs is unknown.
    """
    about = panel.about
    try:
        whole = extended(panel, rows)
    except ValueError as error:
        raise Mistake(f"{about.name}: {error}") from error
    if others := [name for name in about.covariates if name.rpartition(" ")[0] not in features]:
        first, last = stamp(whole, len(panel)), stamp(whole, len(whole) - 1)
        raise Mistake(
            f"{listed(others)} must be known from {first} to {last}, and {about.name} ends before; "
            "append those rows with empty targets"
        )
    return add_calendar(whole, features)
