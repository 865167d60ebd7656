"""Tests that hold their size, or words: statistics on plain arrays, one idea per file."""

from stsfm.significance.bootstrap import Interval, mean_interval, skill_interval
from stsfm.significance.holm import holm
from stsfm.significance.longrun import sampling_error
from stsfm.significance.mcs import ConfidenceSet, confidence_set
from stsfm.significance.origins import too_few
from stsfm.significance.pair import Pair, compare

ALPHA = 0.05  # the level of a test that nobody gave another

__all__ = [
    "ALPHA",
    "ConfidenceSet",
    "Interval",
    "Pair",
    "compare",
    "confidence_set",
    "holm",
    "mean_interval",
    "sampling_error",
    "skill_interval",
    "too_few",
]
