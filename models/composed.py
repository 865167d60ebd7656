"""A state space of interchangeable parts.

    ŷ = R ∘ T_y ∘ A ∘ Φ^H ∘ T_x ∘ E (x)

x (t, D) are the frames of the past: the D = nodes · channels values of each row. E embeds, T_x
transforms, Φ continues, A aligns, T_y transforms again, R lifts. mixing: series gives each node
and target channel a state space of its own. Parts are learned one after the other (staged); where
all of them are differentiable, these weights are where a training of all at once begins (joint).
What parts do is in parts.py, which of them go together in legal.py, how they are fitted in
state_space/. Papaioannou et al., Time-series forecasting using manifold learning, radial basis
function interpolation, and geometric harmonics, Chaos 32 (2022).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self, final

from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models import legal
from stsfm.models.base import Forecaster
from stsfm.models.checkpoint import Store
from stsfm.models.parts import Align, Embedding, Lifting, Part, Transform
from stsfm.models.state_space.apart import Apart
from stsfm.models.state_space.space import Monitor, StateSpace


@final
class Composed(Forecaster):
    """Embed, transform, continue, align, transform, lift."""

    cite = "papaioannou2022"
    classes = frozenset({"state-space"})

    def __init__(
        self,
        monitor: Monitor = lambda row: None,
        store: Store | None = None,
        /,
        *,
        embedding: Embedding,
        transform_x: Transform,
        dynamics: Forecaster,
        align: Align,
        transform_y: Transform,
        lifting: Lifting,
        mixing: Literal["joint", "series"],
        training: Literal["staged", "joint"],
    ) -> None:
        self.mixing, self.training = mixing, training
        self.stages: Mapping[str, Part | Forecaster] = {
            "embedding": embedding, "transform_x": transform_x, "dynamics": dynamics,
            "align": align, "transform_y": transform_y, "lifting": lifting,
        }  # fmt: skip
        if why := legal.refused(self.stages, joint=training == "joint"):
            raise legal.Refused(why)
        space = StateSpace(self.stages, joint=training == "joint", store=store, monitor=monitor)
        self.space = Apart(space) if mixing == "series" else space
        self.needs = frozenset().union(*(part.needs for part in self.stages.values()))
        graph = {"graph"} & self.needs
        self.tags = frozenset({"missing", *graph, *(dynamics.tags & PASSED)})  # type: ignore[misc]

    def lacks(self, offered: frozenset[str]) -> str:
        if self.mixing == "series" and self.needs & {*legal.DATA, "frames"}:
            return "mixing=series leaves each series alone: no part can read the space or others"
        return legal.lacking(self.stages, offered)

    @property
    def cites(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([self.cite, *(part.cite for part in self.stages.values())]))

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        return self._learn(train, val)

    def refit(self, development: RollingWindows) -> Self:
        return self._learn(development, None)

    def _learn(self, train: RollingWindows, val: RollingWindows | None) -> Self:
        if why := self.lacks(legal.offered(train.panel)):
            raise ValueError(why)
        self.space.learn(train, val)
        self.reads = self.space.reads
        return self

    def update(self, windows: RollingWindows) -> Self:
        """The dynamics alone learn on: what the states mean stays."""
        self.space.update(windows)
        return self

    def predict(self, past: Panel, future: Panel) -> Forecast:
        return self.space.predict(past, future)

    def backtest(self, windows: RollingWindows) -> Forecast:
        return self.space.backtest(windows)

    def states(self, windows: RollingWindows) -> Mapping[str, Array]:
        return self.space.states(windows)

    @property
    def report(self) -> Mapping[str, object]:
        """How the last training by gradients went; {} where there was none."""
        return self.space.report

    @property
    def parameters(self) -> int:
        return self.space.parameters

    def save(self, folder: Path) -> None:
        self.space.save(folder)

    def load(self, folder: Path) -> Self:
        self.space.load(folder)
        self.reads = self.space.reads
        return self


PASSED = {"known", "anchored"}  # tags of the dynamics that are those of the whole
