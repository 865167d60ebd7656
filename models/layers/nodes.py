"""Windows with their nodes first, as products with a graph want them, and back."""

from __future__ import annotations

import torch
from torch import Tensor

from stsfm.datasets.panel import Panel
from stsfm.models.layers.normalise import Normalise, centre


def nodes_first(past: Panel, normalise: Normalise) -> tuple[Tensor, Tensor]:
    """Values less their level, and what is known beside them, (n, t, b, c); and the level.

    The level is (b, 1, n, c), of the channels alone.
    """
    values, level = centre(past, normalise)  # (b, t, n, c)
    if past.known.shape[-1]:
        values = torch.cat([values, past.known.expand(*values.shape[:-1], -1)], -1)
    return values.permute(2, 1, 0, 3), level


def batch_first(state: Tensor) -> Tensor:
    """A state (n, b, c) as a head reads it, (b·n, c)."""
    return state.transpose(0, 1).flatten(0, 1)
