"""A state space, composed of parts that were learned one after the other.

    ŷ = R ∘ T_y ∘ A ∘ Φ^H ∘ T_x ∘ E (x)

x (t, D) are the frames of the past: the D = nodes · channels values of each row, gaps filled by the
last value, before the first one by the mean of train. The stages are fitted in turn on train: E on
frames, T_x on states, Φ, a Forecaster, on the panel of the states, A on its forecasts beside what
came, T_y and R on pairs of states and frames. What the parts do is in parts.py; which of them go
together, legal.py tells. Papaioannou et al., Time-series forecasting using manifold learning,
radial basis function interpolation, and geometric harmonics, Chaos 32 (2022).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Self, final

import numpy as np

from stsfm.datasets.panel import About, Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.base import Forecaster
from stsfm.models.checkpoint import Store
from stsfm.models.parts import Align, Embedding, Lifting, Part, Transform


@final
class Composed(Forecaster):
    """Embed, transform, continue, align, transform, lift."""

    cite = "papaioannou2022"

    def __init__(
        self,
        store: Store | None = None,
        /,
        *,
        embedding: Embedding,
        transform_x: Transform,
        dynamics: Forecaster,
        align: Align,
        transform_y: Transform,
        lifting: Lifting,
    ) -> None:
        self.store = store
        self.embedding, self.transform_x, self.dynamics = embedding, transform_x, dynamics
        self.align, self.transform_y, self.lifting = align, transform_y, lifting
        self.tags = frozenset({"missing"}) | (dynamics.tags & {"known"})  # type: ignore[misc]

    @property
    def stages(self) -> dict[str, Part | Forecaster]:
        """The parts in the order of the data."""
        return {
            "embedding": self.embedding, "transform_x": self.transform_x,
            "dynamics": self.dynamics, "align": self.align,
            "transform_y": self.transform_y, "lifting": self.lifting,
        }  # fmt: skip

    @property
    def cites(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([self.cite, *(part.cite for part in self.stages.values())]))

    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        return self._learn(train, val)

    def refit(self, development: RollingWindows) -> Self:
        return self._learn(development, None)

    def update(self, windows: RollingWindows) -> Self:
        """The dynamics alone learn on: what the states mean stays."""
        self.dynamics.update(self._latent(windows))
        return self

    def _learn(self, train: RollingWindows, val: RollingWindows | None) -> Self:
        """Each stage on what the one before makes of train; without `val` again, as chosen."""
        panel, frame = train.panel, train.frame
        seen, values = panel.mask, panel.values
        self.mean_ = (values.sum(0) / np.maximum(seen.sum(0), 1)).reshape(-1)  # (D,)
        frames = self._frames(panel)
        self.embedding.fit(frames, frame)
        embedded = self.embedding.encode(frames)
        self.transform_x.fit(embedded, frame)
        states = self.transform_x.forward(embedded)
        self.size_ = states.shape[-1]  # of a state that is continued
        windows = self._latent(train)
        if val is None:
            self.dynamics.refit(windows)
        else:
            self.dynamics.fit(windows, self._latent(val))
        self.align.fit(*self._pairs(windows))
        self.transform_y.fit(states, frame)
        self.lifting.fit(self.transform_y.forward(states), frames[int(self.embedding.lost_) :])
        self._look_back()
        return self

    def predict(self, past: Panel, future: Panel) -> Forecast:
        made = self.dynamics.predict(self._states(past), self._ahead(future)).point[..., 0, :]
        made = self.transform_y.forward(self.align.align(made))
        frames = self.lifting.lift(made, self._back)  # (*b, h, D)
        frames = frames.reshape(*frames.shape[:-1], *past.values.shape[-2:])
        return Forecast(point=frames[..., past.about.target_index])

    def states(self, windows: RollingWindows) -> Mapping[str, Array]:
        """The states of the panel, forecasts of them, and which of those were drawn back."""
        latent = self._latent(windows)
        ahead = self.align.align(self.dynamics.backtest(latent).point[..., 0, :])
        outside = self.lifting.outside(self.transform_y.forward(ahead))
        return {
            **self.dynamics.states(latent),
            **self.embedding.shows(),
            "first_row": np.array(self.embedding.lost_),
            "z": latent.panel.values[:, 0],
            "z_ahead": ahead,
            **({} if outside is None else {"clamped": outside}),
        }

    # ---- between frames and states ---------------------------------------------------------------

    def _frames(self, panel: Panel) -> Array:
        """(*b, t, D), gaps filled by the last value, else by the mean of train."""
        flat = (*panel.values.shape[:-2], -1)
        values, seen = panel.values.reshape(flat), panel.mask.reshape(flat)
        if seen.all():
            return values.astype(np.float64)
        rows = np.where(seen, np.arange(seen.shape[-2])[:, None], -1)
        last = np.maximum.accumulate(rows, axis=-2)
        filled = np.take_along_axis(values, last.clip(0), axis=-2)
        return np.where(last >= 0, filled, self.mean_)

    def _states(self, panel: Panel) -> Panel:
        """The panel of the states: one node, a channel for each number of a state."""
        mask = panel.mask.reshape(*panel.mask.shape[:-2], -1)
        seen = self.embedding.seen(mask)
        states = self.transform_x.forward(self.embedding.encode(self._frames(panel)))
        if states.shape != seen.shape:  # transformed: what was observed is no longer told
            seen = np.ones(states.shape, bool)
        began = np.logical_or.accumulate(mask.any(-1), -1)[..., int(self.embedding.lost_) :]
        seen = seen & began[..., None]  # before a past begins there is no state
        return self._panel_of(np.where(seen, states, 0), seen, panel[int(self.embedding.lost_) :])

    def _ahead(self, future: Panel) -> Panel:
        """The frame of future states."""
        none = np.zeros((*future.values.shape[:-2], int(self.size_)))
        return self._panel_of(none, none.astype(bool), future)

    @staticmethod
    def _panel_of(states: Array, seen: Array, rows: Panel) -> Panel:
        names = tuple(f"z{k + 1}" for k in range(states.shape[-1]))
        shared = rows.known.shape[-2] == 1  # covariates of nodes are none of a state
        about = About(
            name="states",
            nodes=("state",),
            channels=names,
            season=rows.about.season,
            covariates=rows.about.covariates if shared else (),
            kinds=rows.about.kinds if shared else (),
        )
        known = rows.known if shared else None
        values, mask = states[..., None, :], seen[..., None, :]
        return Panel(values=values, mask=mask, time=rows.time, about=about, known=known)

    def _latent(self, windows: RollingWindows) -> RollingWindows:
        """The same windows, of states."""
        origins = windows.origins - int(self.embedding.lost_)
        return RollingWindows(
            panel=self._states(windows.panel),
            origins=origins[origins > 0],
            horizon=windows.horizon,
        )

    def _pairs(self, windows: RollingWindows) -> tuple[Array, Array]:
        """Forecasts of training windows beside what came, where the alignment needs them."""
        needed = "pairs" in self.align.needs
        windows = windows.subset(slice(None) if needed else slice(0, 0))
        came = windows.futures().values[..., 0, :]
        return (self.dynamics.backtest(windows).point[..., 0, :] if needed else came), came

    def _back(self, states: Array) -> Array:
        before = self.align.inverse(self.transform_y.inverse(states))
        return self.embedding.decode(self.transform_x.inverse(before))

    def _look_back(self) -> None:
        rows = self.dynamics.reads
        self.reads = None if rows is None else rows + int(self.embedding.lost_)

    # ---- what was learned ------------------------------------------------------------------------

    @property
    def parameters(self) -> int:
        return sum(part.parameters for part in self.stages.values())

    def save(self, folder: Path) -> None:
        super().save(folder)
        for name, part in self.stages.items():
            part.save(folder / name)

    def load(self, folder: Path) -> Self:
        super().load(folder)
        for name, part in self.stages.items():
            part.load(folder / name)
        self._look_back()
        return self
