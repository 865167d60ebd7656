"""How a window is laid before a net: by node, or by series."""

from __future__ import annotations

import torch
from torch import Tensor


def by_node(values: Tensor, known: Tensor) -> Tensor:
    """What is seen of each node: (b, t, n, c) and (b, t, n | 1, k) → (b, n, t, c + k)."""
    if known.shape[-1]:
        values = torch.cat([values, known.expand(*values.shape[:-1], -1)], -1)
    return values.transpose(1, 2)


def by_series(values: Tensor) -> Tensor:
    """Each channel of each node by itself: (b, t, n, c) → (b, n·c, t)."""
    return values.flatten(2).transpose(1, 2)


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
