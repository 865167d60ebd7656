"""A panel cut by a protocol, and the fingerprint of what makes scores comparable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from stsfm.datasets.beyond import extended
from stsfm.datasets.panel import About, Array, Panel
from stsfm.datasets.storage.digests import remembered
from stsfm.datasets.storage.rows import chunks, mapped
from stsfm.datasets.transform import Transform
from stsfm.datasets.windows import RollingWindows


class View(NamedTuple):
    """A part of what is scored that has scores of its own, such as "15 min" of an hour ahead."""

    name: str
    steps: tuple[int, int]  # from the first to before the last
    windows: int | None = None  # only the first so many of a split; None = all


@dataclass(frozen=True, kw_only=True)
class Split:
    """A panel cut by a protocol. Windows are in transformed units, `panel` in data units.

    views    parts of the cells that are scored on their own, beside all of them together
    metrics  those that the tables of the protocol show, the first orders them; () = the house's
    warned   what a reader has to be told before the numbers: an oracle, a dropped batch
    """

    name: str
    panel: Panel
    transform: Transform  # of the target channels
    prepare: Transform  # of every channel: what the windows were made with
    train: RollingWindows
    val: RollingWindows
    test: RollingWindows
    development: RollingWindows | None  # all before the test border; None: train is fitted to
    rules: Mapping[str, Any]  # every rule, resolved: rows, horizon, stride, transform, …
    views: tuple[View, ...] = ()
    metrics: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()

    def truth(self, windows: RollingWindows) -> RollingWindows:
        """The same windows in data units, untouched by the transform."""
        return RollingWindows(
            panel=self._longest if len(windows.panel) > len(self.panel) else self.panel,
            origins=windows.origins,
            horizon=windows.horizon,
            offset=windows.offset,
        )

    @cached_property
    def _longest(self) -> Panel:
        """The panel with the rows that the protocol put behind it."""
        return extended(self.panel, len(self.test.panel) - len(self.panel))

    @property
    def about(self) -> About:
        """Of the panel."""
        return self.panel.about

    @cached_property
    def digest(self) -> str:
        """sha256 of the data and its graph; a large panel is read for it once."""
        return panel_digest(self.panel, self.series)

    @cached_property
    def series(self) -> str:
        """sha256 of the data without the graph, which is but one of the things a model may read."""
        return series_digest(self.panel)

    @cached_property
    def fingerprint(self) -> str:
        """Six hex digits of what makes scores comparable.

        A model's look-back is no part of it, nor is the graph: `data.space` is an ablation of one
        task.
        """
        return fingerprint(self.panel.about, self.series, self.rules)


def fingerprint(about: About, digest: str, rules: Mapping[str, Any]) -> str:
    """Digest of the data, targets, covariates, units and rules."""
    parts = {
        "data": digest,
        "targets": about.targets,
        "units": about.units,
        "covariates": list(zip(about.covariates, about.kinds, strict=True)),
        "season": about.season,
        "rules": dict(rules),
    }
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:6]


def panel_digest(panel: Panel, series: str = "") -> str:
    """sha256 of the series and of the graph that a model may read."""
    series = series or series_digest(panel)
    if panel.space.adjacency is None and panel.space.graph == "given":
        return series
    digest = hashlib.sha256(f"{series} {panel.space.graph}".encode())
    if panel.space.adjacency is not None:
        digest.update(np.ascontiguousarray(panel.space.adjacency).data)
    return digest.hexdigest()


def series_digest(panel: Panel) -> str:
    """sha256 over the bytes of all that was observed, and where, and of what is fixed in it.

    Of files that are too large for memory it is kept: they are read again when they have changed.
    """
    if not mapped(panel.values):
        return _series_digest(panel)
    static = panel.about.static
    held = (panel.values, panel.mask, panel.time, panel.known, panel.privileged, panel.space.coords)
    law = np.frombuffer(_law(panel.about), np.uint8)
    return remembered(
        [*held, *(np.asarray(static[name]) for name in sorted(static)), law],
        of=lambda: _series_digest(panel),
    )


def _series_digest(panel: Panel) -> str:
    digest = hashlib.sha256()
    for array in (panel.values, panel.mask, panel.time, panel.known, panel.privileged):
        if array is not None:
            digest.update(str((array.shape, str(array.dtype))).encode())
            for rows in chunks(array):
                digest.update(np.ascontiguousarray(array[rows]).data)
    about, space = panel.about, panel.space
    if space.coords is not None:
        digest.update(np.ascontiguousarray(space.coords).data)
        digest.update(f"{space.geometry} in {space.units}".encode())
    for name, constant in sorted(about.static.items()):
        digest.update(f"{name} {np.asarray(constant).tolist()}".encode())
    if about.physics is not None:
        digest.update(_law(about))
    return digest.hexdigest()


def _law(about: About) -> bytes:
    """The equation that is stated, with its constants."""
    return b"" if about.physics is None else repr(about.physics).encode()


def independent(origins: Array, horizon: int) -> int:
    """How many of the origins have futures that do not overlap."""
    count, free = 0, -1
    for origin in origins:
        if origin >= free:
            count, free = count + 1, int(origin) + horizon
    return count
