"""How a window is laid before a net: by node, by series, or with its nodes first, for a graph."""

from __future__ import annotations

import torch
from torch import Tensor

from stsfm.datasets.panel import Panel
from stsfm.models.layers.normalise import Normalise, centre


def by_node(values: Tensor, known: Tensor) -> Tensor:
    """What is seen of each node: (b, t, n, c) and (b, t, n | 1, k) → (b, n, t, c + k)."""
    if known.shape[-1]:
        values = torch.cat([values, known.expand(*values.shape[:-1], -1)], -1)
    return values.transpose(1, 2)


def by_series(values: Tensor) -> Tensor:
    """Each channel of each node by itself: (b, t, n, c) → (b, n·c, t)."""
    return values.flatten(2).transpose(1, 2)


def nodes_first(past: Panel, normalise: Normalise) -> tuple[Tensor, Tensor]:
    """Values less their level, and what is known beside them, (n, t, b, c + k); and the level.

    The level is (b, 1, n, c), of the channels alone.
    """
    values, level = centre(past, normalise)  # (b, t, n, c)
    return by_node(values, past.known).permute(1, 2, 0, 3), level


def batch_first(state: Tensor) -> Tensor:
    """A state (n, b, c) as a head reads it, (b·n, c)."""
    return state.transpose(0, 1).flatten(0, 1)


def patches(series: Tensor, size: int, stride: int) -> Tensor:
    """Overlapping pieces of (…, t): (…, patch, size); the last value is repeated over a stride."""
    padded = torch.cat([series, series[..., -1:].expand(*series.shape[:-1], stride)], -1)
    return padded.unfold(-1, size, stride)


def patch_sizes(context: int, patch: int, stride: int) -> tuple[int, int]:
    """How long a patch is, which is no longer than the past, and how many there are."""
    if patch < 1 or stride < 1:
        raise ValueError(f"patch and stride must be at least 1, got {patch} and {stride}")
    size = min(patch, context)
    return size, (context - size) // stride + 2
