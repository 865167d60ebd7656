"""How much each term of a loss counts: a rule, and what the rule has come to in one training.

A rule multiplies the weights of the loss by factors of its own: `loss.weights` say in which
proportion the terms are wanted, the factors bring them there. Nothing here needs torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from stsfm.losses.weighting.balance import Balance

Active = Mapping[str, tuple[float, Any]]  # name → weight and term, of those that count


class Weighting(ABC):
    """A rule for the factors of the weights, as it is set up."""

    def check(self, active: Active) -> None:  # noqa: B027  most rules take any terms
        """ValueError where the rule means nothing for these terms."""

    @abstractmethod
    def start(self, active: Active, epochs: int, net: nn.Module) -> Balance:
        """What the rule knows before the first epoch of a training of at most `epochs`."""
