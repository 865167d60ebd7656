"""How the state of an equation lies in the cells of data.

as it is    (…, node, channel)       as many channels as the equation moves
by nodes    (…, 1, channel)          a series for each of its channels, of the same names
apart       (…, channel, node, 1)    a field: each channel of the data is one of its own
positions   (…, node, 2)             of a motion of which only the positions were observed
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from stsfm.datasets.about import About, Array
from stsfm.datasets.equations.base import Equation, Motion


class Arrangement(NamedTuple):
    """The way from cells (…, node, channel) to a state, and back."""

    words: str
    inward: Callable[[Array], Array]  # also of a mask: what is not among the cells is False, or 0
    outward: Callable[[Array], Array]

    def rows(self, values: Array, mask: Array) -> tuple[Array, Array]:
        """States of rows (…, t, node, channel), and what of them was observed."""
        return self.inward(values), self.inward(mask)


AS_IT_IS = Arrangement("as it is", lambda x: x, lambda x: x)
APART = Arrangement(
    "apart", lambda x: x.swapaxes(-1, -2)[..., None], lambda x: x[..., 0].swapaxes(-1, -2)
)
POSITIONS = Arrangement(
    "positions",
    lambda x: np.concatenate([x, np.zeros_like(x)], -1),
    lambda x: x[..., :1],
)


def arranged(law: Equation, about: About) -> Arrangement:
    """Where the state of a law is in the target channels of data; ValueError where it is not."""
    targets, nodes = about.targets, about.nodes
    if len(law.channels) == len(targets):
        return AS_IT_IS
    if len(targets) == 1 and sorted(nodes) == sorted(law.channels):
        there = [nodes.index(name) for name in law.channels]
        back = np.argsort(there)
        return Arrangement(
            "by nodes",
            lambda x: x[..., there, :].swapaxes(-1, -2),
            lambda x: x.swapaxes(-1, -2)[..., back, :],
        )
    if len(law.channels) == 1:
        return APART
    if isinstance(law, Motion) and len(targets) == 1:
        return POSITIONS
    wanted = ", ".join(law.channels)
    raise ValueError(
        f"{type(law).__name__} moves {wanted} together, and what is forecast of {about.name} is "
        f"{', '.join(targets)} of {len(nodes)} nodes; columns of a file are its channels by "
        f"data.targets=[{wanted.replace(' ', '')}]"
    )
