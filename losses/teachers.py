"""Who teaches a net: from the windows of a training to forecasts of them.

A simulator is the equation of the data, followed from the last state of each past. Of a past it may
see what the student never does: the state without the noise of observation, where the data keep it
as privileged. Vapnik & Izmailov, Learning using privileged information, JMLR 16 (2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from stsfm.datasets.equations.base import Equation
from stsfm.datasets.equations.flow import step
from stsfm.datasets.panel import Array, Forecast, Space
from stsfm.datasets.windows import RollingWindows

CLOSE = 1e-6  # of the spread of the states: so near are two solutions that are one
FINEST = 2**12  # steps from one row to the next


class Teacher(Protocol):
    """Forecasts of every window, (window, time, node, channel), in the units of the windows."""

    def __call__(self, windows: RollingWindows) -> Forecast: ...


@dataclass(frozen=True, kw_only=True)
class Simulator:
    """The data's own equation.

    state  where it starts: from the last row as it was `observed`, or as it was, `privileged`
    """

    data = frozenset({"equation"})

    state: Literal["observed", "privileged"]

    def __call__(self, windows: RollingWindows) -> Forecast:
        panel = windows.panel.only_targets()
        law = panel.about.law
        if law is None or len(law.channels) != panel.channels:
            raise ValueError(f"{panel.about.name} states no equation of all that is forecast")
        if panel.space.changes:
            raise ValueError("a simulator follows one graph, and this one changes in time")
        last = windows.origins + windows.offset - 1
        if self.state == "privileged":
            if (kept := panel.privileged) is None or kept.shape[-2:] != panel.values.shape[-2:]:
                raise ValueError(f"{panel.about.name} keeps no privileged states")
            start = kept[last]
        elif panel.mask[last].all():
            start = windows.transform.inverse(panel.values[last])
        else:
            raise ValueError("a simulator starts from whole rows, and pasts end in rows with gaps")
        rows = windows.origins[:, None] + windows.offset + np.arange(-1, windows.horizon)
        seconds = np.diff(panel.time[rows], axis=1) / 1e9  # (w, h)
        return Forecast(point=windows.transform.forward(_ahead(law, start, seconds, panel.space)))


def _ahead(law: Equation, start: Array, seconds: Array, space: Space) -> Array:
    """The states after `seconds` (w, h) each, (w, h, n, c): in steps as fine as are needed."""
    near, steps, before = CLOSE * start.std(), 1, None
    while steps <= FINEST:
        with np.errstate(over="ignore", invalid="ignore"):  # too coarse for a stiff equation
            made = _in_steps(law, start, seconds, space, steps)
        if before is not None and np.allclose(made, before, rtol=0, atol=near):
            return made
        before, steps = made, 2 * steps
    raise ValueError(f"{type(law).__name__} can't be followed over {seconds[0].sum():g} s")


def _in_steps(law: Equation, start: Array, seconds: Array, space: Space, steps: int) -> Array:
    out, now = [], start
    for size in seconds.T[..., None, None] / steps:  # (w, 1, 1)
        for _ in range(steps):
            now = step(law, now, size, space)
        out.append(now)
    return np.stack(out, 1)
