"""The rows that a kept run forecasts from: its own, its own and more, or others that fit it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from stsfm.build import build
from stsfm.datasets.beyond import extended, onward
from stsfm.datasets.calendar import FEATURES, add_calendar
from stsfm.datasets.panel import Array, Panel, Space
from stsfm.datasets.protocol import panel_digest
from stsfm.datasets.transform import Transform
from stsfm.headline import stamp
from stsfm.mistakes import Mistake
from stsfm.models.base import Forecaster
from stsfm.record import Record
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
        said = f"{more} rows have come to the data since the run was made"
        return panel, [said] if more else []
    kept = run.read("data.json")
    panel = data if isinstance(data, Panel) else _built(_config(run, data, overrides))
    panel = add_calendar(panel, _features(kept))
    _agree(panel, kept)
    try:
        before = _own(run).history()
    except (Mistake, OSError):  # not there any more, or not the same
        return panel, []
    if panel.time[0] <= before.time[-1]:
        return panel, []
    return _joined(before, panel), [f"{panel.about.name} goes on where the run's data end"]


def _own(run: Record) -> Panel:
    """The data of the run as they are now. Mistake where its rows are others than then."""
    kept = run.read("data.json")
    panel = add_calendar(_built(run.config["data"]), _features(kept))
    if panel_digest(panel.upto(kept["rows"])) != kept["panel_sha256"]:
        raise Mistake(
            f"the data of {os.path.relpath(run.folder)} are no longer those that it was made from; "
            "name the rows to forecast from with data=…, or make a run of the new ones"
        )
    return panel


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


def _joined(before: Panel, panel: Panel) -> Panel:
    """The nodes of `panel`, with the rows of `before` in front of its own."""
    before = arranged(before, panel.about.nodes)
    between = _between(before.time, panel.time[0], panel.about.name)
    held = extended(before, between) if between else before
    join = lambda name: np.concatenate([getattr(held, name), getattr(panel, name)])  # noqa: E731
    return replace(
        panel,
        values=join("values"),
        mask=join("mask"),
        time=join("time"),
        known=join("known"),
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


def arranged(panel: Panel, nodes: Sequence[str]) -> Panel:
    """The panel with these nodes in this order; those that it lacks were never observed."""
    if tuple(nodes) == panel.about.nodes:
        return panel
    index, there = _places(panel.about.nodes, nodes)
    mask = panel.mask[:, index] & there
    return replace(
        panel,
        values=np.where(mask, panel.values[:, index], 0),
        mask=mask,
        known=panel.known[:, index] if panel.known.shape[1] > 1 else panel.known,
        privileged=None,
        space=Space(),
        about=replace(panel.about, nodes=tuple(nodes), static={}),
    )


def _places(known: Sequence[str], wanted: Sequence[str]) -> tuple[Array, Array]:
    """Where each wanted name stands among the known ones (node,), and which do (node, 1)."""
    places = {name: place for place, name in enumerate(known)}
    index = np.array([places.get(name, -1) for name in wanted])
    return index, (index >= 0)[:, None]


def seated(
    panel: Panel, kept: Mapping[str, Any], model: Forecaster, name: str, *, anew: bool
) -> Panel:
    """The panel with the nodes that a model is to see. Mistake where it can't read them.

    A model that learned nothing of a node by itself takes the panel's own. Another needs those of
    the run, of which some may lack where it reads missing cells. `anew`: it is to learn again.
    """
    about, nodes = panel.about, kept["node_names"]
    if not panel.history().mask.all() and "missing" not in model.tags:
        raise Mistake(f"{name} can't read missing cells, and {about.name} has some")
    if "anchored" in model.tags and not anew and stamp(panel, 0) != kept["first"]:
        raise Mistake(
            f"{name} goes on from the first row that it learned from, {kept['first']}, and "
            f"{about.name} begins {stamp(panel, 0)}; give the rows between, or refit=all"
        )
    if "new_nodes" in model.tags:
        return panel
    unknown, lacking = set(about.nodes) - set(nodes), set(nodes) - set(about.nodes)
    if unknown or (lacking and "missing" not in model.tags):
        raise Mistake(
            f"{name} learned each node by itself and knows {listed(nodes)}; {about.name} has "
            f"{listed(about.nodes)}"
        )
    return arranged(panel, nodes)


def scaled(
    transform: Transform, nodes: Sequence[str], read: Panel, rules: Mapping[str, Any]
) -> Transform:
    """The transform for the nodes of a panel; those that the run did not have are fitted on it.

    `read` are the rows that the model reads.
    """
    if tuple(nodes) == read.about.nodes:
        return transform
    fresh = Transform.fit(read, power=rules["transform"], scaling=rules["scaling"]).arrays()
    index, there = _places(nodes, read.about.nodes)
    merged = {
        name: np.where(there, np.broadcast_to(array, (len(nodes), array.shape[-1]))[index], new)
        for (name, array), new in zip(transform.arrays().items(), fresh.values(), strict=True)
        if not name.startswith("known") or read.known.shape[-2] > 1
    }
    return replace(transform, **merged)


def ahead(panel: Panel, kept: Mapping[str, Any]) -> Panel:
    """The observed rows and as many behind them as the horizon has, with what is known of those.

    Calendar features are computed. Mistake where another covariate of one of them is unknown.
    """
    horizon, features = kept["rules"]["horizon"], _features(kept)
    rows = len(panel.history())
    if not rows:
        raise Mistake(f"{panel.about.name} has no observed row to forecast from")
    given = panel.upto(rows + horizon)
    lacking = rows + horizon - len(given)
    if not lacking:
        return given
    try:
        whole = extended(given, lacking)
    except ValueError as error:
        raise Mistake(f"{panel.about.name}: {error}") from error
    others = [name for name in kept["covariates"] if name.rpartition(" ")[0] not in features]
    if others:
        first, last = stamp(whole, len(given)), stamp(whole, len(whole) - 1)
        raise Mistake(
            f"{listed(others)} must be known from {first} to {last}, and "
            f"{panel.about.name} ends before; append those rows with empty targets"
        )
    return add_calendar(whole, features)
