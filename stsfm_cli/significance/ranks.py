"""Spearman's rank correlation, ties at their mean rank, without waiting for scipy.stats."""

from __future__ import annotations

import numpy as np


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Of a and b (n,), neither of them constant."""
    return float(np.corrcoef(_ranks(a), _ranks(b))[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    _, at, often = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(often) - (often - 1) / 2)[at]
