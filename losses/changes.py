"""How well change points agree with those that people marked: F1 with a margin, and covering.

A series of T rows is cut where something new begins: row τ is the first of a segment, and row 0
begins the first one, whoever looks. So both scores are defined always, also where nobody sees any
change. Of annotators k with marks T_k ∋ 0 and predictions X ∋ 0:

    P = |TP(∪ₖ T_k, X)| / |X|      R = meanₖ |TP(T_k, X)| / |T_k|      F1 = 2 P R / (P + R)

TP(T, X) are the marks of T that a prediction lies within MARGIN rows of; marks are gone through in
their order, each takes the nearest prediction that is left, and of two as near the earlier. P asks
whether a prediction is anybody's, R whether each annotator's marks were found.

    covering = meanₖ 1/T Σ_A |A| · max_B |A ∩ B| / |A ∪ B|      A: k's segments, B: the predicted

van den Burg & Williams, An evaluation of change point detection algorithms, arXiv 2003.06222; the
covering is that of Arbeláez et al. (2011). As in the code of its authors, TCPDBench.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np

MARGIN = 5  # rows

Marks = Mapping[str, Sequence[int]]  # annotator → rows; () = sees no change


def f1(marks: Marks, predicted: Iterable[int], *, margin: int = MARGIN) -> float:
    """The F1 score in [0, 1] of predicted rows against the marks of one annotator or more."""
    found = _with_start(predicted)
    theirs = [_with_start(rows) for rows in _annotators(marks)]
    hits = _hits(sorted({row for rows in theirs for row in rows}), found, margin)
    precision = hits / len(found)
    recall = float(np.mean([_hits(rows, found, margin) / len(rows) for rows in theirs]))
    return 2 * precision * recall / (precision + recall)  # row 0 is always found: never 0 / 0


def covering(marks: Marks, predicted: Iterable[int], rows: int) -> float:
    """How much of each annotator's segments of a series of `rows` is covered, in [0, 1]."""
    found = _segments(predicted, rows)
    return float(np.mean([_covered(_segments(own, rows), found) for own in _annotators(marks)]))


def _annotators(marks: Marks) -> list[Sequence[int]]:
    if not marks:
        raise ValueError("nobody has marked where these data change: there is nothing to score by")
    return list(marks.values())


def _with_start(rows: Iterable[int]) -> list[int]:
    return sorted({0, *map(int, rows)})


def _hits(marks: Sequence[int], predicted: Sequence[int], margin: int) -> int:
    """How many marks have a prediction of their own within the margin."""
    free, hits = list(predicted), 0
    for mark in marks:
        near = [(abs(mark - row), row) for row in free if abs(mark - row) <= margin]
        if near:
            free.remove(min(near)[1])
            hits += 1
    return hits


def _segments(begins: Iterable[int], rows: int) -> np.ndarray:
    """(segment, 2) first row, and the row after the last."""
    edges = [*_with_start(begins), rows]
    if edges[0] < 0 or edges[-2] >= rows:
        raise ValueError(f"wanted change points in rows 0 … {rows - 1}, got {edges[:-1]}")
    return np.array(list(pairwise(edges)))


def _covered(theirs: np.ndarray, found: np.ndarray) -> float:
    """Σ over their segments of length × the best Jaccard index with one of ours, per row."""
    low = np.maximum(theirs[:, None, 0], found[:, 0])  # (theirs, found)
    high = np.minimum(theirs[:, None, 1], found[:, 1])
    shared = (high - low).clip(0)
    length, other = np.ptp(theirs, 1), np.ptp(found, 1)
    best = (shared / (length[:, None] + other - shared)).max(1)
    return float((length * best).sum() / length.sum())
