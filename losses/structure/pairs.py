"""Distances between the samples of a batch."""

from __future__ import annotations

import torch
from torch import Tensor


def samples(x: Tensor, most: int) -> Tensor:
    """(b, …, d) → (s, d): all samples, or `most`, evenly spaced; a batch is in no order."""
    flat = x.flatten(0, -2)
    if len(flat) <= most:
        return flat
    return flat[torch.linspace(0, len(flat) - 1, most, device=x.device).long()]


def distances(x: Tensor, matrix: Tensor | None = None) -> Tensor:
    """(s, s) of samples (s, d): √((a − b)ᵀ W (a − b)), and W = I without a matrix.

    What W makes negative counts as 0. Where a = b no gradient flows, instead of an infinite one.
    """
    apart = x[:, None] - x
    moved = apart if matrix is None else apart @ matrix
    squared = (moved * apart).sum(-1)
    positive = squared > 0
    return torch.where(positive, torch.where(positive, squared, 1).sqrt(), 0)


def upper(square: Tensor) -> Tensor:
    """Each pair once, of a symmetric matrix."""
    rows, columns = torch.triu_indices(len(square), len(square), 1, device=square.device)
    return square[rows, columns]
