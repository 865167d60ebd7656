"""What a state space is composed of: the faces of its parts.

    ŷ = R ∘ T_y ∘ A ∘ Φ^H ∘ T_x ∘ E (x)

x (t, D) are frames: the D = nodes · channels values of a row. E embeds them as states z (t, d), T_x
transforms these, the dynamics Φ continues them, A aligns what was continued with what came, T_y
transforms again and R lifts states to frames. Φ is any Forecaster, of the panel of the states.
Arrays are float64 and have no gaps; a leading `*b` stands for any batch axes, none included.
Parts are fitted in the order of the data, each on what the one before it makes of train.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from stsfm.datasets.panel import Array
from stsfm.datasets.windows import Frame
from stsfm.models.learned import Learned

if TYPE_CHECKING:
    from torch import nn


class Part(Learned, ABC):
    """A part says what it can, and what it cannot do without; `legal` compares them.

    offers  of: inverse (it can go back), gradient (it is a net, and may be trained with others),
            frames (its states are frames; a transform's, where those before it are)
    needs   of: inverse (all parts before the lifting can go back), frames (the states are frames),
            graph, coords, lattice, equation (of the data), pairs (forecasts of training windows
            beside what came)

    One that is trained by gradients has `trainer` and the like among its keys. Its constructor
    takes first, by position, what is told of every epoch and the store of its checkpoints, and
    keeps them as `monitor` and `store`.
    """

    cite: ClassVar[str]  # key of an entry in references.bib
    offers: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()

    def shows(self) -> Mapping[str, Array]:
        """What there is to see of it, under the names of `Forecaster.states`."""
        return {}

    def net(self) -> nn.Module:
        """What was learned as a net, where it offers `gradient`: it is trained on with the others.

        Its forward does what `encode` or `forward` do, its `decode` goes back. That of an embedding
        may have parts(x (b, t, D)) → Mapping, for terms of a loss: the codes, inputs,
        reconstructions and weights of its layers.
        """
        raise NotImplementedError


class Embedding(Part):
    """E: frames → states, and back where it offers `inverse`."""

    size_: int  # d
    lost_: int = 0  # rows of past before the first state: a state reads lost_ + 1 rows

    @abstractmethod
    def fit(self, frames: Array, frame: Frame) -> Self:
        """Learn from frames (t, D) of train, `size_` included.

        frame  knows nodes, channels, season and space of the data
        """

    @abstractmethod
    def encode(self, frames: Array) -> Array:
        """(*b, t, D) → states (*b, t − lost_, d); a state knows no later frame."""

    def decode(self, states: Array) -> Array:
        """(*b, t, d) → the last frame that each state stands for, (*b, t, D)."""
        raise NotImplementedError

    def seen(self, mask: Array) -> Array:
        """Which numbers of the states were observed, (*b, t − lost_, d), from the mask of frames.

        Gaps of frames are filled before they are embedded, so that by default all were.
        """
        return np.ones((*mask.shape[:-2], mask.shape[-2] - int(self.lost_), int(self.size_)), bool)


def check_width(frames: Array, dim: int) -> None:
    """ValueError where frames (t, D) have no `dim` directions, and no state of so many numbers."""
    most = min(frames.shape)
    if dim > most:
        raise ValueError(
            f"{len(frames)} frames of {frames.shape[1]} (nodes · channels) have no {dim} "
            f"dimensions; take model.embedding.dim={most}, more nodes, or an embedding that looks "
            "back: model/embedding=delay or ssa"
        )


class Transform(Part):
    """T: states → states, row by row; and back where it offers `inverse`."""

    @abstractmethod
    def fit(self, states: Array, frame: Frame) -> Self:
        """Learn from states (t, d) of train."""

    @abstractmethod
    def forward(self, states: Array) -> Array:
        """(*b, t, d) → (*b, t, d′)."""

    def inverse(self, states: Array) -> Array:
        """(*b, t, d′) → (*b, t, d)."""
        raise NotImplementedError


class Align(Part):
    """A: states as they were forecast → states as they come, both (…, d)."""

    @abstractmethod
    def fit(self, made: Array, came: Array) -> Self:
        """Learn from forecasts of training windows and what came, (w, h, d) each.

        Of parts that do not need `pairs` both hold no window.
        """

    @abstractmethod
    def align(self, states: Array) -> Array:
        """(*b, h, d) → (*b, h, d). It corrects; nothing takes it back."""


class Lifting(Part):
    """R: states → frames."""

    @abstractmethod
    def fit(self, states: Array, frames: Array) -> Self:
        """Learn from pairs of states (t, d) and frames (t, D) of train."""

    @abstractmethod
    def lift(self, states: Array, back: Callable[[Array], Array]) -> Array:
        """(*b, h, d) → (*b, h, D).

        back  goes through the inverses of T_y, T_x and E; only a lifting that needs `inverse` may
              call it
        """

    def outside(self, states: Array) -> Array | None:
        """Which states (*b, h, d) are drawn back to those of train first, (*b, h); None: never."""
        return None
