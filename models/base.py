"""The one face of every model: learn from windows, then continue any past."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from stsfm.datasets.panel import Array, Forecast, Panel
from stsfm.datasets.windows import RollingWindows
from stsfm.models.learned import Learned


class Forecaster(Learned, ABC):
    """Learns from windows, then continues any past.

    Hyperparameters come at construction, data at fit. A model that draws random numbers takes a
    `seed`; one that takes none is deterministic, and is refitted before the test border.
    What a model learns it keeps in attributes whose names end with an underscore.

    Tags: `missing` it reads missing cells; `known` it reads covariates; `intervals` it forecasts a
    distribution; `graph` it reads the graph; `new_nodes` it learned nothing of a node by itself,
    and forecasts any other; `anchored` its states begin at the first row that it learned from, and
    so must every past.
    """

    cite: ClassVar[str]  # key of an entry in references.bib
    tags: ClassVar[frozenset[str]] = frozenset()  # of the words above

    offers: frozenset[str] = frozenset()  # as the dynamics of a state space: `gradient`, of a net
    needs: frozenset[str] = frozenset()  # of the state space, or the data (parts.py)

    calibrate_seconds: float = 0.0  # of `fit`, spent on intervals
    reads: int | None = None  # how many rows of past it sees; None = all up to the origin

    @abstractmethod
    def fit(self, train: RollingWindows, val: RollingWindows) -> Self:
        """Learn from `train`; choose on `val`, which may be empty."""

    def refit(self, development: RollingWindows) -> Self:
        """Learn again from everything before the test border, keeping what `fit` chose."""
        return self.fit(development, development.subset(slice(0, 0)))

    def update(self, windows: RollingWindows) -> Self:
        """Learn again as time goes on, keeping what `fit` chose: `protocol.refit`.

        `windows` are all that have ended by now; they begin with those learned from before. A model
        may start from what it knows: the default is to learn anew.
        """
        return self.refit(windows)

    @abstractmethod
    def predict(self, past: Panel, future: Panel) -> Forecast:
        """Continue `past` (*batch, time, node, channel) over the frame of `future`.

        `future` is blank: it gives the stamps, what is known ahead and the target channels.
        Where a past is shorter than what the model reads, its first rows are masked.
        """

    def backtest(self, windows: RollingWindows) -> Forecast:
        """Forecasts of all windows, (window, time, node, channel).

        Models that filter a series override this with one pass over it; a contract test holds
        both equal.
        """
        past, future = windows.look_back(self.reads).take(slice(None))
        return self.predict(past, future.blank())

    @property
    def cites(self) -> tuple[str, ...]:
        """All that it goes back to, itself first."""
        return (self.cite,)

    @property
    def intervals(self) -> dict[str, Any]:
        """Where its intervals come from: `kind` is native, conformal or none; and why."""
        return {"kind": "native" if "intervals" in self.tags else "none"}

    def lacks(self, offered: frozenset[str]) -> str:
        """What of the data it cannot do without, in a line; "" where they have it.

        offered  what the data have: graph, coords, lattice, equation
        """
        return ""

    def drawing(self) -> Mapping[str, Any]:
        """What it is made of, in plain words and numbers, for a figure; {} where that is no stack.

        `input` and `output` say what goes in and comes out, `layers` are as Stack.drawing has them,
        first to last, and `terms` are those of its loss: name, weight, and what Term.acts_on says.
        """
        return {}

    def states(self, windows: RollingWindows) -> Mapping[str, Array]:
        """What there is to see of its state space, for figures; {} where it has none.

        Of these names, those that it has: `z` (row, state), the states over the panel's rows from
        `first_row` (a whole number) on; `z_ahead` (window, step, state), forecasts of them;
        `clamped` bool (window, step), which of those a lifting drew back to the states of train;
        `eigenvalues` complex (k,) of one step; `singular_values` (k,); `components` (component,
        row), the last of them at the panel's last row, which add up to the series; `impulse`
        (step, output, input); `window` and `window_again` (row,), the last window before the first
        origin and what a state remembers of it.
        """
        return {}
