"""A model and a toy panel, on which its promises are checked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from stsfm import compose
from stsfm.build import build_model
from stsfm.datasets.equations.graphs import GraphHeat
from stsfm.datasets.panel import About, Array, Panel, Space
from stsfm.datasets.protocols.rolling import rolling
from stsfm.datasets.split import Split
from stsfm.models.base import Forecaster

SEASON, HORIZON, ROWS = 6, 4, 150
VAL, TEST = 100, 125  # first rows
CONTEXT = 12
LAW = GraphHeat(diffusivity=0.05, cooling=0.0)  # for models that follow one
QUICK = (
    "trainer.epochs=2", "trainer.lr=0.01", "trainer.batch_size=64", "trainer.update_epochs=1",
)  # fmt: skip


@dataclass(frozen=True)
class Subject:
    """A model under test: the words that choose it, such as model=lstm plugins=[mine]."""

    words: tuple[str, ...]

    @cached_property
    def config(self) -> dict[str, Any]:
        return self._config()

    @cached_property
    def split(self) -> Split:
        return split_of(toy())

    @cached_property
    def fitted(self) -> Forecaster:
        return self.make().fit(self.split.train, self.split.val)

    @property
    def draws(self) -> bool:
        """Does it draw random numbers?"""
        return "seed" in self.config

    def make(self, *more: str, calibration: int = 25) -> Forecaster:
        """As a run makes it: one without a distribution is given intervals."""
        rules = {"calibration": calibration, "gap": 0}
        return build_model(self._config(*more), lambda row: None, rules)

    def _config(self, *more: str) -> dict[str, Any]:
        config: dict[str, Any] = compose.config([*self.words, *QUICK, *more])["model"]
        return config | {"context": CONTEXT} if "context" in config else config


def toy() -> Panel:
    """Two nodes with a season, a trend and noise."""
    rng, t = np.random.default_rng(0), np.arange(ROWS)[:, None]
    season = np.sin(2 * np.pi * t / SEASON + np.arange(2))
    return panel_of(10 + season + 0.1 * rng.standard_normal((ROWS, 2)) + 0.01 * t)


def panel_of(table: Array) -> Panel:
    """A table (time, node) as users have them: NaN where nothing was observed; nodes in a row."""
    mask = np.isfinite(table)[..., None]
    names = tuple(f"n{i}" for i in range(table.shape[1]))
    return Panel(
        values=np.where(mask, table[..., None], 0),
        mask=mask,
        time=np.arange(len(table)) * 10**9,
        space=Space(adjacency=np.eye(table.shape[1], k=1) + np.eye(table.shape[1], k=-1)),
        about=About(name="toy", nodes=names, channels=("y",), season=SEASON, physics=LAW),
    )


def split_of(panel: Panel, refit: int | Literal["never"] = "never") -> Split:
    return rolling(panel, horizon=HORIZON, val=VAL, test=TEST, transform="log", refit=refit)
