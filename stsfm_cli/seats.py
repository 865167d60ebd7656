"""Nodes of other data in the places that a kept run has for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from stsfm.datasets.panel import Array, Panel, Space
from stsfm.datasets.transform import Transform
from stsfm.headline import stamp
from stsfm.mistakes import Mistake
from stsfm.models.base import Forecaster
from stsfm.words import listed


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
        if not name.startswith("known") or max(len(array), read.known.shape[-2]) > 1
    }
    return replace(transform, **merged)
