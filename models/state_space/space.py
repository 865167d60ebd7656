"""One state space: its stages learned in turn, each on what the one before makes of train.

Gaps of frames are filled by the last value, before the first one by the mean of train. The dynamics
are given the panel of the states (panels.py), the alignment learns from forecasts of training
windows beside what came, the lifting from pairs of states and frames of train. Where all are
trained at once, a net of them (joint.py) starts from that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any, Self, cast

import numpy as np

from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster
from stsfm.models.checkpoint import Store
from stsfm.models.learned import Learned
from stsfm.models.numerics.gaps import carried, means
from stsfm.models.parts import Align, Embedding, Lifting, Part, Transform
from stsfm.models.state_space.kept import Kept
from stsfm.models.state_space.panels import panel_of

Monitor = Callable[[Mapping[str, Any]], None]


class StateSpace(Learned):
    """The stages, and what goes from one to the next."""

    reads: int | None = None
    whole: Any = None  # the net of all stages, behind the face of a Forecaster
    together: bool = False  # whether that is what forecasts

    def __init__(
        self,
        stages: Mapping[str, Part | Forecaster],
        *,
        joint: bool,
        store: Store | None,
        monitor: Monitor,
    ) -> None:
        self.stages, self.joint, self.store, self.monitor = dict(stages), joint, store, monitor
        self.embedding = cast(Embedding, stages["embedding"])
        self.transform_x = cast(Transform, stages["transform_x"])
        self.dynamics = cast(Forecaster, stages["dynamics"])
        self.align = cast(Align, stages["align"])
        self.transform_y = cast(Transform, stages["transform_y"])
        self.lifting = cast(Lifting, stages["lifting"])
        for name, part in self.stages.items():
            if hasattr(part, "monitor"):
                part.monitor = partial(_told, monitor, name)
        if joint:
            from stsfm.models.state_space.joint import Joint  # torch comes with it

            self.whole = cast(Any, self.dynamics).around(partial(Joint, space=self), 1)
            self.whole.monitor = partial(_told, monitor, "joint")

    def learn(self, train: RollingWindows, val: RollingWindows | None) -> Self:
        """Each stage on what the one before makes of train; without `val` again, as chosen."""
        panel, frame, kept = train.panel, train.frame, Kept.of(self.store, train, val)
        self.mean_ = means(panel).reshape(-1)
        frames = self._frames(panel)
        kept.stage("embedding", self.embedding, lambda: self.embedding.fit(frames, frame))
        embedded = self.embedding.encode(frames)
        kept.stage("transform_x", self.transform_x, lambda: self.transform_x.fit(embedded, frame))
        states = self.transform_x.forward(embedded)
        self.size_ = states.shape[-1]  # of a state that is continued
        windows = self.latent(train)
        kept.stage("dynamics", self.dynamics, lambda: self._continue(windows, val))
        kept.stage("align", self.align, lambda: self.align.fit(*self._pairs(windows)))
        kept.stage("transform_y", self.transform_y, lambda: self.transform_y.fit(states, frame))
        lifted, came = self.transform_y.forward(states), frames[int(self.embedding.lost_) :]
        kept.stage("lifting", self.lifting, lambda: self.lifting.fit(lifted, came))
        self._look_back()
        if self.joint and val is not None:
            self.whole.fit(train, val)
            self.together = True
        return self

    def twin(self, label: str) -> StateSpace:
        """Another of the same parts, which learns by itself; `label` is put before its epochs."""
        shared = [self.store, self.monitor, *(getattr(p, "store", 0) for p in self.stages.values())]
        stages = deepcopy(self.stages, {id(one): one for one in shared})
        told = partial(_told, self.monitor, label)
        return StateSpace(stages, joint=self.joint, store=self.store, monitor=told)

    def update(self, windows: RollingWindows) -> None:
        if self.together:
            self.whole.update(windows)
        else:
            self.dynamics.update(self.latent(windows))

    def predict(self, past: Panel, future: Panel) -> Forecast:
        if self.together:
            return cast(Forecast, self.whole.predict(past, future))
        made = self.dynamics.predict(self._states(past), self._ahead(future))
        return self._lifted(made, past)

    def backtest(self, windows: RollingWindows) -> Forecast:
        """Embedded at once, where the states are the same as those of each past alone."""
        lost = int(self.embedding.lost_)
        same = self.reads is None or windows.panel.mask.all()
        if self.together or not same or windows.origins.min() <= lost:
            past, future = windows.look_back(self.reads).take(slice(None))
            return self.predict(past, future.blank())
        return self._lifted(self.dynamics.backtest(self.latent(windows)), windows.panel)

    def states(self, windows: RollingWindows) -> Mapping[str, Array]:
        """What there is to see: states, forecasts of them, and what the dynamics know of theirs."""
        if self.together:
            return {}
        latent = self.latent(windows)
        ahead = self.align.align(self.dynamics.backtest(latent).point[..., 0, :])
        mine = {
            "z": latent.panel.values[:, 0],
            "z_ahead": ahead,
            "first_row": np.int64(self.embedding.lost_),
        }
        outside = self.lifting.outside(self.transform_y.forward(ahead))
        clamped = {} if outside is None else {"clamped": outside}
        return {**self.dynamics.states(latent), **self.embedding.shows(), **mine, **clamped}

    # ---- between frames and states ---------------------------------------------------------------

    def latent(self, windows: RollingWindows) -> RollingWindows:
        """The same windows, of states."""
        origins = windows.origins - int(self.embedding.lost_)
        panel = self._states(windows.panel)
        return RollingWindows(panel=panel, origins=origins[origins > 0], horizon=windows.horizon)

    def _continue(self, windows: RollingWindows, val: RollingWindows | None) -> None:
        if val is None:
            self.dynamics.refit(windows)
        else:
            self.dynamics.fit(windows, self.latent(val))

    def _frames(self, panel: Panel) -> Array:
        """(*b, t, D), gaps filled by the last value, else by the mean of train."""
        return carried(panel, self.mean_).astype(np.float64)

    def _states(self, panel: Panel) -> Panel:
        """The panel of the states."""
        lost = int(self.embedding.lost_)
        mask = panel.mask.reshape(*panel.mask.shape[:-2], -1)
        seen = self.embedding.seen(mask)
        states = self.transform_x.forward(self.embedding.encode(self._frames(panel)))
        if states.shape != seen.shape:  # transformed: what was observed is no longer told
            seen = np.ones(states.shape, bool)
        began = np.logical_or.accumulate(mask.any(-1), -1)[..., lost:]
        seen = seen & began[..., None]  # before a past begins there is no state
        return panel_of(np.where(seen, states, 0), seen, panel[lost:])

    def _ahead(self, future: Panel) -> Panel:
        """The frame of future states."""
        none = np.zeros((*future.values.shape[:-2], int(self.size_)))
        return panel_of(none, none.astype(bool), future)

    def _pairs(self, windows: RollingWindows) -> tuple[Array, Array]:
        """Forecasts of training windows beside what came, where the alignment needs them."""
        needed = "pairs" in self.align.needs
        windows = windows.subset(slice(None) if needed else slice(0, 0))
        came = windows.futures().values[..., 0, :]
        return (self.dynamics.backtest(windows).point[..., 0, :] if needed else came), came

    def _lifted(self, made: Forecast, like: Panel) -> Forecast:
        """Forecasts of states as forecasts of the targets; nodes and channels are those of `like`.

        What Φ says besides the mean is lost on the way.
        """
        states = self.transform_y.forward(self.align.align(made.point[..., 0, :]))
        frames = self.lifting.lift(states, self._back)  # (*b, h, D)
        frames = frames.reshape(*frames.shape[:-1], *like.values.shape[-2:])
        return Forecast(point=frames[..., like.about.target_index])

    def _back(self, states: Array) -> Array:
        before = self.transform_x.inverse(self.transform_y.inverse(states))
        return self.embedding.decode(before)

    def _look_back(self) -> None:
        rows = self.dynamics.reads
        self.reads = None if rows is None else rows + int(self.embedding.lost_)
        if self.joint:
            self.whole.context = self.whole.reads = self.reads

    @property
    def report(self) -> Mapping[str, Any]:
        """How the training went: of all stages, else of the dynamics."""
        return getattr(self.whole if self.together else self.dynamics, "report", {})

    # ---- what was learned ------------------------------------------------------------------------

    @property
    def parameters(self) -> int:
        if self.together:
            return int(self.whole.parameters)
        return sum(part.parameters for part in self.stages.values())

    def save(self, folder: Path) -> None:
        super().save(folder)
        for name, part in self.stages.items():
            part.save(folder / name)
        if self.together:
            self.whole.save(folder / "joint")

    def load(self, folder: Path) -> Self:
        super().load(folder)
        for name, part in self.stages.items():
            part.load(folder / name)
        self._look_back()
        if self.joint:
            self.whole.load(folder / "joint")
            self.together = True
        return self


def _told(monitor: Monitor, where: str, row: Mapping[str, Any]) -> None:
    """An epoch, and of which stage it is; of which series before."""
    monitor({**row, "stage": " ".join(filter(None, [where, row.get("stage")]))})
