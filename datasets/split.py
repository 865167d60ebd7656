"""A panel cut by a protocol, and the fingerprint of what makes scores comparable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stsfm.datasets.panel import About, Array, Panel
from stsfm.datasets.transform import Transform
from stsfm.datasets.windows import RollingWindows


@dataclass(frozen=True, kw_only=True)
class Split:
    """A panel cut by a protocol. Windows are in transformed units, `panel` in data units."""

    name: str
    panel: Panel
    transform: Transform  # of the target channels
    prepare: Transform  # of every channel: what the windows were made with
    train: RollingWindows
    val: RollingWindows
    test: RollingWindows
    development: RollingWindows  # train and validation: all before the test border
    rules: Mapping[str, Any]  # every rule, resolved: rows, horizon, stride, transform, …

    def truth(self, windows: RollingWindows) -> RollingWindows:
        """The same windows in data units, untouched by the transform."""
        return RollingWindows(
            panel=self.panel,
            origins=windows.origins,
            horizon=windows.horizon,
            offset=windows.offset,
        )

    @property
    def about(self) -> About:
        """Of the panel."""
        return self.panel.about

    @cached_property
    def digest(self) -> str:
        """sha256 of the data; a large panel is read for it once."""
        return panel_digest(self.panel)

    @cached_property
    def fingerprint(self) -> str:
        """Six hex digits of what makes scores comparable; a model's look-back is no part of it."""
        return fingerprint(self.panel.about, self.digest, self.rules)


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


def panel_digest(panel: Panel) -> str:
    """sha256 over the bytes of all that was observed, and where, and of what is fixed in it."""
    digest = hashlib.sha256()
    for array in (panel.values, panel.mask, panel.time, panel.known, panel.privileged):
        if array is not None:
            digest.update(str((array.shape, str(array.dtype))).encode())
            digest.update(np.ascontiguousarray(array).data)
    for array in (panel.space.adjacency, panel.space.coords):
        if array is not None:
            digest.update(np.ascontiguousarray(array).data)
    about, space = panel.about, panel.space
    if space.coords is not None:
        digest.update(f"{space.geometry} in {space.units}".encode())
    for constants in (about.static, about.physics):
        for name, constant in sorted(constants.items()):
            digest.update(f"{name} {np.asarray(constant).tolist()}".encode())
    return digest.hexdigest()


def independent(origins: Array, horizon: int) -> int:
    """How many of the origins have futures that do not overlap."""
    count, free = 0, -1
    for origin in origins:
        if origin >= free:
            count, free = count + 1, int(origin) + horizon
    return count
